"""Connections to the simulator, both ends: TLS and each wrong certificate, how parameters come, nothing left behind."""

import http.client
import json
import socket
import ssl
import threading
import urllib.parse

import pytest
from simulator_client import Bot, bot, sim  # noqa: F401

from host_tools.simulator import Simulator
from host_tools.simulator.certs import CHAINS, WRONG
from host_tools.simulator.updates import USER


def test_tls_is_verified_and_counted_at_both_ends():
    with Simulator() as sim:
        assert len(sim.ca_der) > 300
        bot = Bot(sim)
        for _ in range(5):
            assert bot.call("getMe")["result"]["username"] == "copepod_bot"
        bot.close()
        assert (sim.hellos, sim.handshakes) == (1, 1)
        assert [c.calls for c in sim.connections] == [5]
        stranger = http.client.HTTPSConnection("localhost", sim.port, timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", "/")
        assert sim.wait(lambda: any("unknown ca" in e.lower() for e in sim.tls_errors))


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("cert-host", "Hostname mismatch"),
        ("cert-ca", "unable to get local issuer|self-signed certificate in certificate chain"),
        ("cert-expired", "certificate has expired"),
        ("cert-future", "certificate is not yet valid"),
    ],
)
def test_each_wrong_certificate_is_wrong_in_its_own_way(kind, reason, chain):
    assert kind in WRONG
    with Simulator(chain=chain) as sim:
        sim.fault(kind, count=2)
        bot = Bot(sim)
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                bot.call("getMe")
        assert bot.call("getMe")["ok"]  # and then all is well again
        bot.close()
        assert sim.hellos == 3


def test_parameters_come_by_query_form_json_and_chunks(sim, bot):
    sim.push_text("x")
    params = {"chat_id": str(USER), "text": "tea & <b>crab</b> 🦀", "parse_mode": "HTML"}
    path = f"/bot{sim.token}/sendMessage"
    connection = bot.open()
    query = urllib.parse.urlencode(params)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    data = json.dumps(params).encode()
    pieces = iter([data[:1], data[1:2], data[2:50], data[50:]])
    for request in (
        ("GET", f"{path}?{query}", None, {}),
        ("POST", path, query, form),
        ("POST", path, data, {"Content-Type": "application/json; charset=utf-8"}),
        ("POST", path, pieces, {"Content-Type": "application/json"}),
    ):
        verb, url, body, headers = request
        chunks = not isinstance(body, (str, bytes, type(None)))
        connection.request(verb, url, body, headers, encode_chunked=chunks)
        answer = json.loads(connection.getresponse().read())
        assert answer["result"]["text"] == "tea & crab 🦀"
    connection.close()
    assert [s.text for s in sim.sent] == ["tea & crab 🦀"] * 4
    assert len(sim.connections) == 1


def test_nothing_is_left_behind():
    before = threading.active_count()
    with Simulator() as sim:
        bot = Bot(sim)
        assert bot.call("getMe")["ok"]
        port = sim.port
    bot.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)

"""The assistant's tools, one by one: what they do, and what they refuse."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked, scene  # noqa: F401
from scene import wanted

from host_tools.pretend.surroundings import Surroundings
from host_tools.simulator.certs import Authority
from host_tools.simulator.updates import USER

PINS = {
    "wires": {"mode": "i2c", "scl": 22, "sda": 21},
    "climate": {"pin": 15, "mode": "dht22"},
    "cellar": {"pin": 16, "mode": "dht11"},
    "pool": {"pin": 4, "mode": "ds18x20"},
    "strip": {"pin": 5, "mode": "neopixel", "count": 3},
    "lamp": 2,
}
GIVEN = {
    "i2c 118 208": "96 1 2",
    "dht 15": "21.5 40",
    "ds18x20 4": "21.5 19",
}


@pytest.fixture
def around(scene: Scene) -> Iterator[Surroundings]:
    """A board on which something is connected to every pin but one."""
    with Surroundings() as made:
        made.given.update(GIVEN)
        scene.target = made.target(scene.target)
        scene.machine = ""
        yield made
        scene.stop()


def names(scene: Scene) -> set[str]:
    return {tool["function"]["name"] for tool in scene.model.requests[-1].body["tools"]}


# --- what is connected to the board


def test_sensors_are_measured(scene: Scene, around: Surroundings) -> None:
    scene.start(hardware={"pins": PINS})
    assert scene.calls(
        ("dht_read", {"pin": "climate"}),
        ("dht_read", {"pin": "cellar"}),
        ("ds18x20_read", {"pin": "pool"}),
        ("dht_read", {"pin": "pool"}),
    ) == [
        "21.5 °C, 40.0 % humidity",
        "error: ValueError: the sensor does not answer",
        "2800000000000000: 21.5 °C\n2801000000000000: 19.0 °C",
        "error: ValueError: the owner has given this pin the mode ds18x20, which is not for that",
    ]


def test_a_bus_is_read_and_written(scene: Scene, around: Surroundings) -> None:
    scene.start(hardware={"pins": PINS})
    assert scene.calls(
        ("i2c_scan", {"bus": "wires"}),
        ("i2c_read", {"bus": "wires", "address": 118, "register": 208, "length": 3}),
        ("i2c_write", {"bus": "wires", "address": 118, "register": 244, "data": "27 a0"}),
        ("i2c_write", {"bus": "wires", "address": 118, "data": "d1"}),
    ) == ["0x76", "60 01 02", "2 bytes written", "1 bytes written"]
    around.look()
    assert around.i2c == [(0x76, b"\xf4\x27\xa0"), (0x76, b"\xd1")]
    assert scene.calls(("i2c_read", {"bus": "wires", "address": 118})) == ["01"]
    assert scene.calls(
        ("i2c_read", {"bus": "wires", "address": 119}),
        ("i2c_write", {"bus": "wires", "address": 118, "data": "xyz"}),
        ("i2c_read", {"bus": "lamp", "address": 118}),
        ("i2c_read", {"bus": "wires", "address": 118, "length": 65}),
    ) == [
        "error: ValueError: no device answers at 0x77",
        "error: ValueError: data: 1 to 64 bytes in hexadecimal, such as f4 27",
        "error: ValueError: the owner has given this pin the mode out, which is not for that",
        "error: ValueError: length: a whole number from 1 to 64",
    ]


def test_lights_are_set(scene: Scene, around: Surroundings) -> None:
    scene.start(hardware={"pins": PINS})
    assert scene.calls(("neopixel_set", {"pin": "strip", "colors": "#ff8000"})) == [
        "3 lights are set"
    ]
    around.look()
    assert around.neopixels[5] == [(255, 128, 0)] * 3
    scene.calls(("neopixel_set", {"pin": "strip", "colors": "ff0000 00ff00"}))
    around.look()
    assert around.neopixels[5] == [(255, 0, 0), (0, 255, 0), (0, 0, 0)]
    assert scene.calls(
        ("neopixel_set", {"pin": "strip", "colors": "red"}),
        ("neopixel_set", {"pin": "strip", "colors": "000000 " * 4}),
        ("neopixel_set", {"pin": "attic", "colors": "000000"}),
    ) == [
        "error: ValueError: colors: six hexadecimal digits each, such as ff8000",
        "error: ValueError: colors: 1 to 3 colours",
        "error: ValueError: there is no pin of this name; there are: "
        "cellar, climate, lamp, pool, strip, wires",
    ]


def test_only_what_there_is_a_pin_for_is_offered(scene: Scene) -> None:
    scene.start(hardware={"pins": {"climate": PINS["climate"]}})
    scene.ask("hello")
    offered = names(scene)
    assert "dht_read" in offered
    assert not offered & {"gpio_write", "gpio_read", "adc_read", "pwm_set", "neopixel_set"}
    assert not offered & {"i2c_scan", "i2c_read", "i2c_write", "ds18x20_read", "http_get"}
    scene.stop()
    scene.start(hardware={"pins": PINS}, tools={"i2c_write": {"enabled": False}})
    scene.ask("hello")
    offered = names(scene)
    assert {"i2c_scan", "i2c_read", "ds18x20_read", "neopixel_set", "gpio_write"} <= offered
    assert "i2c_write" not in offered


# --- other hosts


class Web(BaseHTTPRequestHandler):
    """Says what it was asked."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers.items())))
        status, body = 200, b'{"state": "on"}'
        if self.path == "/long":
            body = b"0123456789" * 500
        elif self.path == "/gone":
            status, body = 404, b"nothing here"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def web() -> Iterator[Any]:
    handler = type("Handler", (Web,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_only_listed_hosts_are_asked(scene: Scene, web: Any) -> None:
    place = f"localhost:{web.server_address[1]}"
    seen = web.RequestHandlerClass.seen
    scene.start(tools={"http_get": {"hosts": [place, "nowhere.invalid"]}})
    assert scene.calls(
        ("http_get", {"url": f"http://{place}/state?a=1#part"}),
        ("http_get", {"url": f"http://{place}/gone"}),
        ("http_get", {"url": f"http://{place}"}),
    ) == [
        'status 200\n\n{"state": "on"}',
        "not what was asked for: status 404\n\nnothing here",
        'status 200\n\n{"state": "on"}',
    ]
    assert [path for path, _ in seen] == ["/state?a=1", "/gone", "/"]
    assert seen[0][1]["Host"] == place
    assert "http_get" in names(scene)
    long, rest = scene.calls(
        ("http_get", {"url": f"http://{place}/long"}),
        ("http_get", {"url": f"http://{place}/long", "offset": 4900}),
    )
    assert long == "status 200\n\n" + "0123456789" * 90 + "\n(more follows)"
    assert rest == "status 200\n\n" + "0123456789" * 10
    asked_before = len(seen)
    refused = f"error: ValueError: the owner has not listed this host; listed are: {place}, nowhere.invalid"
    assert scene.calls(
        ("http_get", {"url": "http://example.com/"}),
        ("http_get", {"url": f"http://{place}@example.com/"}),
        ("http_get", {"url": f"http://127.0.0.1:{web.server_address[1]}/"}),
        ("http_get", {"url": "file:///config.json"}),
    ) == [
        refused,
        refused,
        refused,
        "error: ValueError: url: an address such as http://192.168.1.5/status",
    ]
    answers = scene.calls(
        ("http_get", {"url": "http://nowhere.invalid/"}),
        ("http_get", {"url": f"http://{place}/a b"}),
        ("http_get", {"url": f"https://{place}/"}),
    )
    assert answers[0].startswith("error: ValueError: nowhere.invalid can't be asked: ")
    assert "%-codes" in answers[1]
    assert "no root certificate" in answers[2]
    assert len(seen) == asked_before


@pytest.mark.parametrize("name", wanted())
def test_a_host_over_tls_has_the_only_session(tmp_path: Path, name: str, web: Any) -> None:
    authority = Authority(("localhost",))
    web.socket = authority.context().wrap_socket(web.socket, server_side=True)
    place = f"localhost:{web.server_address[1]}"
    with asked(Scene(tmp_path, name, tls=True)) as scene:
        (tmp_path / "web.der").write_bytes(authority.der)
        open_at: list[int] = []
        get = web.RequestHandlerClass.do_GET

        def do_get(self: Any) -> None:
            open_at.append(sum(1 for c in scene.sim.connections if c.closed_at is None))
            get(self)

        web.RequestHandlerClass.do_GET = do_get
        scene.start(tools={"http_get": {"hosts": [place], "ca": "web.der"}})
        assert scene.calls(("http_get", {"url": f"https://{place}/x"})) == [
            'status 200\n\n{"state": "on"}'
        ]
        assert open_at == [0]
        answer = scene.calls(("http_get", {"url": f"https://{place}/x"}), ("get_time", {}))
        assert len(answer) == 2


def test_a_host_that_is_silent_is_given_up(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"localhost:{silent.getsockname()[1]}"
        scene.start(tools={"http_get": {"hosts": [place]}})
        replies = scene.calls(("http_get", {"url": f"http://{place}/"}))
        assert "can't be asked" in replies[0]


# --- messages


def test_a_message_is_sent_before_the_answer(scene: Scene) -> None:
    scene.start(channels={"telegram": {"allow_from": [str(USER)]}})
    before = len(scene.sim.sent)
    assert scene.calls(("message", {"content": "**soon**"}), ("message", {"content": " "})) == [
        "sent",
        "error: ValueError: content: a text",
    ]
    assert scene.texts()[before:] == ["soon", "done"]
    assert scene.calls(("message", {"content": "to you", "to_owner": True})) == ["sent"]
    assert scene.texts(USER)[-2:] == ["to you", "done"]


@pytest.mark.parametrize("name", wanted())
def test_a_message_over_the_only_tls_session(tmp_path: Path, name: str) -> None:
    with asked(Scene(tmp_path, name, tls=True)) as scene:
        scene.start()
        assert scene.calls(("message", {"content": "soon"}), ("get_time", {}))[0] == "sent"
        assert scene.texts() == ["soon", "done"]
        assert scene.model.connections == 2

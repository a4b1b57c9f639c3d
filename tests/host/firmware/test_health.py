"""The health server of a running gateway, from outside; and that it isn't there when it is off."""

import json
import re
import socket
import time

import pytest

from host_tools import targets
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.targets.target import Start

BOT = """\
import sys
from copepod.handlers import on_command

@on_command("modules", "what is loaded")
async def modules(msg):
    await msg.answer("health loaded" if "copepod.health" in sys.modules else "health absent")
"""


def ask(port, path, timeout=5):
    """GET `path`: (status, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while data := sock.recv(4096):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


@pytest.fixture
def running(tmp_path):
    """Starts the gateway with a `gateway` section; gives (simulator, device)."""
    devices = []
    with Simulator(tls=False) as sim:

        def start(section, **how):
            extra = {
                "gateway": section,
                "telemetry": {"interval_s": 1},
                "channels": {"telegram": {"poll_timeout_s": 1}},
            }
            config = engine.gateway_config(sim, targets.get("unix"), extra)
            device = targets.get("unix").start(Start(config, workdir=tmp_path, heap="512k", **how))
            devices.append(device)
            return device

        yield sim, start
        for device in devices:
            device.stop()


def port_of(device):
    line = device.wait_line(r"health: http://127\.0\.0\.1:(\d+)/health", 10)
    assert line, device.text()
    return int(line.text.split("127.0.0.1:")[1].split("/")[0])


def test_end_to_end(running):
    sim, start = running
    device = start({"health": True, "port": 0})
    port = port_of(device)
    assert device.wait(lambda: device.event("poll"), 15), device.text()
    for number in range(3):
        sim.push_text(f"hello {number}")
    assert sim.wait(lambda: len(sim.sent) == 3, 10)
    status, body = ask(port, "/health")
    assert status == 200
    assert json.loads(body)["status"] == "ok"
    assert ask(port, "/ready")[0] == 200
    status, body = ask(port, "/metrics")
    metrics = dict(re.findall(r"^(copepod_\w+) (\d+)$", body, re.MULTILINE))
    assert status == 200
    assert metrics["copepod_updates_total"] == "3"
    assert metrics["copepod_messages_sent_total"] == "3"
    assert metrics["copepod_errors_total"] == "0"
    assert int(metrics["copepod_gc_used_bytes"]) > 10_000
    assert ask(port, "/elsewhere")[0] == 404


def test_not_ready_before_the_first_poll_and_healthy_anyway(running):
    sim, start = running
    sim.fault("502", "getUpdates", None)
    device = start({"health": True, "port": 0})
    port = port_of(device)
    assert device.wait(lambda: device.event("backoff"), 15), device.text()
    assert ask(port, "/ready")[0] == 503
    assert ask(port, "/health")[0] == 200


def test_messages_flow_while_clients_dawdle(running):
    sim, start = running
    device = start({"health": True, "port": 0})
    port = port_of(device)
    assert device.wait(lambda: device.event("poll"), 15), device.text()
    idle = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(6)]
    for number in range(10):
        sim.push_text(f"hello {number}")
    assert sim.wait(lambda: len(sim.sent) == 10, 10)
    began = time.monotonic()
    for sock in idle:
        sock.settimeout(10)
        assert sock.recv(1) == b""  # dropped
        sock.close()
    assert time.monotonic() - began < 8
    assert ask(port, "/health")[0] == 200


def test_off_means_not_imported(running):
    sim, start = running
    device = start({}, bot=BOT)
    assert device.wait(lambda: device.event("poll"), 15), device.text()
    sim.push_text("/modules")
    assert sim.wait(lambda: sim.sent, 10)
    assert sim.sent[0].text == "health absent"


def test_on_means_imported(running):
    sim, start = running
    device = start({"health": True, "port": 0}, bot=BOT)
    assert device.wait(lambda: device.event("poll"), 15), device.text()
    sim.push_text("/modules")
    assert sim.wait(lambda: sim.sent, 10)
    assert sim.sent[0].text == "health loaded"

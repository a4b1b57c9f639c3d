"""What goes wrong on a network and in a small memory, on the bare-metal RV32 machine.

Each fault heals by itself, without a reset, loses and doubles nothing, and leaves both heaps as
they were. Needs TARGETS to name rv32.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from rv32_machine import (  # noqa: F401
    MARKS,
    TARGET,
    Start,
    _built,
    answered,
    figure,
    polls,
    sim,
    start,
    talk,
)

from host_tools.console.frames import Frame
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets import rv32
from host_tools.targets.lossy import LossyNetwork

pytestmark = MARKS

GARBAGE_B = 512  # live heap may differ by what happens to be alive at a frame
C_HEAP_B = 512
ROOMY = "96k"  # where Python's heap is not what is tested


def settled(device: rv32.Rv32Device) -> Frame:
    """The next frame with a collection."""
    seen = len(device.frames.frames)

    def found() -> list[Frame]:
        return [f for f in device.frames.frames[seen:] if f["gc_live"] is not None]

    assert device.wait(lambda: found(), 10), device.text()
    return found()[0]


def unchanged(before: Frame, after: Frame, live_b: int = GARBAGE_B) -> None:
    """Both heaps hold what they held before."""
    assert figure(after, "gc_live") <= figure(before, "gc_live") + live_b
    assert figure(after, "idf_free") >= figure(before, "idf_free") - C_HEAP_B


def test_packet_loss(start: Start, sim: Simulator) -> None:  # noqa: F811
    """One frame in twenty lost in each direction: TCP on both sides repeats them."""
    network = LossyNetwork()
    device = start(options=rv32.Options(extra=network.arguments()))
    try:
        talk(sim, device, 5)
        before = settled(device)
        network.set_rate(0.05)
        talk(sim, device, 30, timeout=90)
        assert network.lost >= 3
        network.set_rate(0)
        talk(sim, device, 5)
        unchanged(before, settled(device))
    finally:
        device.kill()
        network.close()


def test_link_down_and_up(start: Start, sim: Simulator) -> None:  # noqa: F811
    """The cable is out for three seconds; what is sent meanwhile is answered afterwards, once."""
    device = start()
    talk(sim, device, 5)
    before = settled(device)
    for _ in range(2):
        device.set_link(False)
        sent = len(sim.sent)
        for number in range(3):
            sim.push_text(f"while away {number}", user=USER)
        time.sleep(3)
        device.set_link(True)
        answered(sim, device, sent + 3, 40)
    talk(sim, device, 5)
    assert device.event("boot") == device.frames.events[0]  # no reset
    unchanged(before, settled(device))


def test_link_down_at_boot(start: Start, sim: Simulator) -> None:  # noqa: F811
    """Without a cable the machine boots and waits; it begins when there is one."""
    device = start(ready=False, options=rv32.Options(held=True))
    device.set_link(False)
    device.go()
    assert device.wait_line("no address yet", 10), device.text()
    device.set_link(True)
    talk(sim, device, 3, timeout=60)


class Hose:
    """A TCP forwarder that can stop reading from the machine: the window closes on it."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.socket()
        # Small buffers from here back to the machine's own, so that the stop is felt at once.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.carried = 0  # bytes from the machine
        self.reading = threading.Event()
        self.reading.set()
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [near, far]
                self.connections += 1
                threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, come: socket.socket, go: socket.socket, ours: bool) -> None:
        with contextlib.suppress(OSError):
            while True:
                if ours:
                    self.reading.wait()
                data = come.recv(1024)
                if not data:
                    break
                if ours:
                    self.carried += len(data)
                go.sendall(data)
            go.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.reading.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def hose(sim: Simulator) -> Iterator[Hose]:  # noqa: F811
    one = Hose(int(sim.base_url.rpartition(":")[2]))
    yield one
    one.close()


def through(hose: Hose) -> dict[str, object]:
    """A config that goes to the simulator by way of the hose."""
    return {"channels": {"telegram": {"base_url": f"https://{TARGET.address}:{hose.port}"}}}


LONG = "".join(chr(0x4E00 + n) for n in range(4000))  # 12 kB of UTF-8, more than the buffers hold


@pytest.mark.parametrize(("pause_s", "connections"), [(3, 1), (30, 2)])
def test_a_server_that_stops_reading(
    start: Start,
    sim: Simulator,
    hose: Hose,
    pause_s: int,
    connections: int,  # noqa: F811
) -> None:
    """In the middle of a request: a short stop is waited out, a long one ends the connection.

    Then the request in flight may have reached the server whole all the same, so that this one
    message comes twice: nobody can tell.
    """
    device = start(through(hose), heap=ROOMY)
    talk(sim, device, 3)
    before = settled(device)
    hose.reading.clear()
    texts = [f"{number} {LONG}" for number in range(3)]
    for text in texts:
        sim.push_text(text, user=USER)
    time.sleep(pause_s)
    assert len(sim.sent) < 6  # it was stopped
    hose.reading.set()
    assert sim.wait(lambda: sim.sent[-1].text == texts[-1], 60), device.text()
    time.sleep(2)
    said = [sent.text for sent in sim.sent[3:]]
    assert list(dict.fromkeys(said)) == texts
    assert len(said) <= 2 + connections
    assert hose.connections == connections, device.text()
    talk(sim, device, 5)
    unchanged(before, settled(device))


NO_MEMORY = "no memory for TLS|could not be checked: "
HOG = """
import asyncio, gc, tls, virt
from copepod.handlers import on_command

held = None

async def let_go():
    global held
    await asyncio.sleep(6)
    held = None
    gc.collect()

@on_command("hog")
async def hog(msg):
    global held
    der = open("/roots.der", "rb").read()
    held = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    while virt.heap_info()[2] > 5000:  # a root takes 2.3 kB; the answer's way out takes 1 kB;
        # and what the old connection gives back is not enough for a new one either
        held.load_verify_locations(der)
    asyncio.create_task(let_go())
    await msg.answer("the C heap is taken")
"""


def test_tls_memory_running_out(start: Start, sim: Simulator) -> None:  # noqa: F811
    """A connection is to be made while the C heap is full: one clear line, and it heals, each time."""
    device = start(bot=HOG, heap=ROOMY)
    talk(sim, device, 3)
    after: list[Frame] = []
    for _ in range(2):  # what reconnecting loads, and the hog's own code, stay from the first time
        said, sent = len(device.find(NO_MEMORY)), len(sim.sent)
        sim.push_text("/hog", user=USER)
        answered(sim, device, sent + 1)
        sim.drop_connections()
        assert device.wait(lambda said=said: len(device.find(NO_MEMORY)) > said), device.text()
        sim.push_text("are you there?", user=USER)
        answered(sim, device, sent + 2, 40)
        talk(sim, device, 5)
        after.append(settled(device))
    assert "Traceback" not in device.text()
    unchanged(after[0], after[1])


def test_too_little_tls_memory_for_ever(start: Start, sim: Simulator) -> None:  # noqa: F811
    """A C heap that no session fits in: clear lines at growing distances, Ctrl-C still works."""
    device = start(ready=False, options=rv32.Options(c_heap=70 * 1024))
    assert device.wait(lambda: len(device.find("no memory for TLS")) >= 2, 20), device.text()
    assert "Traceback" not in device.text()
    assert device.stop() == 0

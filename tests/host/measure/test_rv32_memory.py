"""The bare-metal machine's memory is a stock ESP32's: a heap that grows, and one C heap for it and for TLS.

The ESP32's figures are those of stock MicroPython 1.26.1 (boards/VIRT_RV32/README.md). What does
not fit there must not fit here. Needs TARGETS to name rv32.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from rv32_machine import MARKS, TARGET, Run, _built, boot, run, sim  # noqa: F401

from host_tools.simulator import Simulator
from host_tools.targets import rv32

pytestmark = MARKS

SEGMENT_B = 1460
AREA_B = 56_000  # what the first area of 56 KiB can hold

# Free bytes of the C heap and its largest block on an ESP32.
PROMPT = (139_852, 110_592)
SWITCHED_ON = (101_696, 98_304)
CONNECTED = (95_656, 94_208)
SESSION = 57_644  # free while a session with four RSA-2048 certificates is open
LEAST = 51_740  # free at the least, in its handshake
CLOSE_B = 64  # as near as blocks of 8 bytes and other headers allow

# show(what) prints both heaps; network() waits for the address.
TOOLS = """
import gc, network, time, socket, tls
def show(what):
    gc.collect()
    free = gc.mem_free() - virt.new_split()
    print(what, gc.mem_alloc() + free, *virt.heap_info()[1:])
def connected():
    lan = network.LAN()
    lan.active(True)
    while not lan.isconnected(): time.sleep_ms(10)
"""
# handshake() opens a session with the simulator as the simplest program does it.
HANDSHAKE = """
def handshake():
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    context.load_verify_locations(open("/roots.der", "rb").read())
    plain = socket.socket()
    plain.connect(("{address}", {port}))
    return context.wrap_socket(plain, server_hostname="{address}")
"""


def client(sim: Simulator) -> str:  # noqa: F811
    """TOOLS and a handshake with this simulator."""
    port = sim.base_url.rpartition(":")[2]
    return TOOLS + HANDSHAKE.format(address=TARGET.address, port=port)


def figures(line: str) -> list[int]:
    """What show() printed: size of Python's heap, then free, largest and least of the C heap."""
    return [int(word) for word in line.split()[1:]]


def near(found: list[int], wanted: tuple[int, int]) -> None:
    """Free bytes and the largest block are the ESP32's."""
    for one, other in zip(found, wanted, strict=True):
        assert abs(one - other) <= CLOSE_B, (found, wanted)


# --- the C heap


def test_the_network_takes_what_wifi_takes(run: Run) -> None:  # noqa: F811
    code = (
        TOOLS + "show('prompt')\nnetwork.LAN().active(True)\nshow('on')\nconnected()\nshow('up')"
    )
    prompt, on, up = (figures(line)[1:3] for line in run(code))
    near(prompt, PROMPT)
    near(on, SWITCHED_ON)
    near(up, CONNECTED)


def test_it_takes_it_once(run: Run) -> None:  # noqa: F811
    code = (
        TOOLS + "connected()\nshow('up')\nnetwork.LAN().active(False)\nconnected()\nshow('again')"
    )
    first, again = (figures(line)[1:3] for line in run(code))
    assert first == again


def test_without_that_room_it_is_not_switched_on(run: Run) -> None:  # noqa: F811
    code = """
import network
virt.hold(100_000)
try:
    network.LAN().active(True)
except OSError as error:
    print(error)
virt.release()
network.LAN().active(True)
print(network.LAN().active())
"""
    assert run(code) == ["Wifi Out of Memory", "True"]


def test_a_session_takes_what_it_takes_there(
    run: Run,  # noqa: F811
    sim: Simulator,  # noqa: F811
) -> None:
    code = (
        client(sim)
        + "connected()\nsession = handshake()\nshow('open')\nsession.close()\nshow('closed')"
    )
    opened, closed = (figures(line) for line in run(code, {"roots.der": sim.ca_der}))
    assert SESSION - 512 <= opened[1] <= SESSION + CLOSE_B
    assert LEAST - 512 <= opened[3] <= LEAST + CLOSE_B
    assert closed[1] > CONNECTED[0] - 4_000


def test_a_received_segment_takes_a_block(run: Run) -> None:  # noqa: F811
    """Whoever sends and is not read holds the C heap, 1.8 kB for each full segment."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            connection.recv(1)
            connection.sendall(bytes(2 * SEGMENT_B))
            connection.recv(1)

        threading.Thread(target=send, daemon=True).start()
        code = (
            TOOLS
            + f"""
connected()
peer = socket.socket()
peer.connect(("{TARGET.address}", {server.getsockname()[1]}))
time.sleep_ms(100)
show("before")
frames = virt.net_info()[0]
peer.send(b"x")
while virt.net_info()[0] < frames + 3: time.sleep_ms(10)  # the acknowledgement, two segments
show("unread")
peer.read({2 * SEGMENT_B})
show("read")
"""
        )
        before, unread, after = (figures(line)[1] for line in run(code))
    assert 2 * 1_800 <= before - unread <= 2 * 2_000
    assert before - after < 500


# --- Python's heap


def test_it_grows_by_what_there_is_and_gives_it_back(run: Run) -> None:  # noqa: F811
    code = (
        TOOLS
        + """
show("begin")
kept = bytearray(52_000)
more = bytearray(30_000)
show("grown")
del more
show("back")
"""
    )
    begin, grown, back = (figures(line) for line in run(code))
    assert begin[0] == back[0] == AREA_B
    assert grown[0] == 2 * AREA_B
    assert begin[1] - grown[1] > 57_000
    assert back[1] == begin[1]


def test_it_grows_no_further_than_the_largest_block(run: Run) -> None:  # noqa: F811
    """What room.py builds on: with the rest held, the second area is as small as wanted."""
    code = (
        TOOLS
        + """
connected()
virt.hold(virt.heap_info()[2] - 20_000)
kept = [bytearray(1000) for _ in range(60)]
virt.release()
show("grown")
"""
    )
    total, free, *_ = figures(run(code)[0])
    assert AREA_B + 18_000 < total <= AREA_B + 20_000
    assert free > 75_000


def test_mem_free_counts_what_it_could_take(run: Run) -> None:  # noqa: F811
    code = (
        "import gc\nprint(gc.mem_free() - virt.heap_info()[2] + gc.mem_alloc(), virt.new_split())"
    )
    total, split = map(int, run(code)[0].split())
    assert abs(total - AREA_B) < 500
    near([split], PROMPT[1:])  # pyright: ignore[reportArgumentType]


def test_a_fixed_heap_does_not_grow(run: Run) -> None:  # noqa: F811
    code = (
        TOOLS
        + """
print(virt.new_split())
try:
    kept = bytearray(60_000)
except MemoryError:
    show("fixed")
"""
    )
    split, after = run(code, fixed=True)
    assert split == "0"
    assert figures(after)[0] == AREA_B


# --- the stack


def test_calls_and_imports_nest_as_deep(run: Run) -> None:  # noqa: F811
    """There, calls nest 54 deep, and the twentieth import in an import ends in a panic."""
    code = """
depth = 0
def call():
    global depth
    depth += 1
    call()
try:
    call()
except RuntimeError:
    print(depth)
try:
    import m0
except RuntimeError:
    pass
"""
    modules = {f"m{n}.py": f"print({n})\nimport m{n + 1}\n".encode() for n in range(30)}
    calls, *imports = map(int, run(code, modules))
    assert 52 <= calls <= 56
    assert 18 <= len(imports) <= 21


# --- holding room


def test_what_is_held_comes_back(run: Run) -> None:  # noqa: F811
    code = """
before = virt.heap_info()[1]
virt.hold(20_000); virt.hold(30_000)
print(before - virt.heap_info()[1])
try:
    virt.hold(120_000)
except MemoryError as error:
    print(error)
try:
    virt.hold(-1)
except ValueError:
    print("ValueError")
virt.release(); virt.release()
print(before - virt.heap_info()[1])
"""
    held, refused, wrong, released = run(code)
    assert int(held) == 50_016
    assert "120000" in refused
    assert wrong == "ValueError"
    assert released == "0"


def test_a_soft_reset_gives_everything_back(
    boot: Callable[[dict[str, bytes]], rv32.Rv32Device],  # noqa: F811
) -> None:
    device = boot({"main.py": b""})
    ask = b"import gc, virt; gc.mem_alloc() + gc.mem_free() - virt.new_split(), virt.heap_info()[1]\r\n"
    device.type(b"\r\n" + ask)
    assert device.wait_line(r"^\(\d+, \d+\)$", 10), device.text()
    device.type(b"import virt; virt.hold(5000); kept = bytearray(80_000)\r\n\x04")
    assert device.wait_line("soft reboot", 10), device.text()
    device.type(b"\r\n" + ask)
    assert device.wait(lambda: len(device.find(r"^\(\d+, \d+\)$")) == 2, 10), device.text()
    first, second = device.find(r"^\(\d+, \d+\)$")
    assert first.text == second.text


# --- what fails on the board fails here


@pytest.mark.parametrize(
    ("grow", "outcome"),
    [
        ("", "connected"),
        ("kept = [bytearray(1000) for _ in range(64)]", "MemoryError or OSError"),
        (
            "virt.hold(virt.heap_info()[2] - 20_000)\n"
            "kept = [bytearray(1000) for _ in range(64)]\n"
            "virt.release()",
            "connected",
        ),
    ],
    ids=["in the first area", "once the heap has doubled", "once it grew by what was left"],
)
def test_a_client(run: Run, sim: Simulator, grow: str, outcome: str) -> None:  # noqa: F811
    """A program of 64 kB lets its heap double and has no memory for TLS, unless room was held for it."""
    code = (
        client(sim)
        + f"""
connected()
{grow}
for attempt in range(2):
    gc.collect()
    try:
        handshake().close()
        print("connected")
    except (MemoryError, OSError, ValueError) as error:
        print("MemoryError or OSError")
"""
    )
    assert run(code, {"roots.der": sim.ca_der}) == [outcome] * 2

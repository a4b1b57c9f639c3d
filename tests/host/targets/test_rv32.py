"""The gateway on the bare-metal RV32 machine: firmware, drivers, network, TLS, faults, REPL.

What every target must do is in test_scenarios and test_live; here is what only a machine has.
Needs TARGETS to name rv32 (`make test TARGETS=all`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rv32_machine import (  # noqa: F401
    MARKS,
    START_S,
    TARGET,
    Run,
    Start,
    _built,
    boot,
    figure,
    polls,
    run,
    sim,
    start,
    talk,
)

from host_tools import targets
from host_tools.errors import UserError
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets import machine_command, rv32
from host_tools.toolchain import firmware

pytestmark = MARKS


# --- the image


def test_sizes_are_printed_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = firmware.check(rv32.BOARD, TARGET.elf)
    assert found.text > 300_000  # or it isn't what we think
    assert found.stack + found.data + found.bss < 64 * 1024
    real = firmware.settings(rv32.BOARD)
    small = dataclasses.replace(real, max_text=found.text - 1)
    monkeypatch.setattr(firmware, "settings", lambda board: small)
    with pytest.raises(UserError, match=f"{found.text} B of code, {found.text - 1} B are allowed"):
        firmware.check(rv32.BOARD, TARGET.elf)
    small = dataclasses.replace(real, max_data=found.data + found.bss - 1)
    with pytest.raises(UserError, match="of data and bss"):
        firmware.check(rv32.BOARD, TARGET.elf)


def test_no_other_allocator_is_linked_in() -> None:
    """TLS and lwIP allocate from the C heap, Python from the GC heap: there is no third."""
    symbols = subprocess.run(
        ["riscv64-unknown-elf-nm", TARGET.elf], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "c_malloc" in symbols
    assert not {"malloc", "calloc", "sbrk", "_sbrk"} & set(symbols)


# --- the machine


@pytest.mark.parametrize("legacy", [False, True])
def test_devices_in_both_register_layouts(run: Run, legacy: bool) -> None:  # noqa: F811
    code = """
import network, os, time
lan = network.LAN()
lan.active(True)
for _ in range(300):
    if lan.isconnected(): break
    time.sleep_ms(10)
print(lan.status(), lan.ifconfig()[0])
with open("/written", "w") as f: f.write("x" * 5000)
print(os.stat("/written")[6], open("/written").read() == "x" * 5000)
print(len(set(os.urandom(200))) > 50)
print(virt.net_info()[0] > 0, virt.net_info()[1], virt.net_info()[3])
"""
    lines = run(code, legacy=legacy)
    assert lines == ["3 10.0.2.15", "5000 True", "True", "True 0 0"]


def test_what_is_written_outlives_a_restart(run: Run) -> None:  # noqa: F811
    run('f = open("/kept", "w"); f.write("still here"); f.close()')
    assert run('print(open("/kept").read())') == ["still here"]


def test_the_record_outlives_a_restart_and_is_no_file(run: Run) -> None:  # noqa: F811
    code = """
import os
found = bytearray(8); virt.record(found); print(found)
virt.record(b"kept", True)
with open("/big", "w") as f:
    for _ in range(300): f.write("x" * 1000)
print(os.statvfs("/")[2], os.statvfs("/")[0])
"""
    first = run(code)
    assert first == [repr(bytearray(b"\xff" * 8)), f"{rv32.FILES_BYTES // 4096} 4096"]
    assert run("found = bytearray(8); virt.record(found); print(found)") == [
        repr(bytearray(b"kept\0\0\0\0"))
    ]


def test_heaps_are_as_large_as_told(run: Run) -> None:  # noqa: F811
    code = "import gc\nprint(gc.mem_free() + gc.mem_alloc(), *virt.heap_info()[1:])"
    more = {"gc_heap": 65_536, "c_heap": 60_000, "fixed": True}
    gc_b, free, largest, least = map(int, run(code, **more)[0].split())
    assert 62_000 < gc_b < 65_536  # the collector's own tables are part of it
    assert 59_800 < free <= 60_000  # lwIP has begun
    assert largest == 60_000 - firmware.settings(rv32.BOARD).c_heap_apart
    assert least <= free


def test_more_heap_than_ram_is_refused(tmp_path: Path) -> None:
    options = rv32.Options(gc_heap=250 * 1024, c_heap=130 * 1024)
    device = TARGET.machine(tmp_path, {}, options)
    try:
        assert device.wait(lambda: device.ended, 10)
        assert "do not fit" in device.text()
        assert device.exit_status == 1
    finally:
        device.kill()


@pytest.mark.parametrize(
    ("what", "address"),
    [
        ("beyond the 400 KB", 0x80464000),
        ("far beyond", 0x81000000),
        ("code", 0x80001000),
        ("below the RAM", 0x803FF800),
    ],
)
def test_the_memory_map_is_enforced(tmp_path: Path, what: str, address: int) -> None:
    """A store outside the RAM stops the machine, so nothing can use a byte more."""
    code = f"import machine\nmachine.mem32[{address}] = 1\nprint('written')\n"
    device = TARGET.machine(tmp_path, {"main.py": code.encode()}, rv32.Options())
    try:
        assert device.wait(lambda: device.ended, 10), what
        assert "written" not in device.text()
        assert f"MTVAL={address:08X}" in device.text()
        assert device.exit_status == 1
    finally:
        device.kill()


def test_the_last_byte_of_ram_is_there(run: Run) -> None:  # noqa: F811
    code = "import machine\nmachine.mem8[0x80463fff] = 90\nprint(machine.mem8[0x80463fff])"
    assert run(code) == ["90"]


def test_time_passes_and_waiting_costs_nothing(run: Run) -> None:  # noqa: F811
    code = """
import time, machine
a, c = time.ticks_ms(), time.ticks_us()
time.sleep_ms(300)
print(time.ticks_diff(time.ticks_ms(), a), time.ticks_diff(time.ticks_us(), c) // 1000)
print(time.gmtime()[0], time.time() > 800000000)
"""
    waited, calendar = run(code, rtc="2031-05-06T07:08:09")
    # The second reading begins later, by what is left of the first one's millisecond.
    assert all(299 <= int(ms) < 400 for ms in waited.split()), waited
    assert calendar == "2031 True"


def test_an_idle_machine_sleeps(start: Start, sim: Simulator) -> None:
    """Long polling in `wfi`: the emulator's process takes next to no processor time."""
    device = start()

    def ticks() -> int:
        fields = Path(f"/proc/{device.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(0.5)
    before = ticks()
    time.sleep(3)
    assert (ticks() - before) / os.sysconf("SC_CLK_TCK") < 0.6


def test_sockets_say_what_happened(run: Run) -> None:  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    code = f"""
import socket, network, time, select, errno
network.LAN().active(True)
while not network.LAN().isconnected(): time.sleep_ms(10)
try:
    socket.socket().connect(("10.0.2.2", {port}))
except OSError as e: print(errno.errorcode[e.errno])
s = socket.socket(); s.setblocking(False)
try:
    s.connect(("10.0.2.2", {port}))
except OSError as e: print(errno.errorcode[e.errno])
p = select.poll(); p.register(s, select.POLLOUT)
t = time.ticks_ms(); ready = p.poll(2000); print(bool(ready), time.ticks_diff(time.ticks_ms(), t) < 1000)
"""
    refused, unblocked, polled = run(code)
    assert refused == "ECONNRESET"  # as lwIP calls a refusal
    assert unblocked in ("EINPROGRESS", "ECONNRESET")  # the refusal may be quicker than the call
    assert polled == "True True"


def test_an_unread_socket_leaves_room_for_others(run: Run) -> None:  # noqa: F811
    """Forty frames wait on one socket, more than there are buffers; another one still works."""
    dripping = socket.create_server(("127.0.0.1", 0))
    echo = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = dripping.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(40):
            connection.sendall(bytes([number]) * 10)
            time.sleep(0.01)
        connection.close()

    def answer() -> None:
        connection, _ = echo.accept()
        while data := connection.recv(1000):
            connection.sendall(data)
        connection.close()

    threads = [threading.Thread(target=one, daemon=True) for one in (drip, answer)]
    for thread in threads:
        thread.start()
    code = f"""
import socket, network, time
network.LAN().active(True)
while not network.LAN().isconnected(): time.sleep_ms(10)
unread, other = socket.socket(), socket.socket()
unread.connect(("10.0.2.2", {dripping.getsockname()[1]}))
time.sleep_ms(1500)
other.connect(("10.0.2.2", {echo.getsockname()[1]}))
for n in range(20):
    other.send(b"echo" * 200); print(len(other.read(800)), end=" ")
other.close()
whole = unread.read()
print(whole == bytes(n for n in range(40) for _ in range(10)))
print(virt.net_info()[1])
unread.close(); time.sleep_ms(300)
print(virt.heap_info()[1] > 94_000)
"""
    lines = run(code)
    dripping.close()
    echo.close()
    assert lines == ["800 " * 20 + "True", "0", "True"]


# --- the gateway in 400 KB


def test_boots_to_the_first_poll_in_three_seconds(start: Start, sim: Simulator) -> None:
    """The best of three: other tests run on the same processors."""
    took_s = []
    for _ in range(3):
        sim.calls.clear()
        began = time.monotonic()
        start().kill()
        took_s.append(time.monotonic() - began)
    assert min(took_s) < 3.0


def test_stop_ends_the_machine(start: Start) -> None:
    device = start()
    assert device.stop() == 0
    assert device.frames.phase("stop")


def test_both_heaps_are_in_the_telemetry(start: Start, sim: Simulator) -> None:
    device = start()
    talk(sim, device, 20)
    frame = device.frames.frames[-1]
    free, largest = figure(frame, "idf_free"), figure(frame, "idf_big")
    assert 0 < largest <= free < 98_304
    assert 0 < figure(frame, "idf_min") <= free
    assert figure(frame, "mem_free") == figure(frame, "gc_free") + largest  # as on ESP32
    assert sim.handshakes == 1


def test_the_firmwares_own_main(sim: Simulator, tmp_path: Path) -> None:
    """The frozen main.py, with its two seconds for Ctrl-C, as a board boots."""
    config = json.dumps(engine.gateway_config(sim, TARGET, {})).encode()
    files = {"config.json": config, **engine.files_for(sim)}
    device = TARGET.machine(tmp_path, files, rv32.Options(frozen=True))
    try:
        assert device.wait_line("press Ctrl-C within 2 s", 10), device.text()
        assert sim.wait(lambda: polls(sim), START_S), device.text()
        device.type(rv32.CTRL_C)
        assert device.wait_line("Ctrl-D starts it again", 5), device.text()
        device.type(b"\r\nprint(6 * 7)\r\n")
        assert device.wait_line("^42$", 5), device.text()
        polled = polls(sim)
        device.type(b"\x04")
        assert sim.wait(lambda: polls(sim) > polled, START_S), device.text()
    finally:
        device.kill()


# --- the console on a socket


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[dict[str, bytes]], str]]:
    """Starts a machine with these files; gives the address of its console."""
    processes: list[subprocess.Popen[bytes]] = []

    def go(files: dict[str, bytes]) -> str:
        port = machine_command.free_port()
        disk = tmp_path / "disk.img"
        rv32.write_disk(disk, files)
        processes.append(machine_command.serve(TARGET.frozen_elf, disk, port, rv32.Options()))
        return f"socket://127.0.0.1:{port}"

    yield go
    for process in processes:
        process.kill()
        process.wait()


def test_the_monitor_watches_it(
    serve: Callable[[dict[str, bytes]], str],
    sim: Simulator,  # noqa: F811
    tmp_path: Path,
) -> None:
    config = json.dumps(engine.gateway_config(sim, TARGET, {})).encode()
    console = serve({"config.json": config, **engine.files_for(sim)})
    watching = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "host_tools.cli",
            "monitor",
            "-p",
            console,
            "--plain",
            "--for",
            "8",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert sim.wait(lambda: polls(sim), START_S)
        for number in range(5):
            sim.push_text(f"message {number}", user=USER)
        said = watching.communicate(timeout=30)[0]
    finally:
        watching.kill()
        watching.wait()
    assert "frame " in said
    assert "in=5 out=5" in said
    assert "0 missing, 0 damaged, 0 reboots" in said


def test_mpremote_drives_the_repl(
    serve: Callable[[dict[str, bytes]], str], tmp_path: Path
) -> None:
    console = serve({"main.py": b""})

    def mpremote(*arguments: str) -> str:
        command = [sys.executable, "-m", "mpremote", "connect", console, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    time.sleep(0.5)  # the machine listens before it boots
    script = tmp_path / "hello.py"
    script.write_text("print('run from a file')\n")
    assert mpremote("exec", "import sys; print(sys.platform)").strip() == "qemu"
    assert mpremote("run", str(script)).strip() == "run from a file"
    mpremote("fs", "cp", str(script), ":hello.py")
    assert "hello.py" in mpremote("fs", "ls")
    assert mpremote("soft-reset", "exec", "import hello").strip() == "run from a file"
    assert (
        mpremote("exec", "import gc; gc.collect(); print(gc.mem_alloc() < 10000)").strip()
        == "True"
    )
    mpremote("reset")
    time.sleep(0.5)
    assert "hello.py" in mpremote("fs", "ls")


def test_targets_know_it() -> None:
    assert targets.get("rv32") is TARGET
    with pytest.raises(UserError, match="heap '12x'"):
        rv32.heap_bytes("12x")
    assert rv32.heap_bytes("48k") == 49_152

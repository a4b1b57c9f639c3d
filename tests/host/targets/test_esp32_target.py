"""The emulated ESP32: command line, eFuses, flash image and network always; the board itself only
where QEMU names a qemu-system-xtensa with the chip's Wi-Fi and FIRMWARE a stock image.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_firmware
import pytest

from host_tools import targets
from host_tools.app import app_files
from host_tools.board import boards, littlefs_image
from host_tools.errors import UserError
from host_tools.paths import ROOT
from host_tools.scenarios import engine, scenario
from host_tools.targets import esp32, services
from host_tools.targets.services import Services
from host_tools.targets.tap import Tap
from host_tools.targets.target import Start

EMULATED = pytest.mark.skipif(
    not (os.environ.get("QEMU") and os.environ.get("FIRMWARE")),
    reason="needs QEMU=… (a qemu-system-xtensa with the chip's Wi-Fi) and FIRMWARE=…",
)
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
CONFIG: dict[str, Any] = {"channels": {"telegram": {"token": TOKEN, "allow_from": ["1"]}}}
FS_OFFSET, FS_SIZE = 0x200000, 0x200000  # as MicroPython makes it of a 4 MB flash
BOARD_MAC, HOST_MAC = b"\x02board", b"\x02host0"
BOARD_IP, HOST_IP = b"\xc0\xa8\x04\x0f", b"\xc0\xa8\x04\x02"


def datagram(port: int, payload: bytes, padding: int = 22) -> bytes:
    """A frame with a UDP datagram; an emulated card leaves noise behind it."""
    udp = struct.pack("!HHHH", 5000, port, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    ip = head + BOARD_IP + HOST_IP + udp
    return HOST_MAC + BOARD_MAC + b"\x08\x00" + ip + b"\xaa" * padding


def query(name: str, kind: int = 1) -> bytes:
    """A DNS query for one name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return (
        b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + labels + b"\x00" + struct.pack("!HH", kind, 1)
    )


# --- what it needs


@pytest.mark.parametrize("given", ["QEMU", "FIRMWARE", ""])
def test_one_line_says_what_is_missing(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QEMU", "FIRMWARE"):
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv(given, "/somewhere")
    with pytest.raises(UserError, match=r"^target esp32 needs QEMU=.* and FIRMWARE=[^\n]*$"):
        esp32.Esp32Target().start(Start(CONFIG, workdir=tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_qemu_that_is_not_there_or_has_no_such_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRMWARE", "/somewhere")
    monkeypatch.setenv("QEMU", str(tmp_path))
    with pytest.raises(UserError, match=r"^QEMU=\S+: no such program$"):
        esp32.Esp32Target().start(Start(CONFIG, workdir=tmp_path))
    with pytest.raises(UserError, match="has no ESP32"):
        esp32.machine("kc705  xtensa kc705\nsim  sim machine\n")


def test_the_machine_with_wifi_is_the_derived_one() -> None:
    both = "Supported machines are:\nesp32  Espressif (default)\nesp32-other  Espressif\nnone  -\n"
    assert esp32.machine(both) == "esp32-other"
    assert esp32.machine("esp32    Espressif ESP32 machine\nesp32s3  another\n") == "esp32"


def test_efuses_are_those_of_a_chip_of_revision_3() -> None:
    words = struct.unpack("<31I", esp32.efuses())
    assert words[3] >> 15 & 1  # EFUSE_BLK0_RDATA3, CHIP_VER_REV1
    assert words[5] >> 20 & 1  # EFUSE_BLK0_RDATA5, CHIP_VER_REV2
    assert sum(bin(word).count("1") for word in words) == 2


def test_ntp_hosts_are_those_of_the_firmware() -> None:
    source = (ROOT / "firmware/copepod/net/ntp.py").read_text()
    found = re.search(r"_HOSTS = \((.*)\)", source)
    assert found is not None
    hosts = tuple(re.findall(r'"([^"]+)"', found[1]))
    assert hosts == esp32.NTP_HOSTS


# --- the flash


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that has the form of a stock image, named by FIRMWARE."""
    path = tmp_path / "firmware.bin"
    path.write_bytes(fake_firmware.firmware(boards.get(esp32.BOARD)))
    monkeypatch.setenv("FIRMWARE", str(path))
    return path


def on_flash(flash: bytes, name: str) -> bytes | None:
    """A file of the file system in a flash image."""
    return littlefs_image.files(flash[FS_OFFSET:], FS_SIZE).get(name)


def test_flash_is_the_image_for_a_board_and_is_written_once(
    firmware: Path, tmp_path: Path
) -> None:
    path = tmp_path / "flash.bin"
    esp32.write_flash(path, json.dumps(CONFIG).encode(), {"roots.der": b"root"})
    flash = path.read_bytes()
    assert len(flash) == 4 << 20
    data = firmware.read_bytes()
    assert flash[0x1000 : 0x1000 + len(data)] == data
    for name, content in app_files.app().items():
        assert on_flash(flash, name) == content
    assert json.loads(on_flash(flash, "config.json") or b"") == CONFIG
    assert on_flash(flash, "roots.der") == b"root"
    path.write_bytes(b"as the board left it")
    esp32.write_flash(path, json.dumps(CONFIG).encode(), {"roots.der": b"root"})
    assert path.read_bytes() == b"as the board left it"
    esp32.write_flash(path, json.dumps(CONFIG).encode(), {"roots.der": b"another"})
    assert on_flash(path.read_bytes(), "roots.der") == b"another"


# --- DNS and NTP


def answered(frame: bytes | None) -> bytes:
    """The payload of an answer, its frame checked."""
    assert frame is not None
    assert frame[:12] == BOARD_MAC + HOST_MAC
    assert services.checksum(frame[14:34]) == 0
    assert frame[26:34] == HOST_IP + BOARD_IP
    back = services.Datagram.parse(frame)
    assert back is not None
    assert back.port == 5000
    return back.payload


def test_names_are_answered_from_the_list_and_by_this_machine() -> None:
    it = Services({"simulator.test": "192.168.4.2"})
    answer = answered(it.answer(datagram(53, query("simulator.test"))))
    assert answer[:4] == b"\x12\x34\x81\x80"
    assert answer.endswith(b"\x00\x04" + HOST_IP)
    assert answered(it.answer(datagram(53, query("localhost")))).endswith(b"\x7f\x00\x00\x01")
    unknown = answered(it.answer(datagram(53, query("nowhere.invalid"))))
    assert unknown[3] & 15 == 3  # NXDOMAIN
    assert unknown[6:8] == b"\x00\x00"
    six = answered(it.answer(datagram(53, query("simulator.test", kind=28))))
    assert six[3] & 15 == 0  # the name exists, without such an address
    assert six[6:8] == b"\x00\x00"
    assert it.asked[0] == "simulator.test"


def test_the_time_is_this_machines() -> None:
    it = Services({})
    asked = b"\x1b" + b"\x00" * 39 + b"sent now"
    answer = answered(it.answer(datagram(123, asked)))
    assert answer[0] & 7 == 4  # a server's
    assert answer[24:32] == b"sent now"
    seconds = int.from_bytes(answer[40:44], "big") - services.NTP_EPOCH
    assert abs(seconds - time.time()) < 5


def test_what_is_no_query_goes_on_to_qemu_and_a_silent_server_answers_nothing() -> None:
    it = Services({})
    for frame in (b"", b"\xff" * 60, datagram(67, b"DHCP"), datagram(53, b"")[:30]):
        assert not it.takes(frame)
    fragment = bytearray(datagram(53, query("a.test")))
    fragment[21] = 1
    assert not it.takes(bytes(fragment))
    for bad in (b"", b"\x12\x34\x81", query("a.test")[:-3], b"\x00" * 40):
        frame = datagram(53, bad)
        assert it.takes(frame)
        assert it.answer(frame) is None
    it.dns = it.ntp = False
    assert it.answer(datagram(53, query("localhost"))) is None
    assert it.answer(datagram(123, b"\x1b" + b"\x00" * 47)) is None


class Cable:
    """Plays QEMU on both ends of a tap."""

    def __init__(self, tap: Tap) -> None:
        line = " ".join(tap.arguments("card", "10.0.0.0/24"))
        self.ends = []
        for address in re.findall(r"connect=127.0.0.1:(\d+)", line):
            end = socket.create_connection(("127.0.0.1", int(address)), timeout=10)
            self.ends.append(end.makefile("rwb"))
            end.close()
        self.board, self.network = self.ends

    @staticmethod
    def send(end: Any, frame: bytes) -> None:
        end.write(len(frame).to_bytes(4, "big") + frame)
        end.flush()

    @staticmethod
    def receive(end: Any) -> bytes:
        return end.read(int.from_bytes(end.read(4), "big"))


@pytest.fixture
def tap() -> Iterator[Tap]:
    it = Tap(Services({"simulator.test": "192.168.4.2"}))
    yield it
    it.close()


def test_frames_pass_queries_are_answered_and_a_link_that_is_down_holds_all_back(
    tap: Tap,
) -> None:
    cable = Cable(tap)
    cable.send(cable.network, b"to the board")
    assert cable.receive(cable.board) == b"to the board"
    cable.send(cable.board, datagram(53, query("simulator.test")))
    assert answered(cable.receive(cable.board)).endswith(HOST_IP)
    tap.up = False
    cable.send(cable.board, b"lost")
    cable.send(cable.network, b"lost, too")
    deadline = time.monotonic() + 10
    while tap.held_back < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    tap.up = True
    cable.send(cable.board, b"on")
    assert cable.receive(cable.network) == b"on"  # the query did not come here, nor what was lost
    for end in cable.ends:
        end.close()


# --- the device, with a program in QEMU's place

FAKE_QEMU = """#!{python}
import re, socket, sys
line = " ".join(sys.argv)
if "-machine help" in line:
    print("esp32  Espressif ESP32 machine")
    raise SystemExit
if {broken!r}:
    sys.exit("no such chip")
port = re.search(r"id=console,host=127.0.0.1,port=(\\d+)", line)[1]
console = socket.create_connection(("127.0.0.1", int(port)))
console.sendall(b"boot\\r\\n")
while data := console.recv(100):
    if b"\\x03" in data:
        console.sendall(b"1 copepod: boot: stopped; Ctrl-D starts the gateway again\\r\\n>>> ")
"""


@pytest.fixture
def fake(tmp_path: Path, firmware: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(broken: str = "") -> esp32.Esp32Target:
        path = tmp_path / "qemu"
        path.write_text(FAKE_QEMU.format(python=sys.executable, broken=broken))
        path.chmod(0o700)
        monkeypatch.setenv("QEMU", str(path))
        return esp32.Esp32Target()

    return make


def test_a_device_stops_by_ctrl_c_and_a_kill_keeps_its_flash(fake: Any, tmp_path: Path) -> None:
    target = fake()
    device = target.start(Start(CONFIG, workdir=tmp_path))
    assert device.wait_line("^boot$") is not None
    assert device.stop() == 0
    config = on_flash((tmp_path / "flash.bin").read_bytes(), "config.json")
    assert json.loads(config or b"")["wifi"] == {"ssid": esp32.ACCESS_POINT, "password": ""}
    again = target.start(Start(CONFIG, workdir=tmp_path))
    assert again.wait_line("^boot$") is not None
    again.kill()
    assert again.ended
    assert again.exit_status is None


def test_what_runs_before_the_gateway_is_in_main(fake: Any, tmp_path: Path) -> None:
    device = fake().start(
        Start(CONFIG, workdir=tmp_path, pre="x = 1\ny = 2", gc="off", bot="# mine\n")
    )
    device.kill()
    flash = (tmp_path / "flash.bin").read_bytes()
    main = on_flash(flash, "main.py") or b""
    compile(main, "main.py", "exec")
    assert b"        import gc; gc.disable()\n        x = 1\n        y = 2\n" in main
    assert on_flash(flash, "bot.py") == b"# mine\n"


def test_a_qemu_that_does_not_start_is_told_in_its_own_words(fake: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="qemu does not start: no such chip"):
        fake(broken="yes").start(Start(CONFIG, workdir=tmp_path))


# --- the board


@EMULATED
@pytest.mark.timeout(300)  # a boot on a busy machine
def test_twenty_messages_from_power_on(tmp_path: Path) -> None:
    plan = scenario.load("live")
    plan.messages.count = 20
    result = engine.run(plan, targets.get("esp32"), tmp_path)
    told = "\n".join(f"{row.label}: {row.value}, expected {row.limit}" for row in result.failures)
    assert result.ok, f"{told}\n{result.console[-3000:]}"
    frames = {frame.phase: frame for frame in result.frames}
    assert (frames["steady"]["idf_free"] or 0) > 0

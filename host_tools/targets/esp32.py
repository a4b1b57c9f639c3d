"""An emulated ESP32: the flash image that `copepod image` writes, booted from power-on in QEMU.

QEMU names a qemu-system-xtensa that has the chip's Wi-Fi (no QEMU of a distribution has), FIRMWARE
a stock image of the board ESP32_GENERIC. The binary, its heaps and its TLS are a board's; its times
are not.

The board comes up as any other: main.py, Wi-Fi, an address by DHCP, the time by NTP, names by DNS
(services.py), verified TLS. Its file system outlives a kill, as flash does; what it has in RTC
memory does not, as without power.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import subprocess
import threading
from pathlib import Path

from rich.console import Console

from host_tools.board import boards, littlefs_image
from host_tools.errors import UserError
from host_tools.install import image
from host_tools.targets.board import said_status, with_programs
from host_tools.targets.rv32 import Listener, launch, refusal
from host_tools.targets.services import Services
from host_tools.targets.tap import Tap
from host_tools.targets.target import Device, Start, Target

BOARD = "ESP32_GENERIC"
NEEDS = (
    "target esp32 needs QEMU=… (a qemu-system-xtensa that has the chip's Wi-Fi) "
    "and FIRMWARE=… (a stock image of ESP32_GENERIC)"
)
CARD = "esp32_wifi"
NETWORK = "192.168.4.0/24"
HOST = "192.168.4.2"  # this machine's loopback, as the board sees it
HOST_NAME = "simulator.test"  # the name by which the board asks for it
NTP_HOSTS = ("pool.ntp.org", "time.cloudflare.com", "time.google.com")  # as in net/ntp.py
ACCESS_POINT = "Espressif"  # the emulated one, without a password
FLASH_MB = 4
CTRL_C = b"\x03"

# eFuses: the boot ROM and ESP-IDF find a chip of revision 3 in them.
EFUSE_SIZE = 124
EFUSE_REVISION = {13: 0x80, 22: 0x10}  # CHIP_VER_REV1 and CHIP_VER_REV2


def efuses() -> bytes:
    """The eFuses' contents."""
    data = bytearray(EFUSE_SIZE)
    for at, value in EFUSE_REVISION.items():
        data[at] = value
    return bytes(data)


def machine(listing: str) -> str:
    """QEMU's name of the ESP32 with Wi-Fi, from what `-machine help` says.

    Where there are two, the one with the longer name is the derived one, which has it.
    """
    names = re.findall(r"^(esp32(?:-\S+)?)\s", listing, re.MULTILINE)
    if not names:
        raise UserError("this QEMU has no ESP32: `$QEMU -machine help` names no esp32")
    return max(names, key=len)


def command(
    qemu: Path, kind: str, flash: Path, fuses: Path, console: str, network: list[str]
) -> list[str]:
    """QEMU's command line; `console` is a -chardev with the id `console`."""
    out = [str(qemu), "-nodefaults", "-no-user-config", "-display", "none", "-machine", kind]
    roms = qemu.resolve().parent.parent / "pc-bios"
    if roms.is_dir():  # a QEMU that lies where it was built
        out += ["-L", str(roms)]
    out += ["-drive", f"if=mtd,format=raw,file={flash}"]
    out += ["-drive", f"if=none,format=raw,id=efuse,file={fuses}"]
    out += ["-global", "driver=nvram.esp32.efuse,property=drive,value=efuse"]
    # the chip's watchdogs know nothing of an emulator's pace
    out += ["-global", "driver=timer.esp32.timg,property=wdt_disable,value=true"]
    out += ["-chardev", console, "-serial", "chardev:console"]
    return out + network


class Esp32Device(Device):
    """A running board: its console, its network, and the QEMU process behind them."""

    def __init__(self, qemu: Path, kind: str, flash: Path) -> None:
        super().__init__()
        self.services = Services({HOST_NAME: HOST, **dict.fromkeys(NTP_HOSTS, HOST)})
        self._tap = Tap(self.services)
        self._status: int | None = None
        console = Listener()
        fuses = flash.with_name("efuse.bin")
        fuses.write_bytes(efuses())
        chardev = console.chardev("console")
        self.command = command(
            qemu, kind, flash, fuses, chardev, self._tap.arguments(CARD, NETWORK)
        )
        self._process = launch(self.command)
        try:
            self._console = console.accept(self._process)
        except OSError as error:
            self._tap.close()
            raise refusal(self._process, error) from None
        self._reader = threading.Thread(target=self._read, daemon=True, name="console esp32")
        self._reader.start()

    @property
    def exit_status(self) -> int | None:
        """The gateway's, as main.py's last words tell it: the board itself goes on."""
        return self._status

    def type(self, data: bytes) -> None:
        """Send to the console what somebody might type."""
        with contextlib.suppress(OSError):
            self._console.sendall(data)

    def set_link(self, up: bool) -> None:
        """Let the network's frames through, or hold them all back."""
        self._tap.up = up

    def stop(self, timeout: float = 5.0) -> int | None:
        if not self.ended:
            self.type(CTRL_C)
            self.wait(lambda: self.ended, timeout)
        self.kill()
        return self._status

    def kill(self) -> None:
        """Cut the power: flash keeps what is written, RTC memory nothing."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._console.close()
        self._tap.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._console.recv(65536):
                self._feed(data)
        self._ended()

    def _line(self, raw: bytes) -> None:
        super()._line(raw)
        status = said_status(self.lines[-1].text, self.frames)
        if status is not None:
            self._status = status
            with self._condition:
                self.ended = True
                self._condition.notify_all()


class Esp32Target(Target):
    """Boots boards."""

    name = "esp32"
    word_bits = 32
    address = HOST_NAME
    default_heap = None
    settable_heap = False
    heap_limit_b = 96_000  # docs/boards.md, "Where a stock ESP32's memory goes"
    patience = 5.0  # a boot takes 20 s on an idle machine

    @property
    def qemu(self) -> Path:
        """The emulator; UserError says what this target needs."""
        given = os.environ.get("QEMU")
        if not given or not os.environ.get("FIRMWARE"):
            raise UserError(NEEDS)
        path = Path(given)
        if not os.access(path, os.X_OK) or path.is_dir():
            raise UserError(f"QEMU={given}: no such program")
        return path

    @functools.cached_property
    def machine(self) -> str:
        """QEMU's name of the board."""
        run = subprocess.run(
            [self.qemu, "-machine", "help"], capture_output=True, text=True, check=False
        )
        return machine(run.stdout)

    def interpreter(self) -> str:
        found = boards.get(BOARD)
        firmware = image.get_firmware(found, os.environ.get("FIRMWARE"), Console(quiet=True))
        return f"MicroPython {firmware.version} of the stock image for {BOARD}, in QEMU"

    def start(self, how: Start) -> Esp32Device:
        """As Target.start(). The heap is the board's own, whatever `how.heap` says."""
        qemu = self.qemu
        config = {"wifi": {"ssid": ACCESS_POINT, "password": ""}, **how.config}
        how.workdir.mkdir(parents=True, exist_ok=True)
        flash = how.workdir / "flash.bin"
        write_flash(flash, json.dumps(config).encode(), with_programs(how))
        return Esp32Device(qemu, self.machine, flash)


def write_flash(path: Path, config: bytes, files: dict[str, bytes]) -> None:
    """Write the board's flash; one that holds the same already is left as the board left it."""
    inputs = hashlib.sha256(repr((config, sorted(files.items()))).encode()).hexdigest()
    mark = path.with_suffix(".inputs")
    if path.exists() and mark.exists() and mark.read_text() == inputs:
        return
    firmware = os.environ.get("FIRMWARE")
    board = boards.get(BOARD)
    plan = image.make_plan(board, config, firmware, FLASH_MB, Console(quiet=True), files)
    whole = image.single(plan).ljust(FLASH_MB << 20, b"\xff")
    littlefs_image.write_private(path, whole)
    mark.write_text(inputs)


TARGET = Esp32Target()

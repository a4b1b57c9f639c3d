"""The gateway on a bare-metal RV32 machine: boards/VIRT_RV32's firmware in QEMU.

The machine has a network card (QEMU's user-mode network: this host's loopback is 10.0.2.2 there),
a disk with littlefs that holds the config (and the application, unless it runs frozen), a source
of entropy, a clock and a serial console. QEMU connects console and monitor to sockets that this
file listens on, so no port has to be guessed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.app.tree import app_tree
from host_tools.board import littlefs_image
from host_tools.errors import UserError
from host_tools.targets.target import Device, Start, Target, heap_bytes
from host_tools.toolchain import firmware, packages

BOARD = "VIRT_RV32"
QEMU = "qemu-system-riscv32"
RAM_BYTES = 400 * 1024
DISK_BYTES = 2 * 1024 * 1024  # as an ESP32's file system
FILES_BYTES = DISK_BYTES - littlefs_image.BLOCK_SIZE  # the last block is the record's (modvirt.c)
SETTINGS = 0x803FF000  # the page of the "flash" that sets the heaps for one run (virt_main.c)
CONNECT_S = 10.0
CTRL_C = b"\x03"

# The machine's main.py: as the firmware's own, without the two seconds for Ctrl-C and with QEMU's
# end at the gateway's (boards/VIRT_RV32/modules/_live.py).
_MAIN = "import _live; _live.run({pre!r})\n"


@dataclass
class Options:
    """What a machine may have beside the usual."""

    legacy: bool = False  # virtio's old register layout
    gc_heap: int | None = None  # the first area of Python's heap
    c_heap: int | None = None  # free in the C heap before the network is up
    fixed: bool = False  # Python's heap doesn't grow
    frozen: bool = False  # the firmware with the application in it
    rtc: str | None = None  # QEMU's -rtc base=…: the time it starts with
    network: bool = True
    held: bool = False  # stopped before its first instruction, until Rv32Device.go()
    extra: list[str] = field(default_factory=list)


def command(elf: Path, disk: Path, console: str, options: Options) -> list[str]:
    """QEMU's command line; `console` is a -chardev with the id `console`."""
    out = [QEMU, "-nodefaults", "-no-user-config", "-display", "none"]
    out += ["-machine", "virt", "-cpu", "rv32", "-m", "8M", "-bios", "none", "-kernel", str(elf)]
    out += ["-global", f"virtio-mmio.force-legacy={'on' if options.legacy else 'off'}"]
    out += ["-chardev", console, "-serial", "chardev:console"]
    out += ["-drive", f"if=none,id=disk,format=raw,file={disk}"]
    out += ["-device", "virtio-blk-device,drive=disk", "-device", "virtio-rng-device"]
    if options.network:
        out += ["-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net,id=card"]
    for place, value in enumerate((options.gc_heap, options.c_heap, int(options.fixed))):
        if value:
            address = SETTINGS + 4 * place
            out += ["-device", f"loader,addr={address:#x},data={value},data-len=4"]
    if options.rtc:
        out += ["-rtc", f"base={options.rtc}"]
    return out + options.extra


def heap_room(elf: Path) -> int:
    """Bytes of RAM that the two heaps have between them."""
    found = firmware.size(elf)
    return RAM_BYTES - found.stack - found.data - found.bss - 256  # gaps of alignment


def write_disk(path: Path, files: dict[str, bytes]) -> None:
    """Put files on the disk; what else lies there stays, so that a restart finds it."""
    if path.exists():
        old = path.read_bytes()
        fs = littlefs_image.mount(old[:FILES_BYTES], FILES_BYTES)
        for name, data in files.items():
            if folder := name.rpartition("/")[0]:
                fs.makedirs(folder, exist_ok=True)
            with fs.open(name, "wb") as handle:
                handle.write(data)
        image = bytes(fs.context.buffer) + old[FILES_BYTES:]
    else:
        image = littlefs_image.build(files, FILES_BYTES).ljust(DISK_BYTES, b"\xff")
    littlefs_image.write_private(path, image)


def launch(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a QEMU; refusal() tells what it says where that fails."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the host, which passes it on
    )


def refusal(process: subprocess.Popen[bytes], error: Exception) -> UserError:
    """End a QEMU that nobody could talk to; what it has said of that, or else the error."""
    process.kill()
    said = process.communicate()[1].decode(errors="replace").strip()
    return UserError(f"{process.args[0]} does not start: {said or error}")  # type: ignore[index]


class Listener:
    """A loopback socket that QEMU is told to connect to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]

    def chardev(self, name: str) -> str:
        return f"socket,id={name},host=127.0.0.1,port={self.port}"

    def accept(self, process: subprocess.Popen[bytes]) -> socket.socket:
        """The connection of this QEMU; OSError if none comes, or if it has ended."""
        deadline = time.monotonic() + CONNECT_S
        with self._socket:
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    connection, _ = self._socket.accept()
                    break
            else:
                raise OSError("no connection from it")
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class Monitor:
    """QEMU's own control connection (QMP)."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(CONNECT_S)
        self._stream = connection.makefile("rwb")
        connection.close()  # the stream keeps it
        json.loads(self._stream.readline())  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, name: str, /, **arguments: Any) -> Any:
        """Run one command and return what it returns; UserError if QEMU refuses it."""
        request = {"execute": name, "arguments": arguments}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        while line := self._stream.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise UserError(f"QEMU refuses {name}: {answer['error']['desc']}")
        raise UserError(f"QEMU ended before it answered {name}")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()


class Rv32Device(Device):
    """A running machine: console, monitor, and the QEMU process behind them."""

    def __init__(self, elf: Path, disk: Path, options: Options) -> None:
        super().__init__()
        console, monitor = Listener(), Listener()
        arguments = command(elf, disk, console.chardev("console"), options)
        arguments += ["-chardev", monitor.chardev("monitor")]
        arguments += ["-mon", "chardev=monitor,mode=control"]
        arguments.append("-S")  # not a step before somebody listens
        self.command = arguments
        self._process = launch(arguments)
        try:
            self._console = console.accept(self._process)
            self.monitor = Monitor(monitor.accept(self._process))
            if not options.held:
                self.go()
        except (OSError, ValueError) as error:
            raise refusal(self._process, error) from None
        self._reader = threading.Thread(target=self._read, daemon=True, name="console rv32")
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the QEMU process, whose memory says nothing about the machine's."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        return self._process.poll()

    def go(self) -> None:
        """Let the processor run; it may have ended everything before QEMU answers."""
        with contextlib.suppress(OSError, UserError):
            self.monitor.execute("cont")

    def type(self, data: bytes) -> None:
        """Send to the console what somebody might type."""
        with contextlib.suppress(OSError):
            self._console.sendall(data)

    def set_link(self, up: bool) -> None:
        """Plug the network cable in, or out."""
        self.monitor.execute("set_link", name="card", up=up)

    def stop(self, timeout: float = 5.0) -> int | None:
        if self._process.poll() is None:
            self.type(CTRL_C)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._join()

    def kill(self) -> None:
        self._process.kill()
        self._join()

    def _join(self) -> int | None:
        self._process.wait()
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._console.close()
        self.monitor.close()
        return self._process.returncode

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._console.recv(65536):
                self._feed(data)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._ended()


class Rv32Target(Target):
    """Starts machines."""

    name = "rv32"
    word_bits = 32
    address = "10.0.2.2"
    default_heap = None  # as an ESP32's: a first area and what it takes of the C heap

    @functools.cached_property
    def elf(self) -> Path:
        """The firmware, built if need be; one and the same as long as this process runs."""
        packages.require(["qemu-system-misc"])
        return firmware.firmware(BOARD)

    @functools.cached_property
    def frozen_elf(self) -> Path:
        """The firmware with the application in it, likewise."""
        packages.require(["qemu-system-misc"])
        return firmware.firmware(BOARD, frozen=True)

    def firmware(self, options: Options) -> Path:
        """The one of the two that a machine with these options runs."""
        return self.frozen_elf if options.frozen else self.elf

    def interpreter(self) -> str:
        # The folder's name holds the hash of what it was made from.
        build = self.elf.parent.name
        return f"MicroPython on bare-metal rv32imac in QEMU, an ESP32's heaps ({build})"

    def machine(self, workdir: Path, files: dict[str, bytes], options: Options) -> Rv32Device:
        """A machine with these files on its disk (and those of its last run in `workdir`)."""
        workdir.mkdir(parents=True, exist_ok=True)
        disk = workdir / "disk.img"
        write_disk(disk, files)
        return Rv32Device(self.firmware(options), disk, options)

    def start(self, how: Start, options: Options | None = None) -> Rv32Device:
        """As Target.start().

        Without a heap, Python has an ESP32's: a first area that grows by areas of the C heap. A
        heap that is given has that size and doesn't grow; beyond the machine's RAM it becomes
        what there is of it.
        """
        options = options or Options()
        options.frozen = how.app == "frozen"
        on_disk = {"config.json": json.dumps(how.config).encode(), **how.files}
        if how.app == "mpy":
            tree = littlefs_image.read_tree(app_tree())
            on_disk.update({name: data for name, data in tree.items() if name != "main.py"})
        on_disk["bot.py"] = (how.bot or "").encode()
        on_disk["main.py"] = _MAIN.format(pre=how.before or None).encode()
        if how.heap:
            c_heap = options.c_heap or firmware.settings(BOARD).c_heap
            options.gc_heap = min(heap_bytes(how.heap), heap_room(self.firmware(options)) - c_heap)
            options.fixed = True
        return self.machine(how.workdir, on_disk, options)


TARGET = Rv32Target()

"""Consoles: find the port, open it without resetting the board, read lines, outlive an unplug.

Two traps are handled here, once. Opening a port must not reset the board: the kernel raises DTR
and RTS together, which the usual reset circuit ignores, and changing one before the other is what
resets it; so neither is ever touched, and hang-up-on-close is switched off. And a chip with
built-in USB takes its port away whenever it resets: a lost port is looked for again, by its path
or by the USB serial number.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import serial
from serial.tools import list_ports

from host_tools.board import boards
from host_tools.errors import UserError

BAUD = 115200
MAX_LINE = 4096  # a longer line is no console line: it is cut there
CONNECT_S = 5.0
_RETRY_S = 0.3


@dataclass(frozen=True)
class Port:
    """A serial port that could be a board."""

    device: str
    description: str
    usb_id: str  # vendor:product, lower case, or ""
    serial_number: str


def ports() -> list[Port]:
    """Serial ports of USB devices, boards that we know first."""
    known = {usb for board in boards.all_boards().values() for usb in board.usb_ids}
    found = []
    for info in list_ports.comports():
        if info.vid is None:
            continue
        usb_id = f"{info.vid:04x}:{info.pid:04x}"
        found.append(Port(info.device, info.description, usb_id, info.serial_number or ""))
    return sorted(found, key=lambda port: (port.usb_id not in known, port.device))


# USB serial numbers of ports seen: a chip that resets takes its port away, and its name may change.
_seen: dict[str, str] = {}


def usb_serial(device: str) -> str:
    """The USB serial number of a port, as it was when the port was last there; "" if none."""
    _seen.update({port.device: port.serial_number for port in ports()})
    return _seen.get(device, "")


NO_PORT = (
    "no board found: plug it in with a cable that carries data; if it is, install the driver of "
    "its USB chip (CP210x, CH340), or hold BOOT while plugging it in"
)


def choose_port(wanted: str | None, ask: Callable[[list[Port]], Port] | None = None) -> str:
    """The port to use: the one wanted, the only one there is, or what `ask` answers.

    UserError explains when there is none, or several and nobody to ask.
    """
    if wanted:
        check_access(wanted)
        usb_serial(wanted)
        return wanted
    found = ports()
    if not found:
        raise UserError(NO_PORT)
    if len(found) > 1:
        if ask is None:
            names = ", ".join(f"{port.device} ({port.description})" for port in found)
            raise UserError(f"several ports: {names}; choose one with PORT=…")
        port = ask(found)
    else:
        port = found[0]
    check_access(port.device)
    usb_serial(port.device)
    return port.device


def check_access(device: str) -> None:
    """UserError if a device file is absent or not ours to open."""
    if "://" in device or not device.startswith("/"):
        return
    path = Path(device)
    if not path.exists():
        raise UserError(f"{device} does not exist: is the board plugged in? (`copepod doctor`)")
    if not os.access(path, os.R_OK | os.W_OK):
        raise UserError(f"no permission for {device}: {permission_remedy(path)}")


def permission_remedy(path: Path) -> str:
    """What to type to be let in."""
    if sys.platform.startswith("linux"):
        group = path.group() if path.exists() else "dialout"
        return f"`sudo usermod -aG {group} $USER`, then log out and in again"
    return "close the program that has it open, or run as an administrator"


class SocketPort:
    """A console on a TCP socket. (pyserial's own drops what it has read when the peer closes.)"""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("socket://").partition("?")[0].rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), CONNECT_S)
        except ValueError:
            raise UserError(f"{url}: write it as socket://host:port") from None
        self._socket.setblocking(False)
        self.fd = self._socket.fileno()

    def read(self, size: int) -> bytes:
        """What is there, b"" at the end; OSError as sockets do."""
        return self._socket.recv(size)

    def write(self, data: bytes) -> None:
        """Send, waiting for the peer if need be."""
        self._socket.settimeout(CONNECT_S)
        self._socket.sendall(data)
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()


def open_quiet(device: str, baud: int = BAUD) -> serial.SerialBase | SocketPort:
    """Open a console for reading and writing without touching DTR and RTS."""
    try:
        if device.startswith("socket://"):
            return SocketPort(device)
        port = serial.serial_for_url(device, baudrate=baud, timeout=0, exclusive=None)
    except (serial.SerialException, OSError, ValueError) as error:
        text = str(error)
        if "Permission" in text:
            text = f"no permission: {permission_remedy(Path(device))}"
        raise UserError(f"cannot open {device}: {text}") from error
    if isinstance(port, serial.Serial) and os.name == "posix" and port.fd:
        _keep_lines_on_close(port.fd)
    return port


def _keep_lines_on_close(fd: int) -> None:
    try:
        attributes = termios.tcgetattr(fd)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    except termios.error:
        pass


class Source(Protocol):
    """Where console bytes come from."""

    name: str

    @property
    def connected(self) -> bool:
        """Whether there is something to read from now."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has come within the time, b"" if nothing; EOFError when nothing more can come."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SerialSource:
    """A serial port, pty or socket:// that is opened again whenever it is lost."""

    def __init__(self, device: str, baud: int = BAUD, *, must_exist: bool = True) -> None:
        self.name = device
        self.losses = 0
        self._baud = baud
        self._port: serial.SerialBase | SocketPort | None = None
        self._usb_serial = usb_serial(device)
        self._retry_at = 0.0
        if must_exist:
            self._port = open_quiet(device, baud)
        else:
            self._reopen()

    @property
    def connected(self) -> bool:
        return self._port is not None

    def read(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while True:
            if self._port is None:
                if not self._reopen():
                    if time.monotonic() >= deadline:
                        return b""
                    time.sleep(min(_RETRY_S, max(0.01, deadline - time.monotonic())))
                continue
            try:
                if _wait_readable(self._port, max(0.0, deadline - time.monotonic())):
                    data = self._port.read(65536)
                    if data:
                        return data
                    # readable without data: the other end has gone away
                    self._lose()
                    continue
            except (serial.SerialException, OSError, TypeError):
                self._lose()
                continue
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes to the console; lost if the port is away."""
        try:
            if self._port is not None:
                self._port.write(data)
        except (serial.SerialException, OSError):
            self._lose()

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = None

    def _lose(self) -> None:
        self.losses += 1
        try:
            self.close()
        except (serial.SerialException, OSError):
            self._port = None
        self._retry_at = time.monotonic() + _RETRY_S / 3

    def _reopen(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        self._retry_at = time.monotonic() + _RETRY_S
        device = self.name
        if self._usb_serial and not Path(device).exists():
            device = next(
                (p.device for p in ports() if p.serial_number == self._usb_serial), device
            )
        try:
            self._port = open_quiet(device, self._baud)
        except UserError:
            return False
        self.name = device
        return True


def _wait_readable(port: serial.SerialBase | SocketPort, timeout_s: float) -> bool:
    """Wait for input: on the descriptor where there is one."""
    descriptor = getattr(port, "fd", None)
    if descriptor is None:
        assert isinstance(port, serial.SerialBase)
        time.sleep(min(timeout_s, 0.02))
        return bool(getattr(port, "in_waiting", 0))
    return bool(select.select([descriptor], [], [], timeout_s)[0])


class PipeSource:
    """A pipe: standard input, or the console of a command that was started for it."""

    def __init__(
        self, name: str, descriptor: int, process: subprocess.Popen | None = None
    ) -> None:
        self.name = name
        self.connected = True
        self._descriptor = descriptor
        self._process = process

    @classmethod
    def run(cls, command: list[str]) -> PipeSource:
        """Start a command; its output and errors are the console."""
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise UserError(f"cannot start {command[0]}: {error.strerror}") from error
        assert process.stdout is not None
        return cls(" ".join(command), process.stdout.fileno(), process)

    def read(self, timeout_s: float) -> bytes:
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return b""
        data = os.read(self._descriptor, 65536)
        if not data:
            self.connected = False
            raise EOFError
        return data

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()


class FileSource:
    """A log file that something else writes, followed as it grows and when it begins anew."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.connected = True
        self._file = path.open("rb")
        self._path = path

    def read(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while True:
            data = self._file.read(65536)
            if data:
                return data
            if self._path.exists() and self._path.stat().st_size < self._file.tell():
                self._file.seek(0)
                continue
            if time.monotonic() >= deadline:
                return b""
            time.sleep(0.05)

    def close(self) -> None:
        self._file.close()


def open_source(port: str, baud: int = BAUD) -> Source:
    """A source by name: `-` is standard input, a plain file is followed, the rest is a port."""
    if port == "-":
        return PipeSource("standard input", sys.stdin.fileno())
    path = Path(port)
    if "://" not in port and path.is_file():
        return FileSource(path)
    check_access(port)
    return SerialSource(port, baud)


class LineSplitter:
    """Bytes into console lines, whatever comes: cut-off characters, noise, no line ends at all."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()
        while len(self._rest) > MAX_LINE:
            parts.append(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]
        return [part.rstrip(b"\r").decode("utf-8", "replace") for part in parts]

    def rest(self) -> str:
        """What has come of a line that is not complete."""
        return self._rest.decode("utf-8", "replace")


def printable(line: str) -> str:
    """A line made safe for a terminal: no control characters, so noise can't move the cursor."""
    return "".join(c if c.isprintable() else "·" for c in line)

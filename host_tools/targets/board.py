"""A real board on its serial port: the gateway there, the simulator on this machine.

PORT names the port (the only one there is, without it). The board's own config.json and bot.py are
put aside on the board for the run and put back after it; a run that was cut off is put right by
the next one. What is on the board is first brought up to date with this tree.

ADDRESS is the address by which the board reaches this machine: without it, that of this machine's
network. RECORD=FILE.jsonl keeps the console as `copepod monitor --record` would.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import serial
from rich.console import Console

from host_tools.app import app_files
from host_tools.app.app_files import CONFIG, OWNERS_FILE
from host_tools.board.flash_plan import is_url
from host_tools.board.littlefs_image import write_private
from host_tools.console import serial_io
from host_tools.console.frames import FrameStream
from host_tools.errors import UserError
from host_tools.install.deploy import CLEAR, STAGE, Deployment
from host_tools.install.put_aside import ASIDE, MAIN, SWAPPED, restore
from host_tools.install.remote import Remote
from host_tools.monitor import recording
from host_tools.targets.target import Device, Start, Target

BOOT_S = 12.0
CTRL_C = b"\x03"
RESET = b"\r\x03\x03import machine; machine.reset()\r\n"

# Answers with the board's own Wi-Fi, which the run's config gets.
SWAP = """
import json, os
try:
    with open("config.json") as f:
        answer = json.load(f).get("wifi")
except (OSError, ValueError):
    pass
"""
# Puts aside what is there, and the staged files in its place.
PLACE = """
import os
names = os.listdir()
for name in placed:
    if name in swapped and name in names:
        os.rename(name, name + aside)
    os.rename(stage + "/" + name, name)
os.rmdir(stage)
"""

# A main.py that does something before the gateway, or in its place when that ends with SystemExit.
# (SystemExit from a board's main.py would restart it.)
BEFORE = """\
import sys
def main(path="/config.json"):
    try:
{pre}
    except SystemExit as end:
        print("copepod: boot: " + ("the gateway has ended" if end.value else "stopped;"))
        return
    except Exception as error:
        sys.print_exception(error)
        print("copepod: boot: crash before the gateway")
        return
    from copepod import boot
    boot.main(path)
main()
"""


def own_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of the documentation's network
            return probe.getsockname()[0]
        except OSError:
            raise UserError("this machine has no network that a board could reach") from None


def is_local(port: str) -> bool:
    """True for a board that is a process on this machine."""
    return port.startswith("/dev/pts/") or port.startswith("socket://127.")


def said_status(text: str, frames: FrameStream) -> int | None:
    """The gateway's exit status from main.py's last words; None for any other line."""
    if "copepod: boot: the gateway has ended" in text:
        stopped = bool(frames.events) and frames.events[-1].name == "stop"
        return 0 if stopped else 1
    if "copepod: boot: stopped;" in text:
        return 0
    if "copepod: boot: crash " in text:
        return 1
    return None


class BoardDevice(Device):
    """The gateway on a board, its console read here."""

    def __init__(self, session: Session, *, reset: bool) -> None:
        super().__init__()
        self._session = session
        self._closing = False
        self._status: int | None = None
        self._source = serial_io.SerialSource(session.port, serial_io.BAUD)
        path = os.environ.get("RECORD")
        self._recorder = recording.Recorder(Path(path), session.port) if path else None
        self._began = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True, name="console board")
        self._reader.start()
        if reset:
            self._source.write(RESET)

    @property
    def exit_status(self) -> int | None:
        return self._status

    def stop(self, timeout: float = 5.0) -> int | None:
        """Interrupt the gateway, then give the board its own files back and restart it."""
        if not self.ended:
            self._source.write(CTRL_C)
            self.wait(lambda: self.ended, timeout)
        self._close()
        self._session.end()
        return self._status

    def kill(self) -> None:
        """Reset the chip by the port's lines, which is as near to a power cut as USB gets."""
        port = self._source._port
        if is_url(self._session.port) or not isinstance(port, serial.Serial):
            raise UserError(
                f"{self._session.port} has no reset line: leave kills to other targets"
            )
        try:
            port.dtr, port.rts = False, True
            time.sleep(0.1)
            port.rts = False
        except OSError:
            raise UserError(f"{self._session.port} has no reset line") from None
        self._close()

    def _close(self) -> None:
        self._closing = True
        self._reader.join(5)
        self._source.close()
        if self._recorder:
            self._recorder.close()
            self._recorder = None

    def _read(self) -> None:
        while not self._closing and not self.ended:
            data = self._source.read(0.1)
            if data:
                self._feed(data)
        with contextlib.suppress(UserError):
            self._ended()

    def _line(self, raw: bytes) -> None:
        super()._line(raw)
        text = self.lines[-1].text
        if self._recorder:
            item = self.frames.frames[-1] if text.startswith("@cp1 F") else None
            self._recorder.line(time.monotonic() - self._began, text, item)
        status = said_status(text, self.frames)
        if status is not None:
            self._status = status
            with self._condition:
                self.ended = True
                self._condition.notify_all()


class Session:
    """One board lent to scenarios: its own files aside, ours in place."""

    def __init__(self, port: str) -> None:
        self.port = port
        self.remote = Remote(port)
        self.extra: list[str] = []
        self.active = False

    def begin(self, config: dict[str, Any], files: dict[str, bytes], deploy: bool) -> None:
        """Bring the app up to date and put the run's files in place."""
        self.remote.guard()
        self._restore()  # of a run that was cut off
        if deploy:
            deployment = Deployment(self.remote, app_files.app(), Console(quiet=True))
            changes = deployment.look(replace=False)
            if changes:
                deployment.send(changes)
        wifi = self.remote.execute(SWAP)
        whole = {**files, CONFIG: json.dumps({"wifi": wifi or {}, **config}).encode()}
        self.extra = [name for name in files if name not in SWAPPED]
        with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
            paths = []
            for name, data in whole.items():
                path = Path(folder) / name
                write_private(path, data)
                paths.append(path)
            self.remote.execute(CLEAR, stage=STAGE)
            self.remote.put(paths, STAGE)
        self.active = True
        self.remote.execute(PLACE, placed=list(whole), swapped=SWAPPED, aside=ASIDE, stage=STAGE)

    def end(self) -> None:
        """Give the board its own files back and restart it."""
        if not self.active:
            return
        try:
            self._restore()
        except UserError as error:
            raise UserError(
                f"{error}; the board still has the test's config: `copepod doctor --port "
                f"{self.port}` puts its own back"
            ) from None
        self.active = False
        self.remote.reset()

    def _restore(self) -> None:
        restore(self.remote, self.extra)


def with_programs(how: Start) -> dict[str, bytes]:
    """The files of a start, with the user's bot and a main.py where something runs before it."""
    whole = dict(how.files)
    whole[OWNERS_FILE] = (how.bot or "").encode()
    if how.before:
        lines = "\n".join(f"        {line}" for line in how.before.splitlines())
        whole[MAIN] = BEFORE.format(pre=lines).encode()
    return whole


class BoardTarget(Target):
    """Runs scenarios on the board that PORT names."""

    name = "board"
    default_heap = None
    settable_heap = False

    def __init__(self) -> None:
        self._session: Session | None = None
        self._about: dict[str, list[Any]] = {}  # by port: version, machine, word size

    @property
    def word_bits(self) -> int:  # type: ignore[override]
        """32 on every chip; a process behind a pty may have 64."""
        return int(self._ask()[2])

    @property
    def port(self) -> str:
        """The board's port; UserError if there is none, or more than one."""
        return serial_io.choose_port(os.environ.get("PORT") or None)

    @property
    def address(self) -> str:  # type: ignore[override]
        given = os.environ.get("ADDRESS")
        return given or ("localhost" if is_local(self.port) else own_address())

    @property
    def listen(self) -> str:  # type: ignore[override]
        return "127.0.0.1" if is_local(self.port) else self.address

    def interpreter(self) -> str:
        version, machine, _ = self._ask()
        return f"{version} on {machine} at {self.port}"

    def _ask(self) -> list[Any]:
        port = self.port
        if port not in self._about:
            code = (
                "import sys\n"
                "machine = getattr(sys.implementation, '_machine', sys.platform)\n"
                "answer = [sys.version, machine, 64 if sys.maxsize >> 31 else 32]"
            )
            remote = Remote(port)
            self._about[port] = remote.execute(code)
            remote.reset()
        return self._about[port]

    def start(self, how: Start) -> BoardDevice:
        """As Target.start(). The heap is the board's own, whatever `how.heap` says."""
        port = self.port
        if self._session and self._session.active and self._session.port == port:
            return BoardDevice(self._session, reset=False)  # after kill(): it is booting already
        session = Session(port)
        try:
            session.begin(how.config, with_programs(how), deploy=how.app == "mpy")
        except UserError:
            session.active = True
            with contextlib.suppress(UserError):
                session.end()
            raise
        self._session = session
        return BoardDevice(session, reset=True)


TARGET = BoardTarget()

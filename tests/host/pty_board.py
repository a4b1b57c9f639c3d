"""A board made of MicroPython's Unix port behind a pseudo-terminal.

It boots like a board: main.py runs, then the prompt is there; machine.reset() ends the process
and a new one starts; Ctrl-C interrupts; the raw REPL works, so the real mpremote drives it. The
process sits on an inner pty (with the line-end translation off that would hide the raw REPL's
bytes) and what it says is passed to an outer one, which stays when the process goes.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

MACHINE = """
import sys
def reset():
    raise SystemExit
class WDT:
    def __init__(self, id=0, timeout=5000): pass
    def feed(self): pass
"""
BOOT = """
import os, sys
sys.path.insert(0, '')
if 'boot.py' in os.listdir():
    with open('boot.py') as f:
        exec(f.read())
{first}
try:
    from copepod import boot
    boot_main = boot.main
    boot.main = lambda path='config.json': boot_main(path.lstrip('/'))  # this root is a folder
except ImportError:
    pass
if 'main.py' in os.listdir():
    with open('main.py') as f:
        exec(f.read())
"""
HEAP = "1M"  # the board's files are the subject here, not its memory


class PtyBoard:
    """One board; `folder` is its file system."""

    def __init__(self, folder: Path, *, boots: bool = True, first: str = "pass") -> None:
        self.folder = folder
        self.log = b""  # everything that it has said
        self.boots = 0
        self._boot = boots
        self._first = first
        self._stop = False
        self._pid = 0
        folder.mkdir(exist_ok=True)
        (folder / "machine.py").write_text(MACHINE)
        self._outer, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> PtyBoard:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop = True
        self.power_cut()
        self._thread.join(10)
        os.close(self._outer)
        with contextlib.suppress(OSError):
            os.close(self._slave)
        assert not self._thread.is_alive()

    def power_cut(self) -> None:
        """Kill the process at once, as a pulled plug would; it boots anew."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def wait_for(self, text: bytes, timeout_s: float = 10, start: int = 0) -> int:
        """Wait until it has said something; where that ends in the log."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            at = self.log.find(text, start)
            if at >= 0:
                return at + len(text)
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not said; the end is {self.log[-300:]!r}")

    def wait_until(self, holds: Callable[[], bool], timeout_s: float = 10) -> None:
        """Wait for a fact about it: that it has booted so often, that the prompt is the last it said."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, f"{self.boots} boots, {self.log[-300:]!r}"
            time.sleep(0.02)

    def files(self) -> dict[str, bytes]:
        """What lies in its file system, the stand-in for `machine` left out."""
        found = {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }
        found.pop("machine.py")
        return found

    def _live(self) -> None:
        while not self._stop:
            self._run()

    def _run(self) -> None:
        pid, inner = pty.fork()
        if pid == 0:  # the child becomes MicroPython
            with contextlib.suppress(BaseException):
                attributes = termios.tcgetattr(0)
                attributes[1] &= ~termios.ONLCR
                attributes[3] &= ~termios.ECHO
                termios.tcsetattr(0, termios.TCSANOW, attributes)
                os.chdir(self.folder)
                os.environ["MICROPYPATH"] = ":.frozen"
                os.environ["TERM"] = "dumb"
                program = str(Path(sys.executable).with_name("micropython"))
                arguments = [program, "-X", f"heapsize={HEAP}"]
                if self._boot:
                    arguments += ["-i", "-c", BOOT.format(first=self._first)]
                os.execv(program, arguments)
            os._exit(127)
        self._pid = pid
        self.boots += 1
        try:
            self._pass_on(inner)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._pid = 0
            os.close(inner)

    def _pass_on(self, inner: int) -> None:
        while not self._stop:
            ready, _, _ = select.select([inner, self._outer], [], [], 0.1)
            if inner in ready:
                try:
                    data = os.read(inner, 4096)
                except OSError:
                    return
                if not data:
                    return
                self.log += data
                os.write(self._outer, data)
            if self._outer in ready:
                with contextlib.suppress(OSError):
                    os.write(inner, os.read(self._outer, 256))

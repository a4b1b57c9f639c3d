"""Every prefix of a text, as a model's answer grows: each formatted from its beginning, judged by TDLib.

Of a prefix's messages only those that differ from the prefix before are judged: each distinct message once.
The formatter runs in this process (the same source, and twice as fast), or all prefixes of a text in one
MicroPython.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, takewhile

from host_tools.errors import UserError
from host_tools.formatting import check, device, reference

_WORKER = (
    device.DRIVER
    + """
def prefixes(data):
    last = []
    for end in range(len(data) + 1):
        if end < len(data) and data[end] & 0xC0 == 0x80:
            continue
        messages = run(data[:end])
        same = 0
        while same < len(messages) and same < len(last) and messages[same] == last[same]:
            same += 1
        print(json.dumps([same, messages[same:]]))
        last = messages

while True:
    line = sys.stdin.readline()
    if not line:
        break
    prefixes(memoryview(json.loads(line)))
"""
)


def formatted(text: str, first: int = 0) -> Iterator[list[str]]:
    """The messages of each prefix, from that of `first` characters on."""
    return (device.pieces(text[:end]) for end in range(first, len(text) + 1))


def formatted_by(interpreter: str, text: str) -> Iterator[list[str]]:
    """The messages of every prefix from a MicroPython."""
    command = [interpreter, "-X", "heapsize=2M", "-c", _WORKER]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={"MICROPYPATH": str(device.FIRMWARE)},
        cwd=device.FIRMWARE,  # what lies in the current folder is found first
    ) as process:
        assert process.stdin
        assert process.stdout
        messages: list[str] = []
        try:
            process.stdin.write(json.dumps(text, ensure_ascii=False) + "\n")
            process.stdin.close()
            for _ in range(len(text) + 1):
                line = process.stdout.readline()
                if not line:
                    raise UserError("the interpreter ended in the middle")
                same, others = json.loads(line)
                messages = [*messages[:same], *others]
                yield messages
        except BaseException:
            process.kill()
            raise


@dataclass
class Found:
    """What came of a text: prefixes tried, distinct messages judged, and the faults found."""

    prefixes: int = 0
    messages: int = 0
    faults: list[str] = field(default_factory=list)


def examine(text: str, interpreter: str | None = None, first: int = 0) -> Found:
    """Format and judge every prefix (from `first` characters on): none may be refused, lose or add a letter."""
    found = Found()
    last: list[str] = []
    shown: list[str] = []  # the letters of each message
    made = (
        islice(formatted_by(interpreter, text), first, None)
        if interpreter
        else formatted(text, first)
    )
    for end, messages in enumerate(made, first):
        found.prefixes += 1
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(last, messages, strict=False))
        same = sum(1 for _ in pairs)
        del shown[same:]
        for message in messages[same:]:
            found.messages += 1
            fault, visible = check.examined(message)
            if fault:
                found.faults.append(f"prefix of {end} characters: a message {fault}")
            shown.append(check.letters(visible))
        if "".join(shown) != check.letters(reference.visible(text[:end])):
            found.faults.append(f"prefix of {end} characters: the visible letters are others")
        last = messages
    return found


def examine_all(
    texts: Iterable[str], jobs: int, interpreter: str | None = None
) -> Iterator[Found]:
    """The same for many texts, `jobs` at a time, in their order."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        tasks = [pool.submit(examine, text, interpreter) for text in texts]
        try:
            for task in tasks:
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)

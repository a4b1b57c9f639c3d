"""Runs cases through a MicroPython that has the device's source on its path."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from host_tools.fuzzing import seeds
from host_tools.paths import ROOT
from host_tools.toolchain import locate

ON_DEVICE = ROOT / "firmware" / "bench"
ROOM_B = 1 << 20  # what fuzz_cases.py has room for
HEAP = "4m"  # the cases themselves take the most of it

# A target's name: its cases, by the seed and how many, and how many `make fuzz` runs.
TARGETS: dict[str, tuple[Callable[[int, int], Iterator[bytes]], int]] = {
    "updates": (seeds.updates, 100_000),
    "answers": (seeds.answers, 20_000),
    "configs": (seeds.configs, 2_000),
}


@dataclass
class Outcome:
    """How it went: the cases that were run, and what was wrong, by case."""

    cases: int = 0
    good: int = 0  # of them, that the device took for whole: some, or nothing was tried
    faults: dict[int, str] = field(default_factory=dict)
    ended: str = ""  # why the interpreter ended too early


def run(name: str, seed: int, count: int, target: str = "unix") -> Outcome:
    """The cases of one target through one interpreter."""
    make, _ = TARGETS[name]
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *locate.runner(target),
            *(str(locate.interpreter(target)), "-X", f"heapsize={HEAP}"),
            *(str(ON_DEVICE / f"fuzz_{name}.py"), f"{folder}/config.json"),
        ]
        path = f"{ROOT / 'firmware'}:{ON_DEVICE}:.frozen"
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MICROPYPATH": path},
        ) as process:
            assert process.stdin
            assert process.stdout
            writer = threading.Thread(target=_feed, args=(process.stdin, make(seed, count)))
            writer.start()
            last = ""
            for row in process.stdout:
                text = row.decode("utf-8", "replace").rstrip("\n")
                last = text or last
                if text.startswith("FAULT "):
                    number, _, what = text[6:].partition(" ")
                    outcome.faults[int(number)] = what
            writer.join()
        if last.startswith("done "):
            outcome.cases, outcome.good = map(int, last[5:].split())
        else:
            outcome.ended = f"status {process.returncode}: {last}"
    return outcome


def _feed(pipe: object, cases: Iterator[bytes]) -> None:
    try:
        for data in cases:
            data = data[:ROOM_B]
            pipe.write(len(data).to_bytes(4, "big") + data)  # type: ignore[attr-defined]
        pipe.close()  # type: ignore[attr-defined]
    except BrokenPipeError:
        pass  # the interpreter has ended, which is told elsewhere


def case(name: str, seed: int, number: int) -> bytes:
    """One case again."""
    make, _ = TARGETS[name]
    for at, data in enumerate(make(seed, number + 1)):
        if at == number:
            return data
    raise IndexError(number)

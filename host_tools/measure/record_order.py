"""Record which functions a gateway runs: boards/linux/order.txt, for the linker (builds/order.py).

The list may be old: a function that it lacks works, and costs at most one window of the kernel's.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from host_tools.errors import UserError
from host_tools.scenarios import engine, scenario
from host_tools.targets.process import ProcessTarget
from host_tools.toolchain import locate, packages
from host_tools.toolchain.order import ORDER

# What the recording runs: the usual path, a text in pieces, and a connection that breaks.
SCENARIOS = (("live", 60), ("live", 4096), ("fault-reset", 60))

_HEAD = """\
# Functions that a gateway runs, by the section that holds them ("x.o" is a whole file of a
# library's), so that the linker can put them side by side. Written by `copepod record-order`.
"""


def executed(profile: str) -> set[str]:
    """Names of the functions in a callgrind profile."""
    profile = profile.replace("(below main)", "__libc_start_main")
    names = re.findall(r"^c?fn=\(\d+\) (\S+)$", profile, re.MULTILINE)
    return {re.sub(r"'\d+$", "", name) for name in names}


def translated(log: str) -> set[str]:
    """Names (or addresses) of the functions in qemu's log of what it has translated."""
    found = re.findall(r"^IN: *(\S*)\n(0x[0-9a-f]+):", log, re.MULTILINE)
    return {name or address for name, address in found}


def sections(link_map: str, names: set[str]) -> list[str]:
    """The lines of order.txt for the sections that hold the functions `names`.

    A function without a name (in a library's assembly) is there as its address.
    """
    text = link_map.partition("Linker script and memory map")[2]
    addresses = {int(name, 16) for name in names if name.startswith("0x")}
    found = set()
    held = ""
    for line in text.splitlines():
        begin = re.match(r"^ (\.\S+)", line)
        if begin:
            held = begin.group(1).removeprefix(".text.") if begin[1].startswith(".text") else ""
        place = re.search(r"0x([0-9a-f]+) +0x([0-9a-f]+) (\S+)$", line)
        if place and held == ".text":
            held = re.split(r"[/(]", place.group(3).rstrip(")"))[-1]
        symbol = re.match(r"^ +0x[0-9a-f]+ +(\w+)$", line)
        runs = held in names or (symbol is not None and symbol.group(1) in names)
        if place and held:
            first, size = (int(number, 16) for number in place.groups()[:2])
            runs = runs or any(first <= address < first + size for address in addresses)
        if held and runs:
            # A part that the compiler has split off or specialised goes with its function.
            found.add(held if held.endswith(".o") else held.partition(".")[0])
    return sorted(found)


def record() -> list[str]:
    """Run the live tests under instruments on every interpreter; what ran, as order.txt has it.

    On all of them: each processor has helpers of its own for what the others do themselves.
    """
    if not shutil.which("valgrind"):
        packages.require(["valgrind"])
    callgrind = ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file={}")
    qemu = ("qemu-riscv64-static", "-d", "in_asm", "-D", "{}")
    found = _record("unix64", callgrind, "callgrind-amd64", executed)
    found |= _record("unix32", callgrind, "callgrind-x86-l", executed)
    found |= _record("riscv64", qemu, "qemu-riscv64-st", translated)
    return sorted(found)


def _record(
    name: str, instrument: tuple[str, ...], process: str, read: Callable[[str], set[str]]
) -> set[str]:
    """What runs on interpreter `name`; "{}" in the instrument's command is its output file."""
    path = locate.interpreter(name, frozen=True)
    names: set[str] = set()
    for plan_name, length in SCENARIOS:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "output"
            command = [part.format(output) for part in instrument]
            target = ProcessTarget(
                name,
                64,
                lambda frozen: path,
                runner=lambda command=command: command,
                process_name=process,
            )
            plan = scenario.load(plan_name)
            plan = dataclasses.replace(
                plan,
                messages=dataclasses.replace(plan.messages, count=20, lengths=[length]),
                device=dataclasses.replace(plan.device, app="frozen", heap="128k"),
            )
            result = engine.run(plan, target, Path(scratch) / "work")
            if not output.exists() or not result.tally.answered:
                raise UserError(f"{plan_name} on {name}: {result.console[-300:]}")
            names |= read(output.read_text())
    return set(sections(path.with_suffix(".map").read_text(), names))


@click.command("record-order")
def order_command() -> None:
    """Record with callgrind which functions a gateway runs, for the linker."""
    names = record()
    ORDER.write_text(_HEAD + "\n".join(names) + "\n")
    click.echo(f"{ORDER}: {len(names)} functions")

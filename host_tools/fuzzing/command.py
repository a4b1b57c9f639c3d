"""`copepod fuzz` (make fuzz): mutated updates, answers and configs against the device's code."""

from __future__ import annotations

import time

import click

from host_tools.errors import UserError
from host_tools.fuzzing import runner

SHOWN = 5  # faults


@click.command("fuzz")
@click.argument("names", nargs=-1, type=click.Choice(list(runner.TARGETS)), metavar="[WHAT]…")
@click.option("--count", type=click.IntRange(1), help="Cases of each; else as many as it takes.")
@click.option("--seed", default=0, show_default=True, help="Another one makes other cases.")
@click.option("--target", default="unix", show_default=True, help="The interpreter.")
@click.option("--show", type=int, help="Print the case of that number instead.")
def fuzz_command(
    names: tuple[str, ...], count: int | None, seed: int, target: str, show: int | None
) -> None:
    """Mutated updates, answers and configs: none may raise what the gateway does not expect.

    WHAT is updates, answers or configs; all of them when none is named.
    """
    for name in names or runner.TARGETS:
        if show is not None:
            click.echo(repr(runner.case(name, seed, show)))
            continue
        _examine(name, seed, count or runner.TARGETS[name][1], target)


def _examine(name: str, seed: int, count: int, target: str) -> None:
    started = time.monotonic()
    outcome = runner.run(name, seed, count, target)
    if outcome.ended:
        raise UserError(f"{name}, seed {seed}: the interpreter ended early, {outcome.ended}")
    if outcome.faults:
        told = [f"case {number}: {what}" for number, what in outcome.faults.items()]
        more = f"\nand {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        first = next(iter(outcome.faults))
        raise UserError(
            f"{name}, seed {seed}: {len(told)} of {count} cases fail\n"
            + "\n".join(told[:SHOWN])
            + f"{more}\nlook at one: copepod fuzz {name} --seed {seed} --show {first}"
        )
    took = time.monotonic() - started
    click.echo(
        f"{name:8} {outcome.cases:7,} cases, {outcome.good:,} of them good; no fault, {took:.0f} s"
    )

"""`copepod fuzz-format`: hypothesis makes documents, the device's formatter formats them, TDLib judges.

Documents that failed once are kept in tests/data/format_seeds.json and tried first.
"""

from __future__ import annotations

import json
import os
import time

import click
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from host_tools.errors import UserError
from host_tools.formatting import check, corpus, device
from host_tools.formatting import prefixes as growing

KEPT = corpus.DATA / "format_seeds.json"
BATCH = 2000


def _documents(tokens: list[str]) -> st.SearchStrategy[str]:
    some = st.sampled_from(tokens) | st.text(max_size=12)
    return st.lists(some, min_size=1, max_size=60).map("".join)


COMPARABLE = [token for token in corpus.TOKENS if check.comparable(token)]
DOCUMENTS = _documents(corpus.TOKENS) | _documents(COMPARABLE)


def kept() -> list[str]:
    """Documents on which the formatter failed once."""
    return json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else []


def examine(markdown: str) -> None:
    """Raise AssertionError if anything is wrong with the messages made of a document."""
    messages = device.pieces(markdown)
    assert check.faults(messages) == []
    assert device.pieces(markdown, chunk=5) == messages
    if check.comparable(markdown):
        assert check.lost(markdown, messages) is None
    if "\ud800" not in markdown and markdown.isascii():
        small = device.pieces(markdown, buffer_b=1024)
        assert check.faults(small) == []


def batch(number: int, size: int) -> None:
    """Try `size` documents; the same for the same number."""
    last = ""

    @seed(number)
    @settings(
        max_examples=size,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    @given(DOCUMENTS)
    def attempt(markdown: str) -> None:
        nonlocal last
        last = markdown
        examine(markdown)

    try:
        attempt()
    except Exception as error:  # an exception on a text is a fault like any other
        KEPT.write_text(json.dumps([*kept(), last], indent=0) + "\n")
        raise UserError(f"batch {number}: {last!r}: {error!r} (kept in {KEPT.name})") from error


def _prefixes(jobs: int, interpreter: str | None) -> None:
    started = time.monotonic()
    examples = corpus.growing()
    texts = [example.markdown for example in examples]
    whole = growing.Found()
    for example, found in zip(
        examples, growing.examine_all(texts, jobs, interpreter), strict=True
    ):
        whole.prefixes += found.prefixes
        whole.messages += found.messages
        if found.faults:
            count = f" (and {len(found.faults) - 1} more)" if found.faults[1:] else ""
            whole.faults.append(f"{example.origin}, {example.name}: {found.faults[0]}{count}")
    click.echo(
        f"{whole.prefixes} prefixes of {len(texts)} answers, {whole.messages} distinct messages, "
        f"{time.monotonic() - started:.0f} s"
    )
    if whole.faults:
        raise UserError("\n".join(whole.faults))
    click.echo("all accepted by TDLib, nothing dropped, every visible letter kept")


@click.command("fuzz-format")
@click.option("--count", default=100_000, show_default=True, help="How many documents.")
@click.option("--seconds", default=0, help="Stop after so many seconds.")
@click.option("--seed", "first", default=0, help="Number of the first batch.")
@click.option(
    "--prefixes", is_flag=True, help="Instead: every prefix of our answers, short and long."
)
@click.option(
    "--jobs", default=os.cpu_count() or 1, help="Processes for --prefixes (all processors)."
)
@click.option("--interpreter", help="With --prefixes: a MicroPython that formats them.")
def fuzz_command(
    count: int, seconds: int, first: int, prefixes: bool, jobs: int, interpreter: str | None
) -> None:
    """Format documents made at random until one is refused, loses something or raises."""
    started = time.monotonic()
    for markdown in kept():
        examine(markdown)
    if prefixes:
        _prefixes(jobs, interpreter)
        return
    done = 0
    number = first
    while done < count and not (seconds and time.monotonic() - started > seconds):
        size = min(BATCH, count - done)
        batch(number, size)
        done += size
        number += 1
        click.echo(f"{done} documents, {time.monotonic() - started:.0f} s")
    click.echo(f"{done} documents: all accepted by TDLib, nothing dropped or lost")

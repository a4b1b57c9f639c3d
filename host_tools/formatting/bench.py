"""`copepod format-bench`: the formatter beside other converters, on the same texts, judged by TDLib.

The converters are installed into build/converters when the command is first run. The columns are counted
in score(); a converter is only asked for what the reference and Telegram both know.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from host_tools.errors import UserError
from host_tools.formatting import check, corpus, reference
from host_tools.formatting.converters import converters
from host_tools.simulator import judge as judging
from host_tools.simulator.judge import Verdict, judge

COLUMNS = {
    "accepted": "texts of which Telegram takes every message",
    "text kept": "texts of which every visible letter arrives, in order (HTML tags need not)",
    "nothing added": "texts of which nothing else arrives: no mark, no address, nothing twice",
    "entities": "simple texts (the specifications' inline sections) with the reference's entities",
    "code exact": "blocks of code that arrive character for character as a block",
    "language": "blocks of code with a language that arrive with one, be it under another name",
}
# Column -> [hits, tries].
Score = dict[str, list[int]]


def _judged(message: dict) -> Verdict:
    if "failed" in message:
        return Verdict(False, message["failed"])
    if "html" in message:
        return judge(message["html"])
    if "markdownv2" in message:
        return judge(message["markdownv2"], "MarkdownV2")
    entities = []
    names = {v: k for k, v in judging._TYPES.items()}
    for entity in message["entities"]:
        kind = {"@type": names[entity["type"]]}
        if entity.get("url") and not reference.is_kept(entity["url"]):
            continue  # left out by the server
        if entity.get("url"):
            kind["url"] = entity["url"]
        if entity.get("language"):
            kind = {"@type": "textEntityTypePreCode", "language": entity["language"]}
        entities.append({"offset": entity["offset"], "length": entity["length"], "type": kind})
    fixed = judging._repair({"text": message["text"], "entities": entities})
    if fixed.get("@type") != "formattedText":
        return Verdict(False, fixed.get("message", "refused"))
    text, kept = judging._trim(
        fixed["text"], [judging._bot_api_entity(entity) for entity in fixed["entities"]]
    )
    if not text.strip() or len(text) > judging.MAX_LENGTH:
        return Verdict(False, "empty or too long")
    return Verdict(True, None, text, kept)


def score(texts: list[corpus.Example], judged: list[list[Verdict]]) -> Score:
    """Count the columns."""
    result: Score = {column: [0, 0] for column in COLUMNS}

    def count(column: str, hit: bool) -> None:
        result[column][0] += hit
        result[column][1] += 1

    for example, messages in zip(texts, judged, strict=True):
        visible = check.letters(reference.visible(example.markdown))
        shown = [m for m in messages if m.ok]
        if visible or messages:
            # A text with nothing to show may make no message, or an empty one that is never sent.
            blank = not visible and not any(m.text.strip() for m in messages)
            count("accepted", all(m.ok for m in messages) or blank)
        if example.origin == corpus.CHANCE:
            continue
        text = "".join(m.text for m in shown)
        count("text kept", check.kept(example.markdown, text))
        count("nothing added", check.exact(example.markdown, text))
        try:
            _, wanted = reference.expected(example.markdown, ours=False)
            _, ours = reference.expected(example.markdown)
        except ValueError:
            continue
        got = sorted(entity for m in shown for entity in reference.normal(m)[1])
        blocks = [entity for entity in wanted if entity[0] == "pre" and " | " not in entity[1]]
        if example.section in corpus.INLINE_SECTIONS and not any(
            kind in ("pre", "blockquote") for kind, _, _ in wanted
        ):
            count("entities", got in (wanted, ours))
        for block in blocks:
            count("code exact", any(entity[:2] == block[:2] for entity in got))
            if block[2]:
                count("language", any(entity[:2] == block[:2] and entity[2] for entity in got))
    return result


@click.command("format-bench")
@click.option(
    "--md-to-telegram",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="md-to-telegram built from its repository, where the registry does not have it.",
)
def bench_command(folder: Path | None) -> None:
    """Compare the formatter with others, column by column; fails unless it is first in each."""
    texts = corpus.examples("commonmark-0.31.2.json") + corpus.examples("gfm-0.29.json")
    texts += corpus.answers() + corpus.random_documents()
    table = Table("converter", *COLUMNS)
    found, missing = converters({"md-to-telegram": folder} if folder else None)
    scores: dict[str, Score] = {}
    for name, run in found.items():
        made = run([example.markdown for example in texts])
        judged = [[_judged(message) for message in messages] for messages in made]
        scores[name] = score(texts, judged)
        table.add_row(name, *(_share(*counts) for counts in scores[name].values()))
    table.add_section()
    table.add_row("of", *(str(tries) for _, tries in scores["Copepod"].values()))
    console = Console()
    console.print(table)
    for column, meaning in COLUMNS.items():
        console.print(f"{column}: {meaning}", highlight=False)
    for name, reason in missing.items():
        console.print(f"{name} could not be installed: {reason}", highlight=False)
    for column in COLUMNS:
        ahead = [
            name
            for name in scores
            if _ratio(scores[name], column) > _ratio(scores["Copepod"], column)
        ]
        if ahead:
            raise UserError(f"{ahead[0]} is ahead in the column {column!r}")


def _ratio(result: Score, column: str) -> float:
    hits, tries = result[column]
    return hits / max(tries, 1)


def _share(hits: int, tries: int) -> str:
    """Per cent, rounded down so that 100.0 is all of them."""
    return f"{1000 * hits // max(tries, 1) / 10:.1f} %"

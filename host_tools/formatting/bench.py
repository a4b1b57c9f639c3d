"""`copepod format-bench`: the formatter beside other converters, on the same texts, judged by TDLib.

The converters are installed into build/converters when the command is first run. Columns: texts of
which every message is accepted; texts of which every visible letter arrives, in order; simple texts
(the specifications' inline sections) whose entities are those the reference expects; fenced blocks
that arrive letter for letter with their language.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from host_tools.errors import UserError
from host_tools.formatting import check, corpus, device, reference
from host_tools.simulator import judge as judging
from host_tools.simulator.judge import Verdict, judge

HOME = device.ROOT / "build" / "converters"
PACKAGES = ("telegramify-markdown==1.4.1", "chatgpt-md-converter==0.3.12")

_CONVERTERS = """
import json, sys
which = sys.argv[1]
if which == "telegramify":
    import telegramify_markdown as t
    def run(text):
        got = t.split_entities(*t.convert(text), max_utf16_len=4096)
        return [{"text": text, "entities": [e.to_dict() for e in entities]} for text, entities in got]
else:
    import chatgpt_md_converter as c
    def run(text):
        return [{"html": html} for html in c.split_html_for_telegram(c.telegram_format(text))]
for line in sys.stdin:
    try:
        print(json.dumps(run(json.loads(line))))
    except Exception as error:
        print(json.dumps([{"failed": repr(error)}]))
"""

Messages = list[Verdict]


@dataclass
class Score:
    """Hits and tries of each column."""

    accepted: list[int]
    kept: list[int]
    entities: list[int]
    fenced: list[int]


def _judged(message: dict) -> Verdict:
    if "failed" in message:
        return Verdict(False, message["failed"])
    if "html" in message:
        return judge(message["html"])
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


def converters() -> dict[str, Callable[[list[str]], list[Messages]]]:
    """Ours first; each takes texts and gives the judged messages of each."""
    python = HOME / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]
    if subprocess.run(install, check=False).returncode:
        raise UserError("the other converters could not be installed: " + " ".join(install[4:]))

    def others(which: str) -> Callable[[list[str]], list[Messages]]:
        def run(texts: list[str]) -> list[Messages]:
            done = subprocess.run(
                [str(python), "-c", _CONVERTERS, which],
                input="".join(json.dumps(text) + "\n" for text in texts),
                capture_output=True,
                encoding="utf-8",
                check=True,
            )
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            return [[_judged(message) for message in messages] for messages in lines]

        return run

    return {
        "Copepod": lambda texts: [[judge(m) for m in device.pieces(text)] for text in texts],
        "telegramify-markdown 1.4.1": others("telegramify"),
        "chatgpt-md-converter 0.3.12": others("chatgpt"),
    }


def score(texts: list[corpus.Example], judged: list[Messages]) -> Score:
    """Count the columns."""
    result = Score([0, 0], [0, 0], [0, 0], [0, 0])

    def count(column: list[int], hit: bool) -> None:
        column[0] += hit
        column[1] += 1

    for example, messages in zip(texts, judged, strict=True):
        visible = check.letters(reference.visible(example.markdown))
        shown = [m for m in messages if m.ok]
        if visible or messages:
            # A text with nothing to show may make no message, or an empty one that is never sent.
            blank = not visible and not any(m.text.strip() for m in messages)
            count(result.accepted, all(m.ok for m in messages) or blank)
        count(result.kept, check.letters("".join(m.text for m in shown)) == visible)
        try:
            text, wanted = reference.expected(example.markdown)
        except ValueError:
            continue
        got = sorted(entity for m in shown for entity in reference.normal(m)[1])
        if example.section in corpus.INLINE_SECTIONS and not any(
            kind in ("pre", "blockquote") for kind, _, _ in wanted
        ):
            count(result.entities, got == wanted)
        for entity in wanted:
            if entity[0] == "pre" and "```" in example.markdown + "~~~" and " | " not in entity[1]:
                count(result.fenced, entity in got)
    return result


@click.command("format-bench")
def bench_command() -> None:
    """Compare the formatter with others, column by column; fails unless it is first in each."""
    texts = corpus.examples("commonmark-0.31.2.json") + corpus.examples("gfm-0.29.json")
    texts += corpus.answers()
    table = Table("converter", "messages accepted", "text kept", "entities", "fenced code exact")
    rows = []
    for name, run in converters().items():
        found = score(texts, run([example.markdown for example in texts]))
        columns = (found.accepted, found.kept, found.entities, found.fenced)
        rows.append([hits / max(tries, 1) for hits, tries in columns])
        table.add_row(name, *(f"{100 * h / max(n, 1):.1f} % of {n}" for h, n in columns))
    Console().print(table)
    behind = [n for n in range(4) if any(row[n] > rows[0][n] for row in rows[1:])]
    if behind:
        raise UserError(f"another converter is ahead in column {behind[0] + 1}")

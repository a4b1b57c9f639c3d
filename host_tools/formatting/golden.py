"""Writes the golden set into docs/formatting.md: Markdown, HTML, and a picture of how it looks.

python -m host_tools.formatting.golden; a test checks that the page says what the formatter does.
"""

from __future__ import annotations

import io

from rich.console import Console
from rich.panel import Panel

from host_tools.console import render
from host_tools.formatting.device import ROOT, pieces
from host_tools.simulator.judge import judge

PAGE = ROOT / "docs" / "formatting.md"
PICTURE = ROOT / "docs" / "formatting.svg"
BEGIN = "<!-- golden set: written by python -m host_tools.formatting.golden -->"

GOLDEN = {
    "Emphasis": "*one* _two_ **three** ***four*** ~~five~~ ||six|| but snake_case and 2 * 3 * 4",
    "Overlaps": "**a _b** c_ and **a *b** c* and ***a** b*",
    "Code": "`a < b` and ``x ` y`` in **bold `code` bold**",
    "Links": (
        "[wiki](https://en.wikipedia.org/wiki/A_(b)), [text][ref], <https://a.example>, "
        "https://b.example/x_y_z, [relative](docs/a.md), ![image](https://c.example/i.png)\n\n"
        "[ref]: https://d.example 'title'"
    ),
    "Headings": "# First *one*\n\nSecond\n------\n\nText.",
    "Lists": "- one\n- two\n  - nested\n    1. deep\n    2. deeper\n- [ ] open\n- [x] done",
    "Quotes": "> A quote\n> of two lines\n>\n> > and one inside",
    "Fenced code": "```python\nif a < b:\n\tprint('tab')\n```",
    "Table": "| name | qty |\n|:-----|----:|\n| 苹果 | 3 |\n| `pear` | **12** |",
    "HTML": "<u>under</u> <b>bold</b> <div> &copy; &lt; &#9731; <tg-spoiler>no</tg-spoiler>",
    "Math": "$a_1 + b_1$ and $$\\frac{x^2}{y_1}$$, it costs $5",
    "Escapes and breaks": "\\*no\\* 1\\. a\\\nb  \nc\n\n***\n\nend",
    "As models write": (
        "**Important:** run `pip install my_pkg`, *not* `sudo pip`.\n* one\n+ two\n1) three\n\n"
        "2 * 3 * 4 = 24, **unclosed and <br> a stray `tick\n\n```sh\n# the fence is never closed\nls *.txt"
    ),
}


def markdown() -> str:
    """The golden set as a page."""
    parts = [BEGIN, "", f"![how Telegram shows all of it]({PICTURE.name})", ""]
    for title, source in GOLDEN.items():
        parts += [f"### {title}", "", "````markdown", source, "````", "", "````html"]
        parts += [*pieces(source), "````", ""]
    return "\n".join(parts)


def picture() -> str:
    """All of it as it looks, drawn by TDLib's entities."""
    console = Console(record=True, width=72, file=io.StringIO(), highlight=False)
    for title, source in GOLDEN.items():
        for message in pieces(source):
            verdict = judge(message)
            drawn = render.message(verdict.text, verdict.entities)
            console.print(Panel(drawn, title=title, title_align="left"))
    return console.export_svg(title="What Telegram shows", unique_id="formatting")


def write() -> None:
    """Write page and picture anew."""
    text = PAGE.read_text("utf-8")
    PAGE.write_text(text[: text.index(BEGIN)] + markdown())
    PICTURE.write_text(picture())


if __name__ == "__main__":
    write()

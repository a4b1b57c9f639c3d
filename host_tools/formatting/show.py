"""Messages drawn in the terminal about as Telegram draws them, with TDLib's verdict on each."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from host_tools.simulator.judge import Verdict, judge, utf16_length

_STYLES = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "reverse dim",
    "code": "cyan",
    "pre": "green",
    "text_link": "blue underline",
    "blockquote": "italic dim",
    "expandable_blockquote": "italic dim",
}


def drawn(verdict: Verdict) -> Text:
    """The text of a message with its entities as terminal styles."""
    units: list[int] = []  # character index of each UTF-16 unit
    for index, char in enumerate(verdict.text):
        units += [index] * (2 if ord(char) > 0xFFFF else 1)
    units.append(len(verdict.text))
    text = Text(verdict.text)
    for entity in verdict.entities:
        start = units[entity["offset"]]
        end = units[entity["offset"] + entity["length"]]
        style = _STYLES.get(entity["type"], "")
        if entity["type"] == "text_link":
            style += f" link {entity['url']}"
        text.stylize(style, start, end)
    return text


def show(messages: list[str], html: bool = False, console: Console | None = None) -> None:
    """Draw each message in a frame that says how long it is and whether Telegram takes it."""
    console = console or Console(highlight=False)
    for number, message in enumerate(messages, 1):
        verdict = judge(message)
        if html:
            console.print(escape(message), soft_wrap=True)
        if not verdict.ok:
            console.print(f"[red]refused: {escape(verdict.error or '')}[/red]")
            continue
        title = f"{number}/{len(messages)}: {utf16_length(verdict.text)} units"
        console.print(Panel(drawn(verdict), title=title, title_align="left"))

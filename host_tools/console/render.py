"""Shows a Telegram message in the terminal: what entities mean, in rich's terms.

Styles run inside the text; code blocks and quotes are blocks of their own, as Telegram shows them.
What the text holds beside letters is made visible, since it may come from anybody.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from host_tools.console import visible

Json = dict[str, Any]

STYLES = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "reverse dim",
    "code": "cyan",
    "text_mention": "blue",
    "mention": "blue",
    "hashtag": "blue",
    "bot_command": "blue",
    "url": "underline blue",
    "email": "underline blue",
}
QUOTES = ("blockquote", "expandable_blockquote")
BLOCKS = ("pre", *QUOTES)
_URL = "!#$%&'()*+,-./:;=?@[]_~"  # what of an address stays as it is


def _index(text: str) -> list[int]:
    """Character index at each UTF-16 offset, one more than there are units."""
    places: list[int] = []
    for at, char in enumerate(text):
        places += [at] * (2 if ord(char) > 0xFFFF else 1)
    return [*places, len(text)]


def styled(text: str, entities: list[Json]) -> Text:
    """The text with the styles that run inside it."""
    places = _index(text)
    out = Text(visible.letters(text))
    for entity in entities:
        start = places[min(entity["offset"], len(places) - 1)]
        end = places[min(entity["offset"] + entity["length"], len(places) - 1)]
        kind = entity["type"]
        if kind == "text_link":
            address = quote(entity["url"], safe=_URL, errors="replace")
            out.stylize(f"underline blue link {address}", start, end)
        elif kind == "pre":
            out.stylize("cyan", start, end)
        elif kind in STYLES:
            out.stylize(STYLES[kind], start, end)
    return out


def message(text: str, entities: list[Json]) -> RenderableType:
    """A message as Telegram would show it."""
    places = _index(text)
    whole = styled(text, entities)
    parts: list[RenderableType] = []
    at = 0
    for block in sorted((e for e in entities if e["type"] in BLOCKS), key=lambda e: e["offset"]):
        start = places[block["offset"]]
        end = places[block["offset"] + block["length"]]
        if start < at:
            continue  # a code block inside a quote has been shown with it
        _add(parts, whole[at:start])
        if block["type"] == "pre":
            parts.append(_code(visible.letters(text[start:end]), block.get("language", "")))
        else:
            parts.append(_quote(whole[start:end]))
        at = end
    _add(parts, whole[at:])
    return parts[0] if len(parts) == 1 else Group(*parts)


def file(kind: str, attached: Any) -> Text:
    """One line for a file: what it is, its name, its bytes."""
    name = visible.line(attached.name)
    return Text.assemble(("📎 ", ""), (name, "bold"), f" ({kind}, {attached.size:,} bytes)")


def _add(parts: list[RenderableType], text: Text) -> None:
    """Text between blocks, without the line ends that the blocks bring along."""
    plain = text.plain
    start = len(plain) - len(plain.lstrip("\n"))
    end = len(plain.rstrip("\n"))
    if end > start:
        parts.append(text[start:end] if parts else text[:end])


def _code(code: str, language: str) -> RenderableType:
    shown: RenderableType = Text(code, style="cyan")
    if language:
        shown = Syntax(
            code, language, theme="ansi_dark", background_color="default", word_wrap=True
        )
    return Panel(
        shown,
        title=Text(visible.line(language)) if language else None,
        title_align="left",
        border_style="dim",
        expand=False,
    )


def _quote(text: Text) -> RenderableType:
    bar = Text("▌ ", style="green")
    lines = [Text.assemble(bar, line) for line in text.split("\n", allow_blank=True)]
    return Padding(Group(*lines), (0, 0))

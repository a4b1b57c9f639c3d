"""What a CommonMark reader expects in Telegram: markdown-it-py's tokens mapped to Telegram's HTML.

The mapping: emphasis, strong, strikethrough, spoilers and code are Telegram's; headings are bold; images are links
with their description as text; a line break, hard or soft, is a line feed; HTML is text, except pairs of the
tags that Telegram has; a thematic break is three dashes; bullets and numbers are text; a quote inside a
quote is marked with "> "; table cells are plain text in a fixed-width block; code inside a link is plain.
TDLib then says what entities that makes, and whether it keeps a link at all.
"""

from __future__ import annotations

import functools
import html
import re
from html.entities import codepoint2name
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from host_tools.formatting import extensions, spoilers
from host_tools.simulator.judge import Verdict, judge

# The named character references that the formatter's table has (docs/formatting.md lists them).
_MORE_NAMES = """
    amp lt gt quot apos hellip mdash ndash lsquo rsquo ldquo rdquo bull trade euro larr rarr uarr darr harr
    le ge ne asymp infin minus radic sum alpha beta gamma delta pi lambda mu sigma omega check star ensp emsp
    thinsp zwnj zwj
"""
NAMES = frozenset([codepoint2name[code] for code in range(0xA0, 0x100)] + _MORE_NAMES.split())

_TAGS = {"em": "i", "strong": "b", "s": "s", "tg-spoiler": "tg-spoiler"}
_BULLETS = "•◦▪"
STYLE_TAGS = "b|strong|i|em|u|ins|s|strike|del|tg-spoiler"  # the HTML that is read as a style
_STYLE_TAG = re.compile(rf"<(/?)({STYLE_TAGS})>", re.I)


@functools.cache
def parser(ours: bool = True) -> MarkdownIt:
    """CommonMark with GFM's tables and strikethrough, and spoilers; no HTML blocks, since HTML is text here.

    `ours`: with what the formatter reads in another way on purpose.
    """
    made = MarkdownIt("commonmark", {"strikethrough_single_tilde": True})
    made.enable(["table", "strikethrough"]).disable("html_block")
    spoilers.enable(made)
    if ours:
        extensions.enable(made)
    # By the specification every destination makes a link; which of them is kept is Telegram's decision.
    made.validateLink = lambda url: True
    made.normalizeLink = lambda url: url
    return made


def is_kept(url: str) -> bool:
    """True if Telegram keeps a link to the address."""
    return bool(judge(f'<a href="{html.escape(url)}">x</a>').entities)


@functools.cache
def _linked(url: str) -> bool:
    verdict = judge(f'<a href="{html.escape(url)}">x</a>')
    return bool(verdict.entities) and bool(re.match(r"(?i)(https?|tg|ton|tonsite)://", url))


def _inline(tokens: list[Token], plain: bool = False) -> str:
    out: list[str] = []
    open_links: list[bool] = []
    pairs = _html_pairs(tokens)
    for index, token in enumerate(tokens):
        kind = token.type
        inside = any(open_links)
        if kind == "formula":
            text = html.escape(token.content, quote=False)
            alone = all(
                not 0 <= other < len(tokens) or tokens[other].type.endswith("break")
                for other in (index - 1, index + 1)
            )
            out.append(f"<code>{text}</code>" if alone and not inside and not plain else text)
        elif kind == "text":
            out.append(html.escape(token.content, quote=False))
        elif kind in ("softbreak", "hardbreak"):
            out.append(" " if plain else "\n")
        elif kind == "code_inline":
            text = html.escape(token.content, quote=False)
            out.append(text if inside or plain else f"<code>{text}</code>")
        elif kind == "html_inline":
            out.append(pairs.get(index, html.escape(token.content, quote=False)))
        elif kind == "image":
            url = str(token.attrs.get("src", ""))
            text = _inline(token.children or [], True)
            if plain or inside or not _linked(url):
                out.append(text)
            else:
                out.append(f'<a href="{html.escape(url)}">{text}</a>')
        elif kind == "link_open":
            url = str(token.attrs.get("href", ""))
            linked = not plain and not inside and _linked(url)
            open_links.append(linked)
            if linked:
                out.append(f'<a href="{html.escape(url)}">')
        elif kind == "link_close":
            if open_links.pop():
                out.append("</a>")
        elif kind.endswith("_open") and not plain:
            out.append(f"<{_TAGS[token.tag]}>")
        elif kind.endswith("_close") and not plain:
            out.append(f"</{_TAGS[token.tag]}>")
    return "".join(out)


def _html_pairs(tokens: list[Token]) -> dict[int, str]:
    """Telegram's own tags that pair up at the same depth of the other marks."""
    found: dict[int, str] = {}
    stack: list[tuple[str, int, int]] = []
    level = 0
    for index, token in enumerate(tokens):
        level += token.nesting
        if token.type != "html_inline":
            continue
        match = _STYLE_TAG.fullmatch(token.content)
        if not match:
            continue
        name = match[2].lower()
        if not match[1]:
            stack.append((name, index, level))
            continue
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth][0] == name and stack[depth][2] == level:
                found[stack[depth][1]] = f"<{name}>"
                found[index] = f"</{name}>"
                del stack[depth:]
                break
    return found


def _without_tags(tokens: list[Token]) -> None:
    """Empty the tags in these tokens and below, but for pairs that Telegram has."""
    pairs = _html_pairs(tokens)
    for index, token in enumerate(tokens):
        if token.type == "html_inline" and index not in pairs:
            token.content = ""
        _without_tags(token.children or [])


def to_html(markdown: str, tags: bool = True, ours: bool = True) -> str:
    """The whole document as one string of Telegram HTML; without `tags`, other HTML is left out of the text."""
    out: list[str] = []
    quotes = 0
    lists: list[list[Any]] = []
    cells: list[str] = []
    begun = False

    def begin() -> None:
        nonlocal begun
        if not begun:
            out.append("\n" + "&gt; " * max(quotes - 1, 0))
        begun = False

    tokens = parser(ours).parse(markdown)
    if not tags:
        _without_tags(tokens)
    for index, token in enumerate(tokens):
        kind = token.type
        if kind == "blockquote_open":
            quotes += 1
            if quotes == 1:
                out.append(("" if begun else "\n") + "<blockquote>")
                begun = True
            elif begun:
                out.append("&gt; ")
        elif kind == "blockquote_close":
            quotes -= 1
            if not quotes:
                out.append("</blockquote>")
                begun = False
        elif kind in ("bullet_list_open", "ordered_list_open"):
            lists.append([kind[0] == "o", int(token.attrs.get("start", 1))])
        elif kind in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif kind == "list_item_open":
            begin()
            if lists[-1][0]:
                out.append(f"{lists[-1][1]}{token.markup} ")
                lists[-1][1] += 1
            else:
                follow = tokens[index + 2] if index + 2 < len(tokens) else None
                task = follow is not None and re.match(r"\[([ xX])\](?=\s)", follow.content or "")
                paragraph = tokens[index + 1].type == "paragraph_open"
                if follow is not None and task and paragraph and follow.children:
                    out.append("☐ " if task[1] == " " else "☑ ")
                    follow.children[0].content = follow.children[0].content[4:]
                else:
                    out.append(_BULLETS[min(len(lists), 3) - 1] + " ")
            begun = True
        elif kind == "list_item_close":
            begun = False
        elif kind == "inline":
            if token.map and tokens[index - 1].type in ("th_open", "td_open"):
                cells.append(_inline(token.children or [], True))
                continue
            if tokens[index - 1].type == "rest_open":
                out.append("\n" if (tokens[index - 1].meta or {})["first"] else " | ")
                out.append(_inline(token.children or [], True))
                continue
            begin()
            text = _inline(token.children or [])
            if quotes > 1:
                text = text.replace("\n", "\n" + "&gt; " * (quotes - 1))
            out.append(f"<b>{text}</b>" if tokens[index - 1].type == "heading_open" else text)
        elif kind in ("fence", "code_block"):
            begin()
            words = unescapeAll(token.info).split() if kind == "fence" else []
            text = html.escape(token.content.removesuffix("\n").expandtabs(4), quote=False)
            if not text:
                continue
            if words:
                out.append(
                    f'<pre><code class="language-{html.escape(words[0])}">{text}</code></pre>'
                )
            else:
                out.append(f"<pre>{text}</pre>")
        elif kind == "hr":
            begin()
            out.append("———")
        elif kind == "table_open":
            begin()
            out.append("<pre>")
        elif kind == "tr_close":
            out.append(" | ".join(cells) + "\n")
            cells = []
        elif kind == "table_close":
            out.append("</pre>")
    return "".join(out)


def normal(verdict: Verdict) -> tuple[str, list[tuple]]:
    """Text with blanks made equal and the rule of a table left out; entities as what they cover."""
    units = verdict.text.encode("utf-16-le")
    entities = []
    for entity in verdict.entities:
        start = entity["offset"] * 2
        covered = units[start : start + entity["length"] * 2].decode("utf-16-le", "replace")
        kind = entity["type"].removeprefix("expandable_")
        extra = unquote(entity.get("url") or entity.get("language") or "").rstrip("/")
        entities.append((kind, words(covered) if kind != "pre" else code(covered), extra))
    return words(verdict.text), sorted(entities)


def words(text: str) -> str:
    text = re.sub(r"(?m)^-+(\|-*)*$", "", text)
    text = re.sub(r"\s*\|(?=\s|$)\s*", " | ", text)
    return " ".join(text.split())


def code(text: str) -> str:
    if " | " in text:
        return words(text)
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


def expected(markdown: str, ours: bool = True) -> tuple[str, list[tuple]]:
    """Text and entities that the reference gives, in the form of normal()."""
    source = to_html(markdown, ours=ours)
    verdict = judge(source)
    if not verdict.ok and "empty" not in (verdict.error or ""):
        raise ValueError(f"the reference is refused: {verdict.error}: {source}")
    return normal(verdict)


def visible(markdown: str, tags: bool = True, ours: bool = True) -> str:
    """Only the text that the reference shows, however long; without `tags`, HTML is left out of it."""
    return html.unescape(re.sub(r"<[^>]*>", "", to_html(markdown, tags, ours)))


def actual(messages: list[str]) -> tuple[str, list[tuple]]:
    """The same of the formatter's messages, one after the other."""
    texts: list[str] = []
    entities: list[tuple] = []
    for message in messages:
        text, some = normal(judge(message))
        texts.append(text)
        entities += some
    return " ".join(texts), sorted(entities)

"""What the formatter reads in another way than CommonMark and GFM, as rules for markdown-it.

Bare addresses and formulas stay as they are written; emphasis opens and closes next to Chinese, Japanese and
Korean as in markdown-cjk-friendly, and strong text closes after a colon or the like; cells for which a table has no
column are kept (docs/formatting.md has the reasons).
"""

from __future__ import annotations

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, unescapeAll
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as table_rule
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token

BLANK, PUNCTUATION, CJK, CJK_PUNCTUATION = range(1, 5)
_ADDRESS = re.compile(
    r"[^\\`<\[\]!*_~|&\n$:]*?(?:(?<=[A-Za-z0-9]):/(?=/)|(?<=[A-Za-z0-9])\.[A-Za-z]{2,}(?=/))"
)
_TRAILING = "?!.,:;*_~|'("
_SIGNS = re.compile(r"[\\^_={}]")
_WORD = re.compile(r"[^\W\d_]{3}|[^\x00-\x7f]")


def enable(parser: MarkdownIt) -> None:
    """Let the parser read as the formatter does."""
    parser.inline.ruler.before("text", "address", _address)
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.inline.add_terminator_char("$")
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.push("address_as_text", _name_links)
    parser.options["cjk"] = True  # type: ignore[typeddict-unknown-key]


def _address(state: StateInline, silent: bool) -> bool:
    found = _ADDRESS.match(state.src, state.pos)
    if not found:
        return False
    end = _address_end(state.src, found.end(), state.posMax)
    if not silent:
        state.pending += unescapeAll(state.src[state.pos : end])
    state.pos = end
    return True


def _address_end(text: str, start: int, stop: int) -> int:
    depths = {"(": 0, "[": 0}
    at = start
    while at < stop:
        char = text[at]
        if char == "\\" and at + 1 < stop and isMdAsciiPunct(ord(text[at + 1])):
            at += 2
            continue
        if char <= " " or char in '<>"`\\' or ord(char) > 0x83F:
            break
        if char in "([":
            depths[char] += 1
        elif char in ")]":
            depths["(" if char == ")" else "["] -= 1
        if min(depths.values()) < 0:
            break
        at += 1
    while at > start + 1 and text[at - 1] in _TRAILING and text[at - 2] != "\\":
        at -= 1
    return at


def _formula(state: StateInline, silent: bool) -> bool:
    end = formula_end(state.src[: state.posMax], state.pos)
    if not end:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


def formula_end(text: str, at: int) -> int:
    """After the formula that begins there, or 0."""
    if found := re.compile(r"\\\((?!\\\))(.+?)\\\)|\\\[(?!\\\])(.+?)\\\]", re.S).match(text, at):
        inside = found[1] or found[2]
        plain = not _WORD.search(inside) and inside.strip() != ""
        likely = plain and (found[1] or re.search(r"[-+*/<>|]", inside))
        good = _SIGNS.search(inside) or likely
        return found.end() if good and not inside.endswith("\\") else 0
    if found := re.compile(r"\$\$(.+?)\$\$", re.S).match(text, at):
        return found.end()
    found = re.compile(r"\$(?![\s$])([^$\n]*[^$\s\\])\$(?!\d)").match(text, at)
    return found.end() if found and _SIGNS.search(found[1]) else 0


def _kind(char: str) -> int:
    code = ord(char)
    if code < 0x80:
        return BLANK if char.isspace() else PUNCTUATION if isMdAsciiPunct(code) else 0
    category = unicodedata.category(char)
    if category == "Zs":
        return BLANK
    symbol = category[0] in "PS"
    wide = unicodedata.east_asian_width(char) in "WFH"
    if wide and (0x1100 <= code < 0x1200 or 0x2E80 <= code < 0x1F000 or code >= 0x20000):
        return CJK_PUNCTUATION if symbol else CJK
    return PUNCTUATION if symbol else 0


_commonmark_scan = StateInline.scanDelims


def _scan(state: StateInline, start: int, canSplitWord: bool) -> Scanned:
    if not state.md.options.get("cjk"):
        return _commonmark_scan(state, start, canSplitWord)
    text = state.src[: state.posMax]
    end = start
    while end < len(text) and text[end] == text[start]:
        end += 1
    before = _kind(text[start - 1]) if start else BLANK
    after = _kind(text[end]) if end < len(text) else BLANK
    opens = after != BLANK and (after != PUNCTUATION or before > 0)
    closes = before != BLANK and (before != PUNCTUATION or after > 0)
    marks = (PUNCTUATION, CJK_PUNCTUATION)
    if not canSplitWord:
        both = opens and closes
        opens = opens and (not both or before in marks)
        closes = closes and (not both or after in marks)
    elif end - start > 1 and not closes and before == PUNCTUATION and text[start - 1] in ":.!?,;)":
        closes = True
    return Scanned(opens, closes, end - start)


StateInline.scanDelims = _scan  # type: ignore[method-assign]


def _name_links(state: StateCore) -> None:
    """Give links and images without a text their address for it."""
    for token in state.tokens:
        if token.children is not None:
            token.children = _named(token.children)


def _named(tokens: list[Token]) -> list[Token]:
    made: list[Token] = []
    for index, token in enumerate(tokens):
        made.append(token)
        if token.type == "image":
            token.children = _named(token.children or [])
            if not any(child.content.strip() for child in token.children):
                token.children = [_text(str(token.attrs.get("src", "")))]
        elif token.type == "link_open":
            after = next(t for t in tokens[index + 1 :] if t.nesting or t.content.strip())
            if after.type == "link_close":
                made.append(_text(str(token.attrs.get("href", ""))))
    return made


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    first = len(state.tokens)
    if not table_rule(state, start, end, silent):
        return False
    for token in state.tokens[first:] if not silent else ():
        if token.type != "tr_open" or not token.map:
            continue
        cells = escapedSplit(getLine(state, token.map[0]).strip(" \t"))
        cells = cells[1:] if cells and not cells[0] else cells
        cells = cells[:-1] if cells and not cells[-1] else cells
        columns = sum(other.type == "th_open" for other in state.tokens[first:])
        for number, cell in enumerate(cells[columns:]):
            state.push("rest_open", "", 1).meta = {"first": not number}
            inline = state.push("inline", "", 0)
            inline.content = cell.strip(" \t")
            inline.children = []
            state.push("rest_close", "", -1)
    return True

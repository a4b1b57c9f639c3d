"""||Spoilers|| for markdown-it: two bars on each side, by the rules of delimiter runs, as for strikethrough."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

_BAR = ord("|")


def enable(parser: MarkdownIt) -> None:
    """Let the parser read spoilers: tokens of the type and tag tg-spoiler."""
    parser.inline.add_terminator_char("|")
    parser.inline.ruler.before("emphasis", "spoiler", _tokenize)
    parser.inline.ruler2.before("emphasis", "spoiler", _pair)


def _tokenize(state: StateInline, silent: bool) -> bool:
    if silent or state.src[state.pos] != "|":
        return False
    run = state.scanDelims(state.pos, True)
    token = state.push("text", "", 0)
    token.content = "|" * run.length
    if run.length == 2:
        at = len(state.tokens) - 1
        state.delimiters.append(Delimiter(_BAR, 0, at, -1, run.can_open, run.can_close))
    state.pos += run.length
    return True


def _pair(state: StateInline) -> None:
    lists = [state.delimiters]
    lists += [meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta]
    for delimiters in lists:
        for opening in delimiters:
            if opening.marker == _BAR and opening.end >= 0:
                _mark(state, opening.token, 1)
                _mark(state, delimiters[opening.end].token, -1)


def _mark(state: StateInline, at: int, nesting: int) -> None:
    token = state.tokens[at]
    token.type = "tg-spoiler_open" if nesting > 0 else "tg-spoiler_close"
    token.tag = "tg-spoiler"
    token.nesting = 1 if nesting > 0 else -1
    token.content = ""

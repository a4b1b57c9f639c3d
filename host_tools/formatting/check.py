"""What must hold for the messages made of any text: Telegram takes them, and nothing is lost."""

from __future__ import annotations

import html
import itertools
import re

from host_tools.formatting import reference
from host_tools.simulator.judge import MAX_ENTITIES, judge, utf16_length

_DELETED = re.compile("[\u2028-\u202e]")
_CONTROL = re.compile(r"[\0-\x09\x0b-\x1f\x7f-\x9f]")
_STYLE_TAG = rf"</?({reference.STYLE_TAGS})>"
_WIDE_BLANK = re.compile(r"[^\S\x00-\x7f]")
_UNLIKE = re.compile(rf"(?i)[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]|{_STYLE_TAG}")
_URL_WITH_REFERENCE = re.compile(r"(?i)(?:https?:|www\.)[^\s<]*&[a-z#]")
_NAME = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")


def examined(message: str) -> tuple[str | None, str]:
    """Why Telegram would refuse a message, or what it would leave out, else None; and the text that is seen."""
    verdict = judge(message)
    fault = None
    if not verdict.ok:
        fault = f"is refused: {verdict.error}"
    elif utf16_length(verdict.text) > 4096:
        fault = f"is {utf16_length(verdict.text)} units long"
    elif len(verdict.entities) > MAX_ENTITIES:
        fault = f"has {len(verdict.entities)} entities"
    elif verdict.dropped and not _DELETED.search(message):
        fault = f"loses {verdict.dropped[0]}"
    elif bad := _CONTROL.search(message):
        fault = f"holds {bad[0]!r}"
    return fault, verdict.text


def faults(messages: list[str]) -> list[str]:
    """The faults of these messages."""
    found = ((number, examined(message)[0]) for number, message in enumerate(messages, 1))
    return [f"message {number} {fault}" for number, fault in found if fault]


def letters(text: str) -> str:
    """Letters and digits, in order: what no formatting may lose, double or move.

    A reference by a name that the formatter's table does not have may stay as it was typed: a reader
    sees the name, nothing is lost. So such a name counts as the character, wherever it stands.
    """
    text = _NAME.sub(lambda m: m[0] if m[1] in reference.NAMES else html.unescape(m[0]), text)
    return "".join(char for char in text if char.isalnum())


def kept(markdown: str, shown: str) -> bool:
    """True if every visible letter of a text is shown, in order, whatever else is; tags need not be.

    Read as by CommonMark and GFM, or as the formatter does.
    """

    def is_kept(ours: bool) -> bool:
        found = iter(letters(shown))
        return all(char in found for char in letters(reference.visible(markdown, False, ours)))

    return is_kept(True) or is_kept(False)


def exact(markdown: str, shown: str) -> bool:
    """True if the visible letters are shown and no others; tags are all shown, or all left out.

    Read as by CommonMark and GFM, or as the formatter does.
    """
    found = letters(shown)
    ways = itertools.product((True, False), (True, False))
    return any(found == letters(reference.visible(markdown, *way)) for way in ways)


def comparable(markdown: str) -> bool:
    """False for what the reference reads in another way.

    Control characters, tags that may cross; bare addresses with a character reference, which GFM leaves
    out of the link and markdown-it takes as it is written; and rows of a table with blanks that are not
    ASCII: markdown-it strips them from a row's ends, and with them the bar that they keep inside.
    """
    if _UNLIKE.search(markdown) or _URL_WITH_REFERENCE.search(markdown):
        return False
    return not ("|" in markdown and _WIDE_BLANK.search(markdown))


def lost(markdown: str, messages: list[str]) -> str | None:
    """How the visible letters differ from what the reference shows, or None."""
    wanted = letters(reference.visible(markdown))
    got = letters(reference.actual(messages)[0])
    if wanted == got:
        return None
    at = next(
        (i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b),
        min(len(wanted), len(got)),
    )
    return (
        f"expected …{wanted[max(at - 20, 0) : at + 20]}…, found …{got[max(at - 20, 0) : at + 20]}…"
    )

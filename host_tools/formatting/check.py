"""What must hold for the messages made of any text: Telegram takes them, and nothing is lost."""

from __future__ import annotations

import html
import re

from host_tools.formatting import reference
from host_tools.simulator.judge import MAX_ENTITIES, judge, utf16_length

_NAME = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")


def faults(messages: list[str]) -> list[str]:
    """Why Telegram would refuse these messages, or leave out some of what they ask for."""
    found = []
    for number, message in enumerate(messages, 1):
        verdict = judge(message)
        if not verdict.ok:
            found.append(f"message {number} is refused: {verdict.error}")
            continue
        if utf16_length(verdict.text) > 4096:
            found.append(f"message {number} is {utf16_length(verdict.text)} units long")
        if len(verdict.entities) > MAX_ENTITIES:
            found.append(f"message {number} has {len(verdict.entities)} entities")
        if verdict.dropped and not any(
            char in message for char in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
        ):
            found.append(f"message {number} loses {verdict.dropped[0]}")
        bad = [
            char
            for char in message
            if (char < " " and char not in "\n") or "\x7f" <= char < "\xa0"
        ]
        if bad:
            found.append(f"message {number} holds {bad[0]!r}")
    return found


def letters(text: str) -> str:
    """Letters and digits, in order: what no formatting may lose, double or move.

    A reference by a name that the formatter's table does not have may stay as it was typed: a reader
    sees the name, nothing is lost. So such a name counts as the character, wherever it stands.
    """
    text = _NAME.sub(lambda m: m[0] if m[1] in reference.NAMES else html.unescape(m[0]), text)
    return "".join(char for char in text if char.isalnum())


def kept(markdown: str, shown: str) -> bool:
    """True if every visible letter of a text is shown, in order, whatever else is; tags need not be."""
    found = iter(letters(shown))
    return all(char in found for char in letters(reference.visible(markdown, tags=False)))


def exact(markdown: str, shown: str) -> bool:
    """True if the visible letters are shown and no others; tags are all shown, or all left out."""
    found = letters(shown)
    return any(found == letters(reference.visible(markdown, tags)) for tags in (True, False))


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

"""What others have written, made safe for a terminal: nothing moves the cursor or turns the text round.

A board's console carries what its users write, and so do a bot's answers. `line` is for a console's
line, `block` for a text that may have several, `letters` for one whose offsets must stay.
"""

from __future__ import annotations

import unicodedata

# Controls, private use, surrogates, unassigned, and the two characters that end lines.
_HIDDEN = {"Cc", "Co", "Cs", "Cn", "Zl", "Zp"}
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAMES = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def hidden(character: str) -> bool:
    """True for what a terminal would obey, or show as nothing."""
    return character in _TURNS or unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    code = ord(character)
    named = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    return _NAMES.get(character, named)


def line(text: str) -> str:
    """One line, each hidden character as its escape: `\\x1b`, `\\n`, `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if hidden(c) else c for c in text)


def block(text: str) -> str:
    """The same, its lines kept apart."""
    return "\n".join(line(row) for row in text.split("\n"))


def letters(text: str) -> str:
    """Hidden characters as one visible letter each; line feeds and tabs stay."""
    return "".join(_letter(c) if hidden(c) and c not in "\n\t" else c for c in text)


def _letter(character: str) -> str:
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)  # the picture of the control
    return "\u2421" if code == 127 else "\ufffd"

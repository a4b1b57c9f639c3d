"""Texts for scenarios: four scripts, any length in UTF-16 units, with their visible form.

The same arguments always give the same text. A text begins with its number, `m17 `, so that an
answer can be told from another's; what follows are words of the script, some of them in Markdown.
"""

from __future__ import annotations

from functools import cache

from host_tools.simulator.updates import utf16_length

# Per script: (Markdown, what a reader sees) of each word, and what fills the last units.
_WORDS: dict[str, list[tuple[str, str]]] = {
    "ascii": [
        ("tide", "tide"),
        ("**drifts**", "drifts"),
        ("over", "over"),
        ("the", "the"),
        ("_reef_", "reef"),
        ("a<b&c>d", "a<b&c>d"),
        ("`read()`", "read()"),
        ("and", "and"),
        ("~~back~~", "back"),
        ('"home"', '"home"'),
    ],
    "cyrillic": [
        ("прилив", "прилив"),
        ("**несёт**", "несёт"),
        ("рачка", "рачка"),
        ("_через_", "через"),
        ("риф", "риф"),
        ("`код`", "код"),
        ("и", "и"),
        ("~~назад~~", "назад"),
    ],
    "cjk": [
        ("潮水带着", "潮水带着"),
        ("**桡足类**", "桡足类"),
        ("穿过", "穿过"),
        ("_珊瑚礁_", "珊瑚礁"),
        ("海の中", "海の中"),
        ("`读取`", "读取"),
        ("바다", "바다"),
        ("~~回来~~", "回来"),
    ],
    "emoji": [
        ("🦐🌊", "🦐🌊"),
        ("**🦀**", "🦀"),
        ("🐚🪸🐠", "🐚🪸🐠"),
        ("_🐙_", "🐙"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("`🧪`", "🧪"),
        ("🇪🇺", "🇪🇺"),
        ("~~🫧~~", "🫧"),
    ],
}
_FILL = {"ascii": "x", "cyrillic": "ж", "cjk": "水", "emoji": "🌊"}
SCRIPTS = tuple(_WORDS)
SHORTEST = 16


@cache
def body(script: str, length: int) -> tuple[str, str]:
    """(Markdown, visible text) of exactly `length` UTF-16 units of Markdown."""
    words = _WORDS[script]
    marks: list[str] = []
    seen: list[str] = []
    used = turn = 0
    while True:
        mark, plain = words[turn % len(words)]
        size = utf16_length(mark) + bool(marks)
        if used + size > length:
            break
        marks.append(mark)
        seen.append(plain)
        used += size
        turn += 1
    left = length - used
    fill = " " if left > 1 and marks else ""
    left -= len(fill)
    unit = utf16_length(_FILL[script])
    fill += _FILL[script] * (left // unit) + "." * (left % unit)
    return " ".join(marks) + fill, " ".join(seen) + fill


def text(number: int, script: str, length: int) -> tuple[str, str]:
    """Message `number` in that script: (Markdown of exactly `length` units, visible text)."""
    tag = f"m{number} "
    markdown, visible = body(script, max(length, SHORTEST) - len(tag))
    return tag + markdown, tag + visible


def number_of(visible: str) -> int | None:
    """The number that a text begins with, None if it has none."""
    head = visible.split(" ", 1)[0]
    return int(head[1:]) if head[:1] == "m" and head[1:].isdigit() else None

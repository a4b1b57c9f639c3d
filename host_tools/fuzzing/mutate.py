"""Changes documents at random: first what they say, as JSON, then their bytes."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

LONG = 4096
TOKENS = [
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u", b"\\ud83e", b"\\udd80", b"\\u0000"),
    *(b"\x00", b"\x1b", b"\n", b"\r\n", b"\xff", b"\xc3", b"\xe2\x80\xae", b"\xf0\x9f\xa6\x80"),
    *(b"null", b"true", b"false", b"-", b"1e9", b"0x", b"99999999999999999999", b"NaN"),
]
NUMBERS = [0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**52, 2**63, 10**18, 10**19, 10**30]
NUMBERS += [1.5, -0.0, 1e300, 1087968824, 777000]
STRINGS = [
    *("", " ", "/", "/ping", "/ping@copepod_bot x", "@copepod_bot", "private", "group", "\ud83e"),
    *("潮" * LONG, "/say " + "潮" * (LONG - 5), "@copepod_bot " + "潮" * 4000, "x" * 5000),
    *("🦀" * 2100, "\x00", "\x1b[2J", "a\n@cp1 E 1 1 stop 0 *1", "*", "@*", "-100", "5", "5|x"),
]


def value(chance: random.Random) -> Any:
    """A value that nobody expected."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice(NUMBERS)
    if kind == 2:
        return {chance.choice(["id", "text", "x"]): value(chance)}
    if kind == 3:
        return [value(chance) for _ in range(chance.randrange(4))]
    return chance.choice(STRINGS)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every container in the document with each of its keys."""
    found = []
    waiting = [document]
    while waiting:
        box = waiting.pop()
        keys = list(box) if isinstance(box, dict) else list(range(len(box)))
        for key in keys:
            found.append((box, key))
            if isinstance(box[key], dict | list):
                waiting.append(box[key])
    return found


def document(chance: random.Random, seed: Any, others: list[Any]) -> Any:
    """The seed with one to four changes in what it says."""
    made = copy.deepcopy(seed)
    for _ in range(chance.randint(1, 4)):
        found = places(made)
        if not found:
            break
        box, key = chance.choice(found)
        act = chance.randrange(5)
        if act == 0:
            del box[key]
        elif act == 1 and isinstance(box, dict):
            box[chance.choice(["text", "id", "chat", "from", "x", "é"])] = box.pop(key)
        elif act == 2:  # what stands in another document, or in another place
            other, at = chance.choice(places(chance.choice(others)))
            box[key] = copy.deepcopy(other[at])
        elif act == 3 and isinstance(box, dict):
            items = list(box.items())
            chance.shuffle(items)
            box.clear()
            box.update(items)
        else:
            box[key] = value(chance)
    return made


def dumped(chance: random.Random, made: Any) -> bytes:
    """As JSON, escaped or raw, tight or with blanks."""
    separators = chance.choice([(",", ":"), (", ", ": "), None])
    text = json.dumps(
        made,
        ensure_ascii=chance.random() < 0.7,
        separators=separators,
        indent=None if separators else 1,
    )
    return text.encode("utf-8", "surrogatepass")


def bytes_(chance: random.Random, data: bytes) -> bytes:
    """One to four changes in the bytes."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        end = min(len(made), at + int(chance.expovariate(0.1)))
        act = chance.randrange(6)
        if act == 0:
            del made[at:end]
        elif act == 1:
            made[at:at] = made[at:end]
        elif act == 2 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif act == 3 and chance.random() < 0.2:
            del made[at:]
        elif act == 4 and at < len(made):
            made[at] = chance.randrange(256)
        else:
            made[at:at] = chance.choice(TOKENS)
    return bytes(made)

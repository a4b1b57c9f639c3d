"""The device's JSON reader against CPython's json, with hypothesis: any document, cut anywhere."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from host_tools.paths import ROOT

for folder in (ROOT / "firmware", ROOT / "tests/device/cpython"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from copepod.net.json_stream import Reader  # noqa: E402
from copepod.textbuffer import TextBuffer  # noqa: E402

# Node a: one field of each kind, a list and an object of node b; what they are called in a document
# is what the strategies below draw from, so that wanted names come up in every place.
SCHEMA = b"""a number#0 text~1 name$2 flag?3 there!4 list{b thing{c
b id#5 text~6
c text~7 thing{c"""
SHORT = Reader.SHORT
LONG = 4096
LONG_SLOTS = (1, 6, 7)
NAMES = ("number", "text", "name", "flag", "there", "list", "thing", "id", "", "texts", "tex", "é")

settings.register_profile("copepod", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("copepod")

texts = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
numbers = (
    st.integers() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
)
leaves = st.none() | st.booleans() | numbers | texts
names = st.sampled_from(NAMES) | st.text(max_size=6)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)
documents = st.dictionaries(names, values, max_size=8)


def cut(text: str, units: int) -> str:
    """The longest prefix of whole characters within so many UTF-16 units, lone surrogates replaced."""
    kept = []
    for character in text:
        if "\ud800" <= character <= "\udfff":
            character = "\ufffd"
        units -= 2 if ord(character) > 0xFFFF else 1
        if units < 0:
            break
        kept.append(character)
    return "".join(kept)


def expected(document: dict[str, Any]) -> list[Any]:
    """What the reader must keep, by the rules of json_stream.py's docstring, in json's terms."""
    found: list[Any] = [None] * 8

    def integer(slot: int, value: Any) -> None:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**19:
            found[slot] = value

    def string(slot: int, value: Any, units: int) -> None:
        if isinstance(value, str):
            found[slot] = cut(value, units)

    def each(value: Any, node: Any) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                node(item)

    def node_b(value: dict[str, Any]) -> None:
        for name, inner in value.items():
            if name == "id":
                integer(5, inner)
            elif name == "text":
                string(6, inner, LONG)

    def node_c(value: dict[str, Any]) -> None:
        for name, inner in value.items():
            if name == "text":
                string(7, inner, LONG)
            elif name == "thing":
                each(inner, node_c)

    for name, value in document.items():
        if name == "number":
            integer(0, value)
        elif name == "text":
            string(1, value, LONG)
        elif name == "name":
            string(2, value, SHORT)
        elif name == "flag" and isinstance(value, bool):
            found[3] = value
        elif name == "there" and value is not None:
            found[4] = True
        elif name == "list":
            each(value, node_b)
        elif name == "thing":
            each(value, node_c)
    return found


class Plain(Reader):
    """Nobody listens to what opens and closes."""

    def opened(self, letter: int) -> None:
        pass

    def closed(self, letter: int) -> None:
        pass


READER = Plain(SCHEMA, TextBuffer(bytearray(3 * LONG)))


def read(raw: bytes, cuts: list[int], reader: Reader = READER) -> list[Any]:
    """The values of a document that arrives in windows ending at `cuts`, always in the same buffer."""
    reader.begin()
    window = bytearray(max(len(raw), 1))
    start = 0
    for end in [*cuts, len(raw)]:
        window[: end - start] = raw[start:end]
        assert reader.feed(window, 0, end - start) == end - start
        start = end
    reader.finish()
    return [
        reader.settled(value) if slot in LONG_SLOTS else value
        for slot, value in enumerate(reader.values)
    ]


def encodings(document: dict[str, Any]) -> list[bytes]:
    """The same document as JSON in different clothes."""
    compact = json.dumps(document, separators=(",", ":"))
    spaced = json.dumps(document, indent=1)
    raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return [compact.encode(), spaced.encode(), raw]


@given(documents, st.data())
@settings(max_examples=100)
def test_keeps_what_json_finds(document: dict[str, Any], data: st.DataObject) -> None:
    for raw in encodings(document)[:2]:
        wanted = expected(json.loads(raw))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
        assert read(raw, cuts) == wanted, raw


@given(documents)
@settings(max_examples=25)
@example({"text": "\U0001f980", "list": [{"id": -(2**52)}, {"text": '"\\/\b\f\n\r\t\x00é'}]})
@example({"thing": {"thing": [{"text": "\ud83e"}, {"thing": {"text": "\udd80\ud83e\udd80"}}]}})
def test_cut_at_every_byte(document: dict[str, Any]) -> None:
    raw = encodings(document)[0]
    wanted = read(raw, [])[:]
    assert wanted == expected(json.loads(raw))
    for at in range(1, len(raw)):
        assert read(raw, [at]) == wanted, (at, raw)
    assert read(raw, list(range(1, len(raw)))) == wanted


@given(st.text(max_size=40), st.integers(1, 20))
@settings(max_examples=150)
def test_raw_utf8_in_small_windows(text: str, size: int) -> None:
    raw = json.dumps({"text": text}, ensure_ascii=False).encode()
    assert read(raw, list(range(size, len(raw), size)))[1] == text


@given(st.binary(max_size=24), st.integers(1, 9))
@settings(max_examples=300)
def test_malformed_utf8_never_passes(inside: bytes, size: int) -> None:
    inside = inside.translate(None, b'"\\')
    raw = b'{"text":"' + inside + b'"}'
    kept = read(raw, list(range(size, len(raw), size)))[1]
    kept.encode()  # nothing that can not be sent on: no surrogates
    decoded = inside.decode("utf-8", "ignore")
    assert kept.replace("\ufffd", "") == decoded.replace("\ufffd", "")


@given(st.text("aé€🦀", max_size=30), st.integers(1, 12))
@settings(max_examples=150)
def test_caps(text: str, units: int) -> None:
    reader = Plain(SCHEMA, TextBuffer(bytearray(64)))
    reader.LONG = units
    for raw in (
        json.dumps({"text": text}).encode(),
        json.dumps({"text": text}, ensure_ascii=False).encode(),
    ):
        for cuts in ([], list(range(1, len(raw)))):
            assert read(raw, cuts, reader)[1] == cut(text, units)


@given(documents, st.data())
@settings(max_examples=100)
def test_damage_is_an_error_or_harmless(document: dict[str, Any], data: st.DataObject) -> None:
    """Any byte changed, dropped or added: ValueError, or a document that json reads alike, or a
    mistake inside a value that is skipped, where only quotes and brackets are looked at."""
    raw = bytearray(encodings(document)[0])
    at = data.draw(st.integers(0, len(raw) - 1))
    with_ = data.draw(
        st.sampled_from([b"", b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"x", b"1"])
    )
    raw[at : at + data.draw(st.integers(0, 1))] = with_
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=3)))
    try:
        values_ = read(bytes(raw), cuts)
    except ValueError:
        with pytest.raises(ValueError, match="byte"):
            read(bytes(raw), [])
        try:
            sound = json.loads(bytes(raw))
        except ValueError:
            return
        assert not isinstance(sound, dict), raw  # sound JSON must not be refused
        return
    try:
        sound = json.loads(bytes(raw))
    except (ValueError, RecursionError):
        return
    assert values_ == expected(sound)


@given(documents, st.data())
@settings(max_examples=50)
def test_cut_short_is_an_error(document: dict[str, Any], data: st.DataObject) -> None:
    raw = encodings(document)[0]
    end = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(ValueError, match="byte"):
        read(raw[:end], [end // 2])

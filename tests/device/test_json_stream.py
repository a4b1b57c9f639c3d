"""The JSON reader: what it keeps, what it skips, where it stops, what that costs."""

PURE = True

import json
import os
import sys
import time

from copepod.net.json_stream import Reader
from copepod.textbuffer import TextBuffer

SCHEMA = b"""a number#0 text~1 name$2 flag?3 there!4 list{b thing{c exact.7 self{a
b id#5 Deep_9{c
c inner$6"""
try:
    Reader(SCHEMA, TextBuffer(bytearray(100)))
    raise AssertionError("upper case in a name")
except ValueError:
    SCHEMA = SCHEMA.replace(b"Deep_9", b"deep_9")

SCRATCH = bytearray(12288)
SLOW = int(os.getenv("COPEPOD_SLOW") or 1)  # an emulated processor: see tests/host/firmware/test_device.py
LONG_SLOTS = (1,)


class Recorder(Reader):
    """Remembers which objects were opened and closed, and the values of each list item."""

    def __init__(self, schema=SCHEMA):
        self.events = []
        super().__init__(schema, TextBuffer(SCRATCH))

    def opened(self, letter):
        self.events.append("+" + chr(letter))

    def closed(self, letter):
        self.events.append("-" + chr(letter))
        if letter == ord("b"):
            self.events.append(self.values[5])
            self.values[5] = None


def read(document, cut=0, reader=None):
    """The values of a document that arrives whole, or in windows of `cut` bytes."""
    reader = reader or Recorder()
    if isinstance(document, str):
        document = document.encode()
    reader.begin()
    window = bytearray(cut or len(document) or 1)
    for at in range(0, len(document), len(window)):
        part = document[at : at + len(window)]
        window[: len(part)] = part
        assert reader.feed(window, 0, len(part)) == len(part)
    reader.finish()
    return [
        reader.settled(value) if slot in LONG_SLOTS else value
        for slot, value in enumerate(reader.values)
    ]


def feed(reader, document):
    window = bytearray(document)
    assert reader.feed(window, 0, len(window)) == len(window)


def everywhere(document, expected):
    """The same values come out whichever size the windows have."""
    for cut in range(1, min(len(document), 40) + 1):
        values = read(document, cut)
        assert values == expected, (document, cut, values)
    assert read(document) == expected, (document, read(document))


def refuse(document):
    for cut in range(len(document) + 1):
        try:
            read(document, cut)
        except ValueError as error:
            assert "byte" in str(error)
            continue
        raise AssertionError(document)


def test_every_kind():
    everywhere(
        b'{"number":-42,"text":"hi","name":"Ann","flag":true,"there":{"x":[]},"exact":52.5200080,'
        b'"thing":{"inner":"deep"}}',
        [-42, "hi", "Ann", True, True, None, "deep", "52.5200080"],
    )


def test_blanks_and_unknown_names_in_any_order():
    everywhere(
        b' { "zzz" : { "number" : 1 , "a" : [ { "text" : "no" } , "]}" ] } , "text"\t:\r\n"yes" , "q":null ,'
        b'"name2":"x", "nam":"y","":0, "number":7 } \n ',
        [7, "yes", None, None, None, None, None, None],
    )


def test_arrays_of_objects():
    for cut in (0, 1, 2, 3, 7):
        reader = Recorder()
        read(
            b'{"list":[{"id":1},{"deep_9":{"inner":"x"},"id":2},3,"s",[{"id":9}],{}],"number":5}',
            cut,
            reader,
        )
        assert reader.events == [
            "+a",
            "+b",
            "-b",
            1,
            "+b",
            "+c",
            "-c",
            "-b",
            2,
            "+b",
            "-b",
            None,
            "-a",
        ], reader.events
        assert reader.values[6] == "x" and reader.values[0] == 5


def test_letter_case_tells_apart():
    reader = Recorder(b"a one{b two{B\nb id#5")
    read(b'{"one":{"id":1},"two":{"id":2}}', 3, reader)
    assert reader.events == ["+a", "+b", "-b", 1, "+B", "-B", "-a"]


def test_integers():
    for number in (
        0,
        -1,
        7,
        999999999,
        1000000000,
        4503599627370495,
        -1001234567890,
        9223372036854775807,
        2**31,
        2**30,
    ):
        for _ in range(2):
            everywhere(b'{"number":%d}' % number, [number] + [None] * 7)
    everywhere(b'{"number":-9223372036854775808}', [-(2**63)] + [None] * 7)
    everywhere(b'{"number":0}', [0] + [None] * 7)
    for other in (
        b"1.5",
        b"1e3",
        b'"12"',
        b"true",
        b"null",
        b"[1]",
        b"{}",
        b"123456789012345678901",
    ):
        everywhere(b'{"number":' + other + b"}", [None] * 8)


def test_other_types_are_absent():
    everywhere(
        b'{"text":5,"name":["x"],"flag":"true","list":7,"thing":"x","exact":"1","there":null}',
        [None] * 8,
    )


def test_escapes():
    everywhere(
        b'{"text":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uD83E\\uDD80\\u0000"}',
        [None, '"\\/\b\f\n\r\tA\xe9\u20ac\U0001f980\0'] + [None] * 6,
    )
    everywhere(b'{"te\\u0078t":"a","n\\u0061me":"b"}', [None, "a", "b"] + [None] * 5)


def test_lone_surrogates():
    for escaped, text in (
        (b"\\ud83e", "\ufffd"),
        (b"\\udd80", "\ufffd"),
        (b"\\ud83ex", "\ufffdx"),
        (b"\\ud83e\\n", "\ufffd\n"),
        (b"\\ud83e\\u0041", "\ufffdA"),
        (b"\\ud83e\\ud83e\\udd80", "\ufffd\U0001f980"),
        (b"\\udd80\\ud83e", "\ufffd\ufffd"),
    ):
        everywhere(b'{"text":"' + escaped + b'"}', [None, text] + [None] * 6)


def test_raw_utf8_and_malformed_bytes():
    everywhere(
        '{"text":"h\xe9 \u20ac \U0001f980 \ud55c\uad6d\uc5b4 \ud7a3 \u0e44\u0e17\u0e22"}'.encode(),
        read('{"text":"h\xe9 \u20ac \U0001f980 \ud55c\uad6d\uc5b4 \ud7a3 \u0e44\u0e17\u0e22"}')[:],
    )
    assert read('{"text":"h\xe9 \u20ac \U0001f980"}')[1] == "h\xe9 \u20ac \U0001f980"
    for raw, text in (
        (b"a\xffb", "a\ufffdb"),
        (b"\x80", "\ufffd"),
        (b"\xc0\x80", "\ufffd\ufffd"),
        (b"\xed\xa0\xbd", "\ufffd\ufffd\ufffd"),
        (b"\xe0\x80\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf0\x8f\xbf\xbf", "\ufffd" * 4),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4),
        (b"\xf7\xbf\xbf\xbf", "\ufffd" * 4),
        (b"\xe2\x82", "\ufffd\ufffd"),
        (b"\xe2\x82\xac\xe2", "\u20ac\ufffd"),
    ):
        everywhere(b'{"text":"' + raw + b'"}', [None, text] + [None] * 6)


def units(text):
    return sum(2 if ord(c) > 0xFFFF else 1 for c in text)


def test_caps_never_break_a_character():
    for unit in ("a", "\xe9", "\u20ac", "\U0001f980", "a\U0001f980"):
        for escaped in (False, True):
            for extra in (0, 1, 50):
                text = (unit * 4097)[: 4096 // units(unit) * len(unit)] + unit * extra
                raw = json.dumps(text).encode() if escaped else b'"' + text.encode() + b'"'
                kept = read(b'{"text":' + raw + b',"number":3}', 1000)
                assert kept[0] == 3
                assert text.startswith(kept[1]) and units(kept[1]) == min(4096, units(text)), (
                    unit,
                    escaped,
                    extra,
                )
    short = read(b'{"name":"' + b"x" * 5000 + b'"}', 1000)[2]
    assert short == "x" * Reader.SHORT
    assert read('{"text":"%s\U0001f980"}' % ("a" * 4095), 1000)[1] == "a" * 4095
    assert read('{"text":"%s\U0001f980b"}' % ("\u20ac" * 4095), 1000)[1] == "\u20ac" * 4095


def test_malformed():
    for document in (
        b"", b"[]", b"5", b'"x"', b"<html>502</html>", b"{", b"{]", b'{"a"}', b'{"a":}', b'{"a":1',
        b'{"a":1,}', b"{,}", b'{"a":1}}', b'{"a":1}x', b'{"number":[1,2}', b'{"list":[{"id":1},]}',
        b'{"list":[1}', b'{"a":tru}', b'{"a":truex}', b'{"a":nul}', b'{"a":-}', b'{"a":+1}',
        b'{"text":"\\x"}', b'{"text":"\\u00g0"}', b'{"text":"\\u00@0"}', b'{"text":"\\u00', b'{"a":"x}',
        b'{"a":{"b":1}', b"{'a':1}", b'{"a" 1}', b'{"a":1 "b":2}', b'{"thing":{"inner":"x"}',
        b'{"a":\x0c1}',
    ):  # fmt: skip
        refuse(document)


def test_error_names_the_byte():
    try:
        read(b'{"number":12,"text":"x",!', 5)
        raise AssertionError("accepted")
    except ValueError as error:
        assert "byte 24" in str(error), error


def test_pause_hands_out_one_item_at_a_time():
    class Stepper(Recorder):
        def closed(self, letter):
            super().closed(letter)
            self.pause = letter == ord("b")

    reader = Stepper()
    reader.begin()
    document = bytearray(b'{"list":[{"id":1},{"id":2}],"number":5}')
    at = reader.feed(document, 0, len(document))
    assert document[:at] == b'{"list":[{"id":1}' and reader.events[-1] == 1
    at = reader.feed(document, at, len(document))
    assert reader.events[-1] == 2
    assert reader.feed(document, at, len(document)) == len(document)
    reader.finish()
    assert reader.values[0] == 5


def test_same_strings_are_not_made_again():
    reader = Recorder()
    read(b'{"name":"somebody"}', 0, reader)
    first = reader.values[2]
    read(b'{"name":"somebody"}', 0, reader)
    assert reader.values[2] is first
    read(b'{"name":"someone"}', 0, reader)
    assert reader.values[2] == "someone"
    read(b'{"name":"some"}', 0, reader)
    assert reader.values[2] == "some"


JUNK = (
    ("plain string", b'"' + b"x" * 1000 + b'",'),
    ("escaped quotes", b'"' + b'\\"' * 500 + b'",'),
    ("backslashes", b'"' + b"\\\\" * 500 + b'",'),
    ("unicode escapes", b'"' + b"\\u0416" * 160 + b'",'),
    ("short strings", b'"a",' * 250),
    ("brackets", b"[],{}," * 170),
    ("opening brackets", b"[" * 1000),
    ("numbers", b"12,345,6.5," * 90),
    ("blanks", b" " * 1000),
    ("objects", b'{"offset":0,"length":5,"type":"bold"},' * 26),
)


def megabyte(reader, window, total=1000000):
    """Feed `window` until it makes a megabyte (or `total`); return how many times that was."""
    size = len(window)
    count = total // size + 1
    for _ in range(count):
        assert reader.feed(window, 0, size) == size
    return count


# Seconds of this process alone: the machine may be busy with something else.
seconds = time.clock if hasattr(time, "clock") else time.process_time  # pyright: ignore


def skip_junk(name, unit):
    """Seconds that a megabyte of junk takes, in an array that nobody wants."""
    reader = Recorder()
    window = bytearray(unit)
    reader.begin()
    feed(reader, b'{"text":"before","zzz":[0,')
    started = seconds()
    count = megabyte(reader, window)
    elapsed_s = seconds() - started
    feed(reader, b"0]")
    if name == "opening brackets":
        closing = bytearray(b"]" * len(unit))
        for _ in range(count):
            reader.feed(closing, 0, len(closing))
    feed(reader, b',"number":9}')
    reader.finish()
    assert reader.values[0] == 9 and reader.values[1] == "before"
    print("  %-18s %.3f s" % (name, elapsed_s))
    return elapsed_s


def test_a_megabyte_is_skipped_within_a_second():
    for name, unit in JUNK:
        elapsed_s = skip_junk(name, unit)
        if elapsed_s >= SLOW:
            elapsed_s = min(skip_junk(name, unit), skip_junk(name, unit))
        assert elapsed_s < SLOW, name


def test_a_string_of_a_megabyte():
    for name in (b"zzz", b"text", b"name"):
        reader = Recorder()
        reader.begin()
        feed(reader, b'{"' + name + b'":"')
        megabyte(
            reader, bytearray(b'x\\"\\\\y\\u00e9' * 80), 1000000 if name == b"text" else 100000
        )
        feed(reader, b'","number":4}')
        reader.finish()
        assert reader.values[0] == 4
        kept = reader.values[2] if name == b"name" else reader.settled(reader.values[1])
        assert kept is None if name == b"zzz" else kept.startswith('x"\\y\xe9x"')


def test_skipping_allocates_nothing():
    if sys.implementation.name != "micropython":
        return
    import gc

    reader = Recorder()
    for name, unit in JUNK:
        window = bytearray(unit)
        reader.begin()
        feed(reader, b'{"zzz":[0,')
        reader.feed(window, 0, 0)
        gc.collect()
        gc.disable()
        try:
            before_b = gc.mem_alloc()
            megabyte(reader, window, 100000)
            grown_b = gc.mem_alloc() - before_b
        finally:
            gc.enable()
        assert grown_b <= 256, (name, grown_b)


def test_a_name_as_long_as_a_megabyte():
    reader = Recorder()
    reader.begin()
    feed(reader, b'{"')
    window = bytearray(b"n" * 1024)
    for _ in range(1000):
        reader.feed(window, 0, 1024)
    feed(reader, b'":1,"number":2}')
    reader.finish()
    assert reader.values[0] == 2

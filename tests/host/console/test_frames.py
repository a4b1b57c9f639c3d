"""The telemetry parser: round trips, damage, gaps, reboots, mem_info blocks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.console import frames
from host_tools.console.frames import FIELDS, Event, Frame, FrameError, FrameStream

NUMBERS = st.none() | st.integers(-(2**31), 2**40)
NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"),
    min_size=1,
    max_size=20,
)


def frame(seq=0, phase="steady", **values):
    return Frame(seq, 10 * seq, phase, {name: values.get(name) for name in FIELDS})


@given(
    st.integers(0, 2**31),
    st.integers(0, 2**40),
    NAMES,
    st.lists(NUMBERS, min_size=len(FIELDS), max_size=len(FIELDS)),
)
def test_frame_round_trip(seq, t_ms, phase, numbers):
    made = Frame(seq, t_ms, phase, dict(zip(FIELDS, numbers, strict=True)))
    assert frames.parse(frames.format_frame(made)) == made


@given(st.integers(0, 2**31), st.integers(0, 2**40), NAMES, st.integers(-(2**31), 2**31))
def test_event_round_trip(seq, t_ms, name, value):
    made = Event(seq, t_ms, name, value)
    assert frames.parse("I (123) wifi: x" + frames.format_event(made) + "\r\n") == made


def test_checksum_is_the_documented_one():
    # by hand: ((((1*31 + 2)*31 + ord("a"))*31 + 0x5A5A) & 0xFFFF
    assert frames.checksum(1, 2, "a", [None]) == (((1 * 31 + 2) * 31 + 97) * 31 + 0x5A5A) & 0xFFFF
    assert frames.checksum(0, 0, "", [-1]) == 0xFFFF  # negative numbers count by their low 24 bits
    assert frames.checksum(0, 0, "", [1 << 24]) == 0


def test_a_changed_digit_is_noticed():
    line = frames.format_frame(frame(7, mem_free=61234, gc_free=61234, gc_used=4000))
    chance = random.Random(1)
    digits = [i for i, c in enumerate(line) if c.isdigit() and i > 4]
    for _ in range(300):
        at = chance.choice(digits)
        other = chance.choice([d for d in "0123456789" if d != line[at]])
        with pytest.raises(FrameError):
            frames.parse(line[:at] + other + line[at + 1 :])


def test_every_cut_is_noticed():
    line = frames.format_frame(frame(7, mem_free=61234))
    for cut in range(5, len(line)):
        # a cut inside the checksum's digits leaves a shorter number, which must not match either
        with pytest.raises(FrameError):
            frames.parse(line[:cut])


@pytest.mark.parametrize(
    "line", ["", "hello", "[mem steady] free= 1 B", "cp1 F 1 2 x", "mail@cpan.org"]
)
def test_other_lines_are_no_telemetry(line):
    assert frames.parse(line) is None


def test_another_version_is_said():
    with pytest.raises(FrameError, match="another version"):
        frames.parse("@cp2 F 1 2 x *3")


def test_missing_damaged_and_rebooted():
    stream = FrameStream()
    for seq in (0, 1, 2, 5, 6):
        stream.feed(frames.format_frame(frame(seq, gc_free=100 - seq)))
    assert (stream.missing, stream.reboots) == (2, 0)
    assert stream.feed(frames.format_frame(frame(7)).replace("steady", "steadx")) is None
    assert stream.damaged == 1
    stream.feed(frames.format_event(Event(8, 1, "poll", 0)))
    assert stream.missing == 3  # the damaged line's number never came
    stream.feed(frames.format_event(Event(1, 1, "boot", 0)))
    assert (stream.reboots, stream.missing) == (1, 4)  # line 0 of the new boot is lost
    assert stream.low_water() == 94
    assert stream.high_water("gc_free") == 100
    assert stream.low_water("idf_free") is None
    assert stream.phase("steady").seq == 6
    assert stream.phase("nowhere") is None


def test_keep_bounds_what_is_held():
    stream = FrameStream(keep=3)
    for seq in range(10):
        stream.feed(frames.format_frame(frame(seq)))
    assert [f.seq for f in stream.frames] == [7, 8, 9]
    assert stream.missing == 0


def test_mem_info_is_joined():
    stream = FrameStream()
    stream.feed(frames.format_frame(frame(0, phase="connected")))
    for line in (
        "stack: 2236 out of 8192",
        "GC: total: 131072, used: 45056, free: 86016, max new split: 31744",
        " No. of 1-blocks: 61, 2-blocks: 9, max blk sz: 264, max free sz: 1888",
    ):
        assert stream.feed(line) is None
    ((phase, info),) = stream.mem_infos
    assert (phase, info.used, info.largest_run(32), info.largest_run(64)) == (
        "connected",
        45056,
        30208,
        60416,
    )


def test_human_line():
    assert frames.is_human("[mem 4-after-burst       ] free=  61234 B  used= 1 B")
    assert not frames.is_human("[net] free= 1")


def test_each_field_that_was_added_makes_a_form_of_its_own():
    first, *older = frames.FORMS
    assert first == frames.FIELDS
    assert len(older) == len(frames.ADDED)
    for newer, form, added in zip(frames.FORMS, older, reversed(frames.ADDED), strict=False):
        assert [name for name in newer if name != added] == list(form)


def test_a_frame_from_before_a_field_was_added_is_whole():
    """Older firmware and recordings: what was added to version 1 since is what they can't tell."""
    line = (
        "@cp1 F 7 9900 steady mem_free=95988 gc_free=32500 gc_used=30500 gc_live=30500 gc_run=- "
        "idf_free=68852 idf_big=63488 idf_min=64200 in=0 out=0 err=0 tls=1 back=0 *62918"
    )
    found = frames.parse(line)
    assert isinstance(found, Frame)
    assert found["gc_total"] is None
    assert (found["idf_min"], found["back"]) == (64200, 0)
    with pytest.raises(FrameError, match="fields"):
        frames.parse(line.replace("idf_big=63488 ", ""))

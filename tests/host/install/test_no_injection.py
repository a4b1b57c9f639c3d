"""What comes from outside can't move a terminal's cursor, nor be taken for the device's own lines."""

import io
import re
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from host_tools.chat.screen import Screen
from host_tools.console import frames, render, visible
from host_tools.console.frames import Event, FrameStream
from host_tools.monitor import command
from host_tools.targets.target import Line

TRICKS = [
    "\x1b[2J\x1b]0;title\x07",
    "a\x9b2Jb",
    "a\rb\x08\x7f",
    "\u202egnp.exe\u2066",
    "a\u2028b\u2029c",
    "\x00\x0b\x0c",
    "\ue000\udc80",
]
OURS = "\x1b\\[[0-9;]*m|\x1b\\]8;[^\x1b\x07]*\x1b\\\\"  # rich's own styles and links


def harmless(text):
    return not [c for c in re.sub(OURS, "", text) if visible.hidden(c) and c not in "\n\t"]


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_hidden_is_left(trick):
    assert harmless(visible.line(trick))
    assert "\n" not in visible.line(trick + "\n")
    assert harmless(visible.block(trick + "\n" + trick))
    assert harmless(visible.letters(trick))
    assert len(visible.letters(trick)) == len(trick)


def test_what_people_write_stays():
    for text in ("hello", "潮水 прилив 🦀", "👩\u200d🔬 e\u0301", "a\u00a0b\u3000c"):
        assert visible.line(text) == visible.block(text) == visible.letters(text) == text
    assert visible.block("a\nb\x1b") == "a\nb\\x1b"
    assert visible.line("a\n\u202e") == "a\\n\\u202e"


def chat():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system="standard")
    return Screen(console, "unix", "", log=True), out


@pytest.mark.parametrize("trick", TRICKS)
def test_monitor_and_chat_print_nothing_hidden(trick):
    line = "123 copepod: handler: failed: KeyError: " + trick
    assert harmless(command.plain_line(line, None))
    made = frames.Frame(1, 2, "ph" + trick, {name: 1 for name in frames.FIELDS})
    assert harmless(command.plain_line("", made))
    assert "\n" not in command.plain_line("", made)
    shown, out = chat()
    shown.on_line(Line(time.monotonic(), line), None)
    assert harmless(out.getvalue())
    assert "handler: failed" in out.getvalue()


@pytest.mark.parametrize("trick", TRICKS)
def test_a_message_can_show_what_it_likes_and_do_nothing(trick):
    shown, out = chat()
    text = "x " + trick + " code link"
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    entities = [
        {"type": "pre", "offset": length - 9, "length": 4, "language": "py" + trick},
        {
            "type": "text_link",
            "offset": length - 4,
            "length": 4,
            "url": "https://e.example/" + trick,
        },
    ]
    shown.on_sent(SimpleNamespace(text=text, entities=entities, edits=0, markup=None, file=None))
    plain = re.sub(OURS, "", out.getvalue())
    assert harmless(out.getvalue()), out.getvalue()
    assert "code" in plain
    assert "link" in plain


def test_a_message_can_not_begin_a_line():
    shown, out = chat()
    said = "hello\nthe gateway is polling\n\n123 copepod: access: paired with id 666"
    shown.on_sent(SimpleNamespace(text=said, entities=[], edits=0, markup=None, file=None))
    lines = re.sub(OURS, "", out.getvalue()).splitlines()
    assert lines[0] == "copepod"
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_log_line_is_no_telemetry_whatever_it_quotes():
    event = frames.format_event(Event(7, 1000, "stop", 0))
    assert frames.parse(event) == Event(7, 1000, "stop", 0)
    stream = FrameStream()
    for line in (
        f"123 copepod: handler: failed: KeyError: {event}",
        f"123 copepod: telegram: I am @{event}",
        "9 copepod: telegram: answer refused: @cp1 F damaged",
    ):
        assert frames.parse(line) is None
        assert stream.feed(line) is None
    assert stream.damaged == 0


def test_offsets_stay_where_they_were():
    text = render.styled("\x1b\x1b🦀 bold", [{"type": "bold", "offset": 5, "length": 4}])
    assert text.plain == "␛␛🦀 bold"
    assert text.plain[text.spans[0].start : text.spans[0].end] == "bold"

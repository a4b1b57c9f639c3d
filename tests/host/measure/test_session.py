"""README's picture of a session shows what a session shows."""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest
from rich.style import Style

from host_tools.measure import report, session
from host_tools.paths import ROOT


@pytest.mark.timeout(120)
def test_the_picture_is_what_the_chat_shows_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")  # of the terminal that the tests run in
    (tmp_path / "docs").mkdir()
    committed = (ROOT / session.PICTURE).read_text()
    *there, status_there = session.what_stays(committed)
    *now, status = session.what_stays(session.write(tmp_path).read_text())
    # What a pin does and what the gateway does are told as they come, one or the other first.
    pins_there, pins = ([line for line in lines if "⚡" in line] for lines in (there, now))
    assert pins == pins_there, "not up to date: make report ARGS=--session"
    now, there = ([line for line in lines if "⚡" not in line] for lines in (now, there))
    assert now == there, "not up to date: make report ARGS=--session"
    assert now[1] == "$ make run BOT=bot.py"
    begins = "pin 2=1 · heap … … of … KiB · live … · least free … · in 2 out 2"
    assert status.startswith(begins)  # its end has no room where the graph is long
    assert status_there.startswith(begins)
    assert f"]({session.PICTURE})" in (ROOT / "README.md").read_text()
    assert str(ROOT) not in committed


def test_what_has_changed_is_noticed() -> None:
    svg = (ROOT / session.PICTURE).read_text()
    lines = session.what_stays(svg)
    assert "The light is on." in lines
    assert session.what_stays(svg.replace("⚡", "*")) != lines
    assert session.what_stays(svg.replace("pin&#160;2=1", "pin&#160;2=0")) != lines


def test_letters_keep_their_colours() -> None:
    screen = pyte.Screen(24, 1)
    codes = "\x1b[33mA\x1b[0;92mB\x1b[0;1;38;5;208mC\x1b[0;7mD\x1b[0;3;4;9mE\x1b[0m ⚡."
    pyte.Stream(screen).feed(codes)
    shown = session.drawn(screen)
    assert shown.plain.rstrip() == "ABCDE ⚡."
    styles = {shown.plain[span.start]: span.style for span in shown.spans}
    a, b, c, d, e = (styles[letter] for letter in "ABCDE")
    assert isinstance(a, Style)
    assert [s.color.name for s in (a, b, c, d)] == ["yellow", "bright_green", "#ff8700", "default"]
    assert (a.bold, c.bold, c.reverse, d.reverse) == (False, True, False, True)
    assert (d.italic, e.italic, e.underline, e.strike) == (False, True, True, True)


def test_a_report_records_it_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(session, "write", lambda: written.append(1) or ROOT / session.PICTURE)
    monkeypatch.setattr(report, "write", lambda root, results: [])
    assert report.report_command.callback is not None
    report.report_command.callback((), False)
    assert written == []
    report.report_command.callback((), True)
    assert written == [1]

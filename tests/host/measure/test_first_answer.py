"""How a bot's size is counted, and what is typed and waited for until a bot answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import copepod

from host_tools.console.pseudo_terminal import NotShown, PseudoTerminal
from host_tools.errors import UserError
from host_tools.measure import code_size, first_answer
from host_tools.scenarios import results
from host_tools.testing.bot import Bot


@pytest.mark.parametrize(
    ("text", "lines", "statements"),
    [
        ("", 0, 0),
        ("# a comment\n\nx = 1  # another\n", 1, 1),
        ('"""A docstring\n\nof three lines."""\nimport os\n', 1, 1),
        ("def f():\n    '''Says x.'''\n\n    return 'x'\n", 2, 2),
        ('x = """two\nlines"""\n', 2, 1),
        ("call(\n    1,\n\n    # why\n    2,\n)\n", 4, 1),
        ("@mark\nasync def f(msg):\n    await msg\n", 3, 2),
    ],
)
def test_what_counts_is_what_runs(text: str, lines: int, statements: int) -> None:
    found = code_size.size("a bot", "here", text)
    assert (found.lines, found.statements) == (lines, statements)


def test_an_example_that_is_not_there_is_said() -> None:
    with pytest.raises(UserError, match="README.md: 0 examples begin with '# moon.py'"):
        code_size.printed("README.md", "# moon.py")


@pytest.fixture
def bot_file(tmp_path: Path) -> Path:
    (tmp_path / "bot.py").write_text(code_size.echo_bot())
    return tmp_path / "bot.py"


def test_the_echo_that_is_counted_answers(bot: Bot) -> None:
    assert bot.say("/start").text.startswith("Hello ")
    assert bot.say("/help").text == "I repeat what you say."
    assert bot.say("and this?").text == "and this?"


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with a git that clones nothing and a make that has nothing to set up."""
    tools = tmp_path / "tools"
    tools.mkdir()
    run = f"exec {sys.executable} -m host_tools.cli run --bot bot.py"
    for name, lines in (
        ("git", f"mkdir -p $3/.venv\nln -s {results.ROOT}/host_tools $3/host_tools\n"),
        ("make", f"touch .venv/.stamp\n{run}\n"),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{lines}")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.timeout(60)
def test_from_a_clone_to_edited_bots(newcomer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT", "/nowhere.py")
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:secret")
    out = newcomer / "out.json"
    monkeypatch.setattr(first_answer, "_all_committed", lambda: None)
    monkeypatch.setattr(code_size, "another_bot", lambda: "import telegram\n")
    run = copepod("first-answer", "--json", out)
    assert run.returncode == 0, run.stderr
    found = json.loads(out.read_text())
    assert found["command"] == "copepod first-answer"
    assert [words.split()[0] for words in found["typed"]] == ["git", "cd", "make"]
    parts = [found["seconds"][name] for name in ("clone", "venv", "build_and_start")]
    assert found["seconds"]["in_all"] == pytest.approx(sum(parts), abs=0.03)
    assert len(found["edits_s"]) == first_answer.EDITS
    assert all(0 < edit < 15 for edit in found["edits_s"])
    assert [bot["lines"] for bot in found["bots"]] == [7, 10, 1]
    assert str(newcomer) not in out.read_text()


def test_a_bot_that_does_not_answer_is_one_error(
    newcomer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newcomer / "tools" / "make").write_text("#!/bin/sh\nprintf 'you \\342\\200\\272'\nsleep 9\n")
    monkeypatch.setattr(first_answer, "START_S", 0.5)
    with pytest.raises(UserError, match="light.* was not shown"):
        first_answer.first_answer(newcomer)


def test_what_is_not_committed_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in first_answer.CLONED:
        (tmp_path / path).write_text("as committed\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "All."]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(first_answer, "ROOT", tmp_path)
    first_answer._all_committed()
    (tmp_path / "Makefile").write_text("another\n")
    with pytest.raises(UserError, match="what is committed, not this:\n M Makefile"):
        first_answer._all_committed()


def test_a_terminal_draws_types_and_answers() -> None:
    script = "stty -echo -icanon; printf 'where\\033[6n'; head -c 6 | od -c | head -1; printf '\\rhere'; exit 3"
    with PseudoTerminal(["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, columns=60) as terminal:
        assert "[   1   ;   6   R" in terminal.until("R")
        terminal.until_screen("^where.*\nhere")
        assert terminal.end() == 3
    with (
        PseudoTerminal(["true"], {"PATH": "/usr/bin:/bin"}) as terminal,
        pytest.raises(NotShown, match="'moon' was not shown"),
    ):
        terminal.until("moon")

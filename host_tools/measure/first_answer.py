"""`copepod first-answer`: what someone new types and waits for, until README's bot answers.

In a terminal of its own the checkout's last commit is cloned, README's bot is saved beside it and
`make run` sets up .venv, builds and starts: all as cold as in any clone, but for pip's cache, which
is left as it is and told. Then bot.py is edited, again and again, and each time the edited bot is
asked. Beside it: how many lines README's bot has, and an echo of ours and of another library.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from host_tools.console.pseudo_terminal import SHELL, NotShown, PseudoTerminal, newcomer
from host_tools.errors import UserError
from host_tools.measure import code_size
from host_tools.paths import ROOT
from host_tools.scenarios import results
from host_tools.scenarios.terminal import screen

REPOSITORY = "REPOSITORY"  # stands in the result for where the clone was made from
COMMANDS = (f"git clone {REPOSITORY} copepod", "cd copepod", "make run BOT=bot.py")
SAID, ANSWER = "/led on", "The light is on."
CLONED = ("firmware", "host_tools", "boards", "Makefile", "README.md", "requirements.lock")
SET_UP_S, START_S, CLONE_S = 900.0, 60.0, 60.0
EDITS = 5


def first_answer(folder: Path) -> dict[str, Any]:
    """The commands and their seconds, then the edits'; UserError when the bot does not answer."""
    bot = folder / "copepod" / "bot.py"
    text = code_size.readme_bot()
    try:
        with PseudoTerminal(["sh", "-i"], newcomer(), folder) as terminal:
            terminal.until(SHELL)
            clone, enter, run = COMMANDS
            began = time.monotonic()
            terminal.type(clone.replace(REPOSITORY, str(ROOT)) + "\r")
            terminal.until(SHELL, CLONE_S)
            cloned = time.monotonic()
            bot.write_text(text)
            terminal.type(enter + "\r")
            terminal.until(SHELL)
            started, started_at = time.monotonic(), time.time()
            terminal.type(run + "\r")
            terminal.until("you ›", SET_UP_S)
            terminal.type(SAID + "\r")
            terminal.until(re.escape(ANSWER), START_S)
            answered = time.monotonic()
            edits = [_edit(terminal, bot, text, number) for number in range(EDITS)]
            terminal.type("\x03")
            terminal.until(SHELL, START_S)
    except NotShown as error:
        raise UserError(str(error)) from None
    set_up_s = (bot.parent / ".venv/.stamp").stat().st_mtime - started_at
    seconds = {
        "clone": cloned - began,
        "venv": set_up_s,
        "build_and_start": answered - started - set_up_s,
        "in_all": cloned - began + answered - started,
    }
    return {
        "typed": list(COMMANDS),
        "said": SAID,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "edits_s": [round(value, 2) for value in edits],
    }


def _edit(terminal: PseudoTerminal, bot: Path, text: str, number: int) -> float:
    """Seconds from saving another bot.py to that bot's answer to what is said at once."""
    began = time.monotonic()
    bot.write_text(text.replace("The light", f"Edit {number}: the light"))
    terminal.until("bot.py has been edited: started again", START_S)
    terminal.type(SAID + "\r")
    terminal.until(f"Edit {number}: the light is on", START_S)
    return time.monotonic() - began


def _pip() -> dict[str, Any]:
    """What pip need not fetch over the network."""

    def ask(*words: str) -> str:
        command = [sys.executable, "-m", "pip", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    cache = Path(ask("cache", "dir") or os.devnull)
    sizes = [path.stat().st_size for path in cache.rglob("*") if path.is_file()]
    return {"cache_b": sum(sizes), "find_links": "find-links" in ask("config", "list")}


def _all_committed() -> None:
    command = ["git", "status", "--porcelain", *CLONED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or done.stdout:
        raise UserError(f"a clone has what is committed, not this:\n{done.stdout}{done.stderr}")


@click.command("first-answer")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def first_answer_command(path: Path | None) -> None:
    """Commands and seconds from `git clone` to README's bot answering, and from an edit."""
    _all_committed()
    console = screen()
    pip = _pip()
    bots = code_size.sizes()
    with (
        console.status("cloning and setting up, as someone new does"),
        tempfile.TemporaryDirectory() as folder,
    ):
        found = first_answer(Path(folder))
        load = os.getloadavg()[1]  # of the last five minutes
    seconds, edits = found["seconds"], found["edits_s"]
    console.print(
        f"{len(found['typed'])} commands and {seconds['in_all']:.0f} s until {SAID!r} was answered "
        f"(.venv {seconds['venv']:.0f} s); {statistics.median(edits):.2f} s from an edit to its answer"
    )
    for bot in bots:
        console.print(f"{bot['lines']:3} lines, {bot['statements']:3} statements: {bot['bot']}")
    command = results.command()
    path = results.place("first-answer", path, command)
    data = {
        "command": command,
        "firmware": results.firmware(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.platform(),
        "processors": os.cpu_count(),
        "load_average": round(load, 1),
        "python": platform.python_version(),
        "pip": pip,
        **found,
        "bots": bots,
    }
    path.write_text(json.dumps(data, indent=2) + "\n")
    console.print(f"written to {results.shown(path)}")

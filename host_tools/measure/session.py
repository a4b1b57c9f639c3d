"""docs/session.svg: a real session of the chat, as its terminal shows it. `make report ARGS=--session` records it.

Someone types `make run`, talks to README's bot, gives its answer two buttons in an editor, and
presses one. What is drawn is the terminal's screen, letter by letter.
"""

from __future__ import annotations

import html
import io
import re
import tempfile
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char
from rich.color import ANSI_COLOR_NAMES
from rich.console import Console
from rich.style import Style
from rich.text import Text

from host_tools.console.pseudo_terminal import SHELL, PseudoTerminal, newcomer
from host_tools.measure.code_size import readme_bot
from host_tools.paths import ROOT

PICTURE = "docs/session.svg"
COLUMNS, LINES = 108, 24
NEEDED = (".venv", "Makefile", "pyproject.toml", "requirements.lock")  # by `make run`
EDITS = (  # of README's bot: it gets two buttons
    ("import on_command", "import on_button, on_command"),
    ("@on_command", '@on_button("led:")\n@on_command'),
    ('else "off"))', 'else "off"), [[("On", "led:on"), ("Off", "led:off")]])'),
)
START_S = 30.0
# What differs from run to run: bars of the heap's graph, figures.
_VARIES = re.compile(r"[▁-█]+|(?<= )\d[\d.]*(?= (of|KiB|files|bytes|·|s$))")


def edited(text: str) -> str:
    """README's bot with two buttons below its answer."""
    for old, new in EDITS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def record() -> Text:
    """The screen of the session, just before its command is ended."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in NEEDED:
            (folder / part).symlink_to(ROOT / part)
        bot = folder / "bot.py"
        bot.write_text(readme_bot())
        with PseudoTerminal(["sh", "-i"], newcomer(), folder, COLUMNS, LINES) as terminal:
            terminal.until(SHELL)
            terminal.type("make run BOT=bot.py\r")
            terminal.until("the gateway is polling", START_S)
            _say(terminal, "/led on", "The light is on.")
            bot.write_text(edited(readme_bot()))
            terminal.until("(?s)started again.*the gateway is polling", START_S)
            _say(terminal, "/led off", "The light is off.", "On    Off")
            _say(terminal, "!press On", "The light is on.", "On    Off")
            terminal.until_screen(r"pin 2=1 · heap .* in 2 out 2 ")
            shown = drawn(terminal.screen)
            terminal.type("\x03")
            terminal.until(SHELL, START_S)
    return shown


def _say(terminal: PseudoTerminal, text: str, *answer: str) -> None:
    """Type it when there is a line to type on, and wait until the screen ends with the answer."""
    prompt = r"\nyou ›\n\s*pin 2=\d · heap [^\n]*\s*$"
    terminal.until_screen(prompt)
    terminal.type(text + "\r")
    lines = r"\s*".join(map(re.escape, answer))
    terminal.until_screen(rf"you {re.escape(text)}\n(.*⚡.*\n)?copepod\n\s*{lines}{prompt}")


def drawn(screen: pyte.Screen) -> Text:
    """The screen with its colours."""
    text = Text(no_wrap=True)
    for at in range(screen.lines):
        cells = [screen.buffer[at][column] for column in range(screen.columns)]
        for style, run in groupby(cells, _style):
            text.append("".join(cell.data for cell in run), style)
        text.append("\n")
    return text


def _style(cell: Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        strike=cell.strikethrough,
        reverse=cell.reverse,
    )


def _colour(name: str) -> str:
    """What rich calls a colour of pyte's."""
    name = name.replace("brown", "yellow").replace("bright", "bright_")
    return name if name == "default" or name in ANSI_COLOR_NAMES else f"#{name}"


def picture(shown: Text) -> str:
    """The screen as an SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(shown, end="")
    svg = console.export_svg(title="make run", unique_id="session")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def write(root: Path = ROOT) -> Path:
    """Record a session and draw it."""
    path = root / PICTURE
    path.write_text(picture(record()))
    return path


def what_stays(svg: str) -> list[str]:
    """The lines of a picture without what differs from run to run."""
    lines: dict[str, str] = {}
    for top, text in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        lines[top] = lines.get(top, "") + html.unescape(text).replace("\xa0", " ")
    return [" ".join(_VARIES.sub("…", line).split()) for line in lines.values()]

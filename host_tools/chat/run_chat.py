"""`copepod run` (make run): the gateway on MicroPython, and a chat with it in the terminal.

Without a token the simulator takes Telegram's place: what you type arrives as an update, what the
bot sends is shown as Telegram would show it. With TELEGRAM_TOKEN in the environment (ALLOW for
your id, BASE_URL for another Bot API server) the same gateway talks to the real Telegram, and the
terminal shows its log. bot.py finds a `machine` that pretends, and is loaded anew when it is edited.
Ctrl-C ends everything and prints the memory summary.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from host_tools import targets
from host_tools.chat import assistant
from host_tools.chat.lives import Lives
from host_tools.chat.screen import Screen
from host_tools.console import visible
from host_tools.console.prompt import Prompt
from host_tools.errors import UserError
from host_tools.paths import FIRMWARE
from host_tools.pretend.surroundings import COMMANDS, Surroundings
from host_tools.scenarios import engine
from host_tools.scenarios.live_telegram import real_config
from host_tools.scenarios.terminal import scratch, screen
from host_tools.simulator.keyboard import act
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.process import ProcessTarget
from host_tools.targets.target import Target

START_S = 30.0
LAST_ANSWER_S = 3.0  # how long a pipe's end waits for answers
LOOK_S = 0.1  # between two looks at bot.py
_COMMAND = re.compile(r":([a-z]\w+(?![\w:])|$)(.*)", re.DOTALL)  # and no :emoji:

HELP = """\
lines that begin with : are for the board, as long as this computer plays it:
  {machine}
  :log            show the gateway's log, or hide it again; so does F2
  :               this, and what the pins do"""


class Run:
    """One `copepod run`."""

    def __init__(self, shown: Screen, lives: Lives, sim: Simulator | None) -> None:
        self.shown = shown
        self.lives = lives
        self.sim = sim
        shown.watch(lives)

    def converse(self, label: str) -> None:
        """Until the input or the gateway ends."""
        console = self.shown.console
        keys = {"f2": self.shown.turn_log}
        with Prompt(console, self.shown.status, label, keys=keys) as prompt:
            while not self.lives.device.ended or self._renewed():
                self._renewed()
                self.shown.notices()
                try:
                    line = prompt.read(LOOK_S)
                except EOFError:
                    if not prompt.interactive:
                        self._last_answers()
                    return
                if line:
                    if prompt.interactive:
                        console.print(Text.assemble(("you ", "bold green"), line))
                    told = self._act(line, prompt.interactive)
                    if told:
                        self.shown.tell(told)
        console.print(Text(visible.block(self.lives.device.text()[-2000:]), style="red"))

    def _renewed(self) -> bool:
        self.shown.ending = self.lives.around is not None and self.lives.around.reset is not None
        try:
            why = self.lives.look()
        except UserError as error:
            self.shown.tell(str(error))
            return False
        if why:
            self.shown.tell(f"{why}: started again")
        return bool(why)

    def _act(self, line: str, interactive: bool) -> str | None:
        found = _COMMAND.match(line)
        if not found:
            if self.sim is None:
                return None
            if line.startswith("!") and not interactive:
                self.lives.polling(START_S)
                self._all_done()  # a press is on what was said before
            return act(self.sim, line)
        word, rest = found.groups()
        if word == "log":
            self.shown.turn_log()
            return None
        if self.lives.around is None:
            return f"{self.lives.target.name} has pins of its own, or none"
        if word not in COMMANDS:
            machine = "\n  ".join(f":{usage}" for _, usage in COMMANDS.values())
            return f"{HELP.format(machine=machine)}\n{self.lives.around.status()}".rstrip()
        self.lives.polling(START_S)  # its bot has been loaded
        if not interactive:
            self._all_done()  # of a script, one line is done before the next
        try:
            self.lives.around.set(word + rest)
        except UserError as error:
            return str(error)
        return None

    def _all_done(self) -> None:
        if self.sim is not None:
            queue = self.sim.queue
            self.sim.wait(lambda: not queue.pending() or self.lives.device.ended, 30)

    def _last_answers(self) -> None:
        """After a pipe's last line: wait until all is acknowledged and has been answered."""
        self.lives.polling(START_S)
        if self.sim is None:
            self.lives.device.wait(lambda: False, 3600)
            return
        self._all_done()
        device = self.lives.device
        seen = len(device.frames.frames)
        device.wait(lambda: len(device.frames.frames) > seen, LAST_ANSWER_S)

    def end(self) -> int:
        """End the gateway; returns its exit status if it has ended by itself, else 0."""
        status = self.lives.device.exit_status or 0
        self.shown.ending = True
        self.lives.stop()
        return status


def _run(shown: Screen, place: Target, bot: Path, heap: str | None, app: str, folder: Path) -> int:
    real = bool(os.environ.get("TELEGRAM_TOKEN"))
    with contextlib.ExitStack() as stack:
        around = sim = None
        files = {}
        if isinstance(place, ProcessTarget):
            around = stack.enter_context(Surroundings())
        if real:
            config = real_config(dict(os.environ))
            shown.log = True
            if not _allowed(config):
                shown.console.print(
                    "ALLOW is not set: send the code below to your bot, then it is yours"
                )
        else:
            sim = stack.enter_context(Simulator(host=place.listen, names=[place.address]))
            sim.know(USER)
            sim.methods.on_sent = shown.on_sent
            shown.sim = sim
            extra = {"channels": {"telegram": {"allow_from": [str(USER), "*"]}}}  # you own it
            model = stack.enter_context(assistant.of(os.environ, place))
            config = engine.gateway_config(sim, place, extra | model.config)
            files = engine.files_for(sim) | model.files
        lives = Lives(place, config, folder, bot, around=around, files=files, heap=heap, app=app)
        server = os.environ.get("BASE_URL") or "api.telegram.org"
        against = (
            f"against {server}" if real else "against the simulator; !help for more than texts"
        )
        shown.console.print(
            f"Copepod on {place.name}, heap {lives.heap}, {against}, : for pins; Ctrl-C ends it",
            markup=False,
        )
        run = Run(shown, lives, sim)
        lives.start()
        status = 0
        try:
            run.converse("" if real else "you ")
        finally:
            status = run.end()
            if real and not _allowed(config):
                _tell_owner(folder / "config.json", shown.console)
        return status


def _allowed(config: dict[str, dict[str, dict[str, list[str]]]]) -> list[str]:
    return config["channels"]["telegram"]["allow_from"]


def _tell_owner(path: Path, console: Console) -> None:
    try:
        allowed = _allowed(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError):
        return
    if allowed:
        console.print(f"paired; next time: ALLOW={','.join(map(str, allowed))} make run")


@click.command("run")
@click.option(
    "--bot",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="BOT",
    help="Your bot.py, also BOT=…; firmware/bot.py without one. An edit is picked up at once.",
)
@click.option("--target", default="unix", show_default=True, help=f"{', '.join(targets.names())}.")
@click.option("--heap", help="The GC heap, like 128k.")
@click.option("--app", type=click.Choice(["mpy", "frozen"]), help="From files, or frozen.")
@click.option("--log", is_flag=True, help="Show the gateway's log, too.")
def run_command(
    bot: Path | None, target: str, heap: str | None, app: str | None, log: bool
) -> None:
    """Run the gateway with your bot here and talk to it."""
    place = targets.get(target)
    heap = heap or assistant.heap(os.environ, place)
    console = screen()
    interpreter = f"{place.interpreter()}, {place.word_bits}-bit"
    shown = Screen(console, place.name, interpreter, log)
    status = 0
    path = bot or FIRMWARE / "bot.py"
    with scratch() as folder:
        try:
            status = _run(shown, place, path, heap, app or place.default_app, folder)
        except KeyboardInterrupt:
            console.print()
    shown.summary()
    if status:
        raise UserError(f"the gateway ended with status {status}")

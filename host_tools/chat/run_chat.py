"""`copepod run` (make run): the gateway on MicroPython, and a chat with it in the terminal.

Without a token the simulator takes Telegram's place: what you type arrives as an update, what the
bot sends is shown as Telegram would show it. With TELEGRAM_TOKEN in the environment (ALLOW for
your id, BASE_URL for another Bot API server) the same gateway talks to the real Telegram, and the
terminal shows its log.
With MODEL=mock an assistant answers, with MODEL=http://… one's own. Ctrl-C ends everything and
prints the memory summary.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from host_tools import targets
from host_tools.chat import assistant
from host_tools.console import render, visible
from host_tools.console.frames import Event, Frame, is_human
from host_tools.console.prompt import Prompt
from host_tools.errors import UserError
from host_tools.scenarios import engine
from host_tools.scenarios.live_telegram import real_config
from host_tools.scenarios.terminal import phases, scratch, screen
from host_tools.simulator.bot import Sent
from host_tools.simulator.keyboard import act
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device, Line, Target

BARS = "▁▂▃▄▅▆▇█"
TREND = 12  # frames in the little graph
START_S = 30.0
LAST_ANSWER_S = 3.0  # how long a pipe's end waits for answers


class Chat:
    """The screen: what the device says and what the bot sends."""

    def __init__(self, console: Console, target: Target, log: bool) -> None:
        self.console = console
        self.target = target
        self.log = log
        self.device: Device | None = None
        self.sim: Simulator | None = None
        self.began = time.monotonic()
        self.ending = False  # what the device says of being interrupted is no news then

    def on_line(self, line: Line, item: Frame | Event | None) -> None:
        """A line from the device's console: telemetry goes to the status, logs if wanted."""
        if isinstance(item, Event) and item.name == "poll":
            self.console.print(Text("the gateway is polling", style="dim"))
        matters = _matters(line.text) and not self.ending
        if item is None and not is_human(line.text) and (self.log or matters):
            self.console.print(Text(visible.line(line.text), style="dim"))

    def on_sent(self, sent: Sent) -> None:
        """A message from the bot."""
        edited = " edited" if sent.edits else ""
        self.console.print(Text(f"copepod{edited}", style="bold magenta"))
        # Set in from the edge, so that no line of it can be taken for the gateway's.
        said = render.message(sent.text, sent.entities)
        self.console.print(Padding(said, (0, 0, 0, 2)))

    def status(self) -> Text:
        """The line that moves: the device's memory as the last frame told it."""
        device = self.device
        frames = device.frames.frames if device else []
        if not frames:
            return Text(f"starting on {self.target.name} …", style="dim")
        last = frames[-1]
        used, free = last["gc_used"] or 0, last["gc_free"] or 0
        total = used + free
        low = min(f["gc_free"] or 0 for f in frames)
        trend = "".join(_bar(f["gc_used"] or 0, total) for f in frames[-TREND:])
        parts = [
            f"heap {trend} {used / 1024:.1f} of {total / 1024:.0f} KiB",
            f"live {(last['gc_live'] or 0) / 1024:.1f}",
            f"least free {low / 1024:.1f}",
            f"in {last['in']} out {last['out']} err {last['err']}",
            f"tls {last['tls']}",
            f"up {time.monotonic() - self.began:.0f} s",
        ]
        if self._typing():
            parts.insert(0, "typing …")
        return Text(" · ".join(parts), style="reverse", no_wrap=True, overflow="ellipsis")

    def _typing(self) -> bool:
        """Is the bot at work? Telegram shows the action for five seconds, or until a message."""
        if self.sim is None or not self.sim.methods.actions:
            return False
        since = self.sim.methods.actions[-1][2]
        return time.time() - since < 5 and not any(sent.at > since for sent in self.sim.sent[-1:])

    def summary(self) -> None:
        """What it cost, at the end."""
        device = self.device
        if device is None or not device.frames.frames:
            return
        frames = device.frames
        self.console.print(phases(frames.frames))
        last = frames.frames[-1]
        told = (
            f"{last['in']} messages in, {last['out']} out, {last['tls']} connections; "
            f"live heap {last['gc_live']} B, least free {frames.low_water()} B at "
            f"{len(frames.frames)} frames; {self.target.interpreter()}, {self.target.word_bits}-bit"
        )
        self.console.print(told, markup=False)


def _bar(value: int, total: int) -> str:
    return BARS[min(len(BARS) - 1, value * len(BARS) // max(total, 1))]


def _matters(text: str) -> bool:
    """Log lines that are shown without --log: pairing, and what stops or hinders the gateway."""
    return re.search(r"pair|code|Traceback|Error|: config: |: bot: ", text) is not None


def _with_simulator(chat: Chat, heap: str | None, app: str, folder: Path) -> int:
    with (
        Simulator(host=chat.target.listen, names=[chat.target.address]) as sim,
        assistant.config(os.environ, chat.target) as model,
    ):
        sim.know(USER)
        sim.methods.on_sent = chat.on_sent
        chat.sim = sim
        config = engine.gateway_config(sim, chat.target, model)
        device = chat.target.start(
            config, workdir=folder, files=engine.files_for(sim), heap=heap, app=app
        )
        device.on_line = chat.on_line
        chat.device = device
        try:
            _converse(chat, device, sim)
            return device.exit_status or 0  # not 0 only if it has ended by itself
        finally:
            chat.ending = True
            device.stop()


def _converse(chat: Chat, device: Device, sim: Simulator) -> None:
    console = chat.console
    with Prompt(console, chat.status) as prompt:
        while not device.ended:
            try:
                line = prompt.read(0.25)
            except EOFError:
                if not prompt.interactive:
                    _last_answers(device, sim)
                return
            if line:
                if prompt.interactive:
                    console.print(Text.assemble(("you ", "bold green"), line))
                told = act(sim, line)
                if told:
                    console.print(Text(told, style="dim"))
    console.print(Text(visible.block(device.text()[-2000:]), style="red"))


def _last_answers(device: Device, sim: Simulator) -> None:
    """After a pipe's last line: wait until all is acknowledged and has been answered."""
    device.wait(lambda: device.event("poll") is not None, START_S)  # it has begun at all
    sim.wait(lambda: not sim.queue.pending() or device.ended, 30)
    seen = len(device.frames.frames)
    device.wait(lambda: len(device.frames.frames) > seen, LAST_ANSWER_S)


def _with_telegram(chat: Chat, heap: str | None, app: str, folder: Path) -> int:
    console = chat.console
    config = real_config(dict(os.environ))
    allow = config["channels"]["telegram"]["allow_from"]
    if not allow:
        console.print("ALLOW is not set: send the code below to your bot and it is yours")
    device = chat.target.start(config, workdir=folder, heap=heap, app=app)
    device.on_line = chat.on_line
    chat.device = device
    chat.log = True
    try:
        with Prompt(console, chat.status, label="") as prompt:
            while not device.ended:
                try:
                    prompt.read(0.25)
                except EOFError:
                    device.wait(lambda: False, 3600)
        return device.exit_status or 0
    finally:
        chat.ending = True
        device.stop()
        if not allow:
            _tell_owner(folder / "config.json", console)


def _tell_owner(path: Path, console: Console) -> None:
    try:
        allowed = json.loads(path.read_text())["channels"]["telegram"]["allow_from"]
    except (OSError, ValueError, KeyError):
        return
    if allowed:
        console.print(f"paired; next time: ALLOW={','.join(map(str, allowed))} make run")


@click.command("run")
@click.option("--target", default="unix", show_default=True, help=f"{', '.join(targets.names())}.")
@click.option("--heap", help="The GC heap, like 128k.")
@click.option("--app", type=click.Choice(["mpy", "frozen"]), help="From files, or frozen.")
@click.option("--log", is_flag=True, help="Show the gateway's log, too.")
def run_command(target: str, heap: str | None, app: str | None, log: bool) -> None:
    """Run the gateway here and talk to it."""
    place = targets.get(target)
    heap = heap or assistant.heap(os.environ, place)
    console = screen()
    chat = Chat(console, place, log)
    real = bool(os.environ.get("TELEGRAM_TOKEN"))
    server = os.environ.get("BASE_URL") or "api.telegram.org"
    console.print(
        f"Copepod on {place.name}, heap {heap or place.default_heap or 'its own'}, "
        + (f"against {server}" if real else "against the simulator; !help for more than texts")
        + "; Ctrl-C ends it",
        markup=False,
    )
    status = 0
    with scratch() as folder:
        try:
            status = (_with_telegram if real else _with_simulator)(
                chat, heap, app or place.default_app, folder
            )
        except KeyboardInterrupt:
            console.print()
    chat.summary()
    if status:
        raise UserError(f"the gateway ended with status {status}")

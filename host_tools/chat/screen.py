"""The screen of `make run`: what the bot sends and prints, where it fails, what its pins do, its memory."""

from __future__ import annotations

import time

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from host_tools.chat.lives import Lives
from host_tools.console import render, visible
from host_tools.console.bot_output import BotOutput, Said
from host_tools.console.frames import Event, Frame
from host_tools.scenarios.terminal import phases
from host_tools.simulator import markup
from host_tools.simulator.bot import Sent
from host_tools.simulator.server import Simulator
from host_tools.targets.target import Line

BARS = "▁▂▃▄▅▆▇█"
TREND = 12  # frames in the little graph
# Lines of the log that are shown without being asked for: pairing, and what stops the gateway.
MATTERS = (": pair", "code", ": config: ", "brought the gateway down")


class Screen:
    """Prints what happens; `log` says whether the gateway's log is wanted, too."""

    def __init__(self, console: Console, target: str, interpreter: str, log: bool) -> None:
        self.console = console
        self.target = target
        self.interpreter = interpreter
        self.log = log
        self.lives: Lives | None = None
        self.sim: Simulator | None = None
        self.began = time.monotonic()
        self.ending = False  # what the device says of being interrupted is no news then
        self._output = BotOutput()
        self._noticed = 0
        self._kept: list[str] = []  # the log, as long as it is not shown

    def watch(self, lives: Lives) -> None:
        """Show what this gateway does, in all its lives."""
        self.lives = lives
        lives.on_start = self.new_life
        lives.on_line = self.on_line
        if lives.around is not None:
            lives.around.on_change = self.on_pin

    def new_life(self) -> None:
        """Another gateway is being started."""
        self.ending = False
        if self.sim is not None:
            self.sim.queue.forget_pace()
        if self.lives is not None:
            name = "bot.py" if self.lives.sent else str(self.lives.bot)
            self._output = BotOutput(name, self.lives.source)

    # --- what happens

    def on_line(self, line: Line, item: Frame | Event | None) -> None:
        """A line from the device's console: telemetry goes to the status."""
        if isinstance(item, Event) and item.name == "poll":
            self.console.print(Text("the gateway is polling", style="dim"))
        said = self._output.feed(line.text) if item is None else None
        if said is not None and not self.ending:
            self._show(said)

    def _show(self, said: Said) -> None:
        text = visible.block(said.text)
        if said.kind == "print":
            self.console.print(Text.assemble(("bot.py ", "bold yellow"), text))
        elif said.kind == "traceback":
            self.console.print(Text(text, style="red"))
        elif self.log or any(word in text for word in MATTERS):
            self.console.print(Text(text, style="dim"))
        else:
            self._kept = [*self._kept[-199:], text]

    def on_sent(self, sent: Sent) -> None:
        """A message from the bot."""
        if self.lives is not None and self.lives.around is not None:
            self.lives.around.look()  # pins that it has changed before come first
        edited = " edited" if sent.edits else ""
        self.console.print(Text(f"copepod{edited}", style="bold magenta"))
        if sent.file is not None:
            self.console.print(Padding(render.file(sent.kind, sent.file), (0, 0, 0, 2)))
        # Set in from the edge, so that no line of it can be taken for the gateway's.
        if sent.text or sent.file is None:
            said = render.message(sent.text, sent.entities)
            self.console.print(Padding(said, (0, 0, 0, 2)))
        for row in markup.labels(sent.markup):
            labels = Text("  ").join(
                Text(f" {visible.line(label)} ", style="reverse") for label in row
            )
            self.console.print(Padding(labels, (0, 0, 0, 2)))

    def notices(self) -> None:
        """What the bot has had shown to who has pressed a button, since the last call."""
        if self.sim is not None:
            noticed = self.sim.methods.notices
            for _, text in noticed[self._noticed :]:
                if text:
                    self.tell(f"  ({visible.line(text)})")
            self._noticed = len(noticed)

    def on_pin(self, text: str) -> None:
        """The bot has changed a pin."""
        self.console.print(Text.assemble(("      ⚡ ", "yellow"), text))

    def tell(self, text: str) -> None:
        """A word of ours."""
        self.console.print(Text(text, style="dim"))

    def turn_log(self) -> None:
        """Show the gateway's log from now on, beginning with its last lines, or no more."""
        self.log = not self.log
        if self.log:
            kept, self._kept = self._kept, []
            for text in kept:
                self.tell(text)
        self.tell(f"the gateway's log is {'shown' if self.log else 'hidden'}; F2 or :log turns it")

    # --- the line at the bottom, and the end

    def status(self) -> str:
        """Pins, and the device's memory as the last frame told it."""
        lives = self.lives
        around = lives.around if lives else None
        parts = [around.status()] if around is not None and around.status() else []
        frames = lives.device.frames.frames if lives else []
        if not frames:
            return " · ".join([f"starting on {self.target} …", *parts])
        last = frames[-1]
        used, free = last["gc_used"] or 0, last["gc_free"] or 0
        total = used + free
        low = min(f["gc_free"] or 0 for f in frames)
        trend = "".join(_bar(f["gc_used"] or 0, total) for f in frames[-TREND:])
        parts += [
            f"heap {trend} {used / 1024:.1f} of {total / 1024:.0f} KiB",
            f"live {(last['gc_live'] or 0) / 1024:.1f}",
            f"least free {low / 1024:.1f}",
            f"in {last['in']} out {last['out']} err {last['err']}",
            f"tls {last['tls']}",
            f"up {time.monotonic() - self.began:.0f} s",
        ]
        if self._typing():
            parts.insert(0, "typing …")
        return " · ".join(parts)

    def _typing(self) -> bool:
        """Is the bot at work? Telegram shows the action for five seconds, or until a message."""
        if self.sim is None or not self.sim.methods.actions:
            return False
        since = self.sim.methods.actions[-1][2]
        return time.time() - since < 5 and not any(sent.at > since for sent in self.sim.sent[-1:])

    def summary(self) -> None:
        """What it cost, at the end."""
        if self.lives is None or not self.lives.device.frames.frames:
            return
        frames = self.lives.device.frames
        self.console.print(phases(frames.frames))
        last = frames.frames[-1]
        told = (
            f"{last['in']} messages in, {last['out']} out, {last['tls']} connections; "
            f"live heap {last['gc_live']} B, least free {frames.low_water()} B at "
            f"{len(frames.frames)} frames; {self.interpreter}"
        )
        self.console.print(told, markup=False)


def _bar(value: int, total: int) -> str:
    return BARS[min(len(BARS) - 1, value * len(BARS) // max(total, 1))]

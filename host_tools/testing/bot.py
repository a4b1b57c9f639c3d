"""A bot under test: what is said to it and what it says, its pins, its clock.

reply = bot.say("/led on")
assert reply.text == "The light is on."
assert bot.pin(2) == 1
bot.press("Off")
bot.at("07:30")
assert bot.next().text.startswith("Good morning")
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from host_tools import targets
from host_tools.chat.lives import Lives
from host_tools.console.bot_output import BotOutput
from host_tools.console.frames import Event, Frame
from host_tools.errors import UserError
from host_tools.pretend.surroundings import Surroundings
from host_tools.scenarios.gateway import gateway_config
from host_tools.simulator import Simulator
from host_tools.simulator.bot import Sent
from host_tools.simulator.files import Attached
from host_tools.simulator.updates import USER
from host_tools.targets.target import Line

EXTRA = {
    "channels": {"telegram": {"allow_from": [str(USER), "*"]}},
    "telemetry": {"interval_s": 1000},
}
START_S = 15.0
ANSWER_S = 10.0


class BotFailed(AssertionError):
    """The bot did not do what it should have: its traceback, or what was waited for."""


@dataclass
class Reply:
    """What came of something that was said or pressed. Without an answer the texts are empty."""

    messages: list[Sent] = field(default_factory=list)
    notice: str = ""  # what was shown for a moment, of a pressed button

    @property
    def text(self) -> str:
        """The text as it is read, without its formatting; several messages' as lines."""
        return "\n".join(sent.text for sent in self.messages)

    @property
    def html(self) -> str:
        """The same as the bot has sent it."""
        return "\n".join(sent.html for sent in self.messages)

    @property
    def files(self) -> list[Attached]:
        """The files among them: each has a `name`, `data` and a `size`. Their captions are in `text`."""
        return [sent.file for sent in self.messages if sent.file is not None]

    @property
    def buttons(self) -> list[list[str]]:
        """The labels below the last message, row by row."""
        markup = self.messages[-1].markup if self.messages else None
        rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
        return [[button["text"] for button in row] for row in rows]


class Bot:
    """The gateway with a bot.py, and everything around it. `user` is whoever talks; the first one owns the bot."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.sim = Simulator(tls=False)
        self.around = Surroundings()
        self.printed: list[str] = []  # lines that the bot has printed
        self.log: list[str] = []  # the gateway's own
        self.failures: list[str] = []  # tracebacks of the bot's code
        self._lives: Lives | None = None
        self._output = BotOutput()
        self._sent: list[tuple[Sent, bool]] = []  # each message, whether it is an edited one
        self._given: set[int] = set()  # of them, which were given to the test
        self._raised = 0  # of failures
        self._marks = 0
        self._resets = 0  # of the board, by the bot
        self._clock_s = 0  # what the clock was moved by
        self._stack = contextlib.ExitStack()

    # --- its life

    def start(self) -> None:
        """Start it; returns when the bot listens. BotFailed with the traceback of a bot.py that can't be loaded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(self.around)
        self._stack.enter_context(self.sim)
        self.sim.know(USER)
        self.sim.methods.on_sent = lambda sent: self._sent.append((sent, sent.edits > 0))
        target = targets.get("unix")
        config = gateway_config(self.sim, target, EXTRA)
        self._lives = lives = Lives(target, config, self.folder, self.path, around=self.around)
        lives.on_start = self._begin
        lives.on_line = self._hear
        lives.start()
        self._listen()
        self._raise()

    def restart(self, power_cut: bool = False) -> None:
        """Stop it and start it: what the bot keeps is still there; after a power cut what was written by then."""
        lives = self._running()
        if power_cut:
            lives.device.kill()
        lives.again()
        self._listen()

    def wait_for_reset(self) -> None:
        """Wait until the bot has reset its board, and listens again."""
        before = self._resets
        self._until(lambda: self._resets > before, "the bot resets its board")

    def stop(self) -> None:
        """End it."""
        if self._lives is not None and hasattr(self._lives, "device"):
            self._lives.device.kill()
        self._stack.close()

    def _begin(self) -> None:
        self.sim.queue.forget_pace()
        lives = self._running()
        self._output = BotOutput("bot.py" if lives.sent else str(self.path), lives.source)

    def _listen(self) -> None:
        lives = self._running()
        if not lives.polling(START_S):
            raise BotFailed(f"the bot has not started:\n{lives.device.text()[-3000:]}")
        self._set_clock()  # taken when what begins with the first poll has begun

    def _running(self) -> Lives:
        if self._lives is None:
            raise BotFailed("the bot has not been started")
        return self._lives

    def _hear(self, line: Line, item: Frame | Event | None) -> None:
        said = self._output.feed(line.text)
        if said is not None:
            kinds = {"print": self.printed, "log": self.log, "traceback": self.failures}
            kinds[said.kind].append(said.text)

    # --- what is said

    def say(self, text: str, user: int = USER, chat: int | None = None) -> Reply:
        """Send it a text, in a private chat or in the group `chat`; returns its answer, when it is done with it.

        BotFailed with the traceback if its code fails at that. A question (`msg.ask`) is an answer.
        """
        before = len(self._sent)  # what comes from now on is the reply
        return self._done(self.sim.push_text(text, user=user, chat=chat), chat or user, before)

    def send_file(
        self,
        data: bytes,
        name: str = "notes.txt",
        *,
        kind: str = "document",
        caption: str = "",
        user: int = USER,
    ) -> Reply:
        """Send it a file of these bytes, as a "document", "photo", "voice", "audio" or "video"; returns its answer."""
        before = len(self._sent)
        more: dict[str, Any] = {"caption": caption} if caption else {}
        return self._done(
            self.sim.push_file(data, name, kind=kind, user=user, **more), user, before
        )

    def press(self, label: str, user: int = USER, chat: int | None = None) -> Reply:
        """Press the newest button with this label, or data."""
        before = len(self._sent)
        number = len(self.sim.methods.notices)
        try:
            update = self.sim.press(label, user=user, chat=chat)
        except ValueError as error:
            raise BotFailed(str(error)) from None
        reply = self._done(update, chat or user, before)
        self._until(lambda: len(self.sim.methods.notices) > number, "the press is acknowledged")
        reply.notice = self.sim.methods.notices[-1][1]
        return reply

    def next(self, seconds: float = ANSWER_S) -> Sent:
        """The next message that no say() or press() has given: one that the bot sends by itself."""

        def new() -> list[int]:
            return [at for at in range(len(self._sent)) if at not in self._given]

        self._until(new, "the bot sends a message", seconds)
        at = new()[0]
        self._given.add(at)
        return self._sent[at][0]

    def _done(self, update: int, chat: int, before: int) -> Reply:
        self._until(lambda: self.sim.confirmed >= update, "the bot is done with it")
        self._heard_all()
        after = range(before, len(self._sent))
        mine = [at for at in after if self._sent[at][0].chat_id == chat]
        self._given.update(mine)
        return Reply([self._sent[at][0] for at in mine])

    def _until(self, fact: Callable[[], Any], what: str, seconds: float = ANSWER_S) -> None:
        lives = self._running()
        deadline = time.monotonic() + seconds

        def over() -> bool:
            self.around.look()
            return bool(fact() or self.around.reset or lives.device.ended)

        while not fact():
            self._raise()
            if time.monotonic() > deadline:
                raise BotFailed(f"waited {seconds:.0f} s until {what}\n{self._tail()}")
            self.sim.wait(over, min(1.0, max(0.0, deadline - time.monotonic())))
            if self.around.reset:
                self._resets += 1
                lives.again()
                self._listen()
            elif lives.restarts():
                lives.start(again=True)
                self._listen()
            elif lives.device.ended:
                raise BotFailed(f"the gateway has ended\n{self._tail()}")
        self._raise()

    def _heard_all(self) -> None:
        """Read the console up to now: what was printed, and tracebacks."""
        self._marks += 1
        with contextlib.suppress(UserError):  # it is being reset
            self.around.mark(self._marks)
            device, line = self._running().device, f"@mark {self._marks}"
            device.wait(lambda: device.find(f"^{line}$"), ANSWER_S)
        self._raise()

    def _raise(self) -> None:
        """The bot's code has failed: so does the test, with its traceback. Once each."""
        new, self._raised = self.failures[self._raised :], len(self.failures)
        if new:
            raise BotFailed("\n".join(new))

    def _tail(self) -> str:
        return "\n".join([*self.log[-10:], *self.printed[-10:]])

    # --- what it is connected to

    def pin(self, number: int, level: int | None = None) -> int:
        """The level of a pin; with `level` put it there from outside, and the bot's interrupt is called."""
        if level is not None:
            self._set(f"pin {number} {level}")
        self.around.look()
        if number not in self.around.pins:
            raise BotFailed(f"the bot has no pin {number}")
        return self.around.pins[number]

    def adc(self, number: int, reading: int) -> None:
        """What ADC.read() gives on this pin, 0 to 4095."""
        self._set(f"adc {number} {reading}")

    def dht(self, number: int, celsius: float, percent: float = 50) -> None:
        """A DHT11 or DHT22 on this pin."""
        self._set(f"dht {number} {celsius} {percent}")

    def ds18x20(self, number: int, *celsius: float) -> None:
        """Thermometers on this pin's wire."""
        self._set(" ".join(["ds18x20", str(number), *map(str, celsius)]))

    def i2c(self, address: int, register: int = 0, data: bytes = b"") -> None:
        """A device on the I2C bus, and what its registers hold from `register` on."""
        self._set(" ".join(["i2c", str(address), str(register), *map(str, data)]))

    def pwm(self, number: int) -> tuple[int, int]:
        """(Hz, duty of 65535) on a pin."""
        self.around.look()
        return self.around.pwm[number]

    def neopixel(self, number: int) -> list[tuple[int, ...]]:
        """The colours of the strip on a pin."""
        self.around.look()
        return self.around.neopixels[number]

    def _set(self, command: str) -> None:
        try:
            self.around.set(command)
        except UserError as error:
            raise BotFailed(str(error)) from None

    # --- its clock

    def at(self, time_of_day: str) -> None:
        """It becomes "HH:MM" (UTC) the next time: what is due within the hour before is called."""
        now = datetime.fromtimestamp(time.time() + self._clock_s, UTC)
        hour, _, minute = time_of_day.partition(":")
        then = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        if then <= now:
            then += timedelta(days=1)
        self.after((then - now).total_seconds())

    def after(self, seconds: float) -> None:
        """So much time passes for the bot's timers, which are called at most once for it."""
        self._clock_s += int(seconds + 0.999)
        self._set_clock()

    def _set_clock(self) -> None:
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                self.around.set(f"clock {self._clock_s}")
                return
            except UserError as error:
                if "not begun" not in str(error) or time.monotonic() > deadline:
                    raise BotFailed(str(error)) from None
                self.sim.wait(lambda: False, 0.02)

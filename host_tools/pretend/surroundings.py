"""What a pretended board is connected to: levels and sensors that are set here, pins and lights that are seen.

    with Surroundings() as around:
        target = around.target(targets.get("unix"))   # what starts there has a `machine`
        ...
        around.set("pin 4 0")
        around.pins[2]

The gateway's process connects as it begins (modules/pretended/line.py). A line that
it writes is here before anything that it does afterwards can be seen elsewhere.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.errors import UserError
from host_tools.targets.process import ProcessTarget
from host_tools.targets.target import Target

MODULES = Path(__file__).with_name("modules")
TAKEN_S = 10.0  # for a bot to take what was set: its handlers may be busy
COMMANDS = {
    "pin": (2, "pin PIN LEVEL, like pin 4 1"),
    "adc": (2, "adc PIN READING, of 0 to 4095"),
    "dht": (2, "dht PIN CELSIUS [PERCENT]"),
    "ds18x20": (2, "ds18x20 PIN CELSIUS [CELSIUS …], one for each sensor"),
    "clock": (1, "clock SECONDS, that the bot's clock is ahead"),
    "i2c": (1, "i2c ADDRESS [REGISTER BYTE …]"),
}


class Surroundings:
    """The other end of every pin. Thread-safe; outlives any number of gateways, one at a time."""

    def __init__(self) -> None:
        self.pins: dict[int, int] = {}  # levels, of outputs and of inputs
        self.outputs: set[int] = set()
        self.pwm: dict[int, tuple[int, int]] = {}  # pin -> (Hz, duty of 65535)
        self.neopixels: dict[int, list[tuple[int, ...]]] = {}  # pin -> colours
        self.i2c: list[tuple[int, bytes]] = []  # what was written, to which address
        self.given: dict[
            str, str
        ] = {}  # "adc 34" -> "2000": set from here; the next process begins with it
        self.reset: str | None = None  # how the bot has reset its board: it waits for its end
        self.on_change: Callable[[str], None] | None = None  # called with "pin 2 = 1"
        self._lock = threading.RLock()
        self._line: socket.socket | None = None
        self._rest = b""
        self._replies: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ending = False
        self._thread = threading.Thread(target=self._read, daemon=True, name="surroundings")

    def __enter__(self) -> Surroundings:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending = True
        self._thread.join(5)
        self.forget()
        self._server.close()

    def target(self, place: Target) -> Target:
        """The same target with a `machine`; UserError where there is a real one, or could be none."""
        if not isinstance(place, ProcessTarget):
            raise UserError(
                f"{place.name} has pins of its own, or none: nothing is pretended there"
            )
        variables = {"COPEPOD_PRETEND": str(self._server.getsockname()[1])}
        given = [f"{key} {values}".strip() for key, values in self.given.items()]
        if given:
            variables["COPEPOD_PRETEND_GIVEN"] = ";".join(given)
        if self.reset:
            variables["COPEPOD_PRETEND_CAUSE"] = self.reset
        return place.with_modules(MODULES, variables)

    def forget(self) -> None:
        """The process is gone: its pins are, too."""
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = None
            self._rest = b""
            self.reset = None
            self.outputs.clear()
            for seen in (self.pins, self.pwm, self.neopixels):
                seen.clear()

    # --- from here to there

    def set(self, command: str) -> None:
        """`pin 4 1` and the like (COMMANDS). UserError when it can't be; returns when it is taken."""
        words = command.split()
        fewest, usage = COMMANDS.get(words[0], (0, "")) if words else (0, "")
        if not fewest:
            raise UserError("there are " + "; ".join(text for _, text in COMMANDS.values()))
        try:
            told = [words[0], *(_number(word) for word in words[1:])]
        except ValueError:
            told = []
        if len(told) <= fewest:
            raise UserError(usage)
        self._say(told)
        key = " ".join(told[: {"clock": 1, "i2c": 3}.get(words[0], 2)])
        self.given[key] = " ".join(told[len(key.split()) :])
        if words[0] == "pin":
            self.pins[int(told[1])] = int(told[2])

    def mark(self, number: int) -> None:
        """Have `@mark NUMBER` printed on the console, behind everything that was printed until now."""
        self._say(["mark", str(number)])

    def _say(self, words: list[str]) -> None:
        with self._lock:
            self.look()
            if self._line is None:
                raise UserError("nothing is connected: the gateway has not begun")
            self._replies.clear()
            self._line.sendall((" ".join(words) + "\n").encode())
            deadline = time.monotonic() + TAKEN_S
            while not self._replies:
                if self._line is None:
                    raise UserError("the bot has just ended")
                if time.monotonic() > deadline:
                    raise UserError(f"the bot did nothing for {TAKEN_S:.0f} s")
                select.select([self._line], [], [], 0.1)
                self.look()
            verdict, _, why = self._replies.pop(0).partition(" ")
        if verdict == "refused":
            raise UserError(why)

    # --- from there to here

    def look(self) -> None:
        """Take what has been said until now."""
        with self._lock:
            while select.select([self._server], [], [], 0)[0]:
                self.forget()
                self._line, _ = self._server.accept()
                self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._line is not None and select.select([self._line], [], [], 0)[0]:
                try:
                    data = self._line.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    self._line.close()
                    self._line = None
                    return
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._hear(line.decode("utf-8", "replace"))

    def _read(self) -> None:
        while not self._ending:
            with self._lock:
                waiting = [self._server, *([self._line] if self._line is not None else [])]
            with contextlib.suppress(OSError, ValueError):  # closed meanwhile
                select.select(waiting, [], [], 0.05)
                self.look()

    def _hear(self, line: str) -> None:
        word, *rest = line.split(" ")
        shown = ""
        if word in ("taken", "refused"):
            self._replies.append(line)
        elif word == "reset":
            self.reset = rest[0]
        elif word == "pin":
            number, level = int(rest[0]), int(rest[1])
            self.outputs.add(number)
            self.pins[number] = level
            shown = f"pin {number} = {level}"
        elif word == "input":
            self.outputs.discard(int(rest[0]))
            self.pins[int(rest[0])] = int(rest[1])
        elif word == "pwm":
            self.pwm[int(rest[0])] = (int(rest[1]), int(rest[2]))
            shown = f"pwm {rest[0]} = {rest[1]} Hz, {int(rest[2]) * 100 / 65535:.0f} %"
        elif word == "neopixel":
            lights = [tuple(bytes.fromhex(light)) for light in rest[1].split(",")]
            self.neopixels[int(rest[0])] = lights
            shown = f"neopixel {rest[0]} = {' '.join(light.hex() for light in map(bytes, lights))}"
        elif word == "i2c":
            data = bytes.fromhex(rest[1].replace("-", ""))
            self.i2c.append((int(rest[0], 16), data))
            shown = f"i2c {rest[0]} <- {data.hex(' ')}"
        if shown and self.on_change:
            self.on_change(shown)

    def status(self) -> str:
        """Everything in one line: what the bot puts out, and what was set."""
        with self._lock:
            parts = [f"pin {number}={level}" for number, level in sorted(self.pins.items())]
            parts += [f"pwm {pin}={duty * 100 // 65535}%" for pin, (_, duty) in self.pwm.items()]
            given = self.given.items()
            parts += [f"{key}={value}" for key, value in given if not key.startswith("pin ")]
        return " ".join(parts)


def _number(word: str) -> str:
    """A number as the other side reads it; `on` and `off` are levels. ValueError for other words."""
    if word in ("on", "off"):
        return "1" if word == "on" else "0"
    if word.startswith("0x"):
        return str(int(word, 16))
    float(word)
    return word

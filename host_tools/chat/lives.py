"""The gateway that is talked to: started anew when its bot.py is edited, resets its board, or another is sent.

What it is connected to goes on meanwhile: the server with its chat, the pins, the folder with the
config and what the gateway keeps.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.console.frames import Event, Frame
from host_tools.errors import UserError
from host_tools.pretend.surroundings import Surroundings
from host_tools.targets.target import Device, Line, Start, Target

RESTART = 75  # status of a gateway that wants to be started again
TRIAL = ".trial"  # where a bot.py that was sent to the bot is: firmware/copepod/trial.py
STOP_S = 1.0  # a handler that goes on after Ctrl-C is not waited for longer


class Lives:
    """One gateway after the other, with the same config and the bot.py at `bot`; start() begins.

    `on_start` is called before each life begins, `on_line` with each line that it says.
    """

    device: Device

    def __init__(
        self,
        target: Target,
        config: dict[str, Any],
        folder: Path,
        bot: Path,
        *,
        around: Surroundings | None = None,
        files: dict[str, bytes] | None = None,
        heap: str | None = None,
        app: str = "mpy",
    ) -> None:
        self.target = target
        self.config = config
        self.folder = folder
        self.bot = bot
        self.around = around  # None: the target has pins of its own, or none
        self.source = ""  # of the bot that runs
        self.sent = False  # that is one that was sent to it
        roomy = around.target(target) if around is not None else target
        self.heap = heap or roomy.default_heap or "its own"
        self.on_start: Callable[[], None] = lambda: None
        self.on_line: Callable[[Line, Frame | Event | None], None] = lambda line, item: None
        self._files = files
        self._heap = heap
        self._app = app
        self._edited_at: tuple[int, int] | None = None

    def look(self) -> str | None:
        """Start the gateway anew if there is a reason, which is returned."""
        why = None
        if self.around is not None and self.around.reset:
            why = "the bot has reset its board"
        elif self.restarts():
            self.stop()
            self.start(again=True)
            return "the gateway has restarted itself"
        elif self._stamp() not in (self._edited_at, None):
            why = f"{self.bot.name} has been edited"
            self.sent = False
        if why:
            self.again()
        return why

    def again(self) -> None:
        """End it and start it."""
        self.stop()
        self.start(again=self.sent)

    def restarts(self) -> bool:
        """Whether it has ended to be started again, as it does to try a bot.py that was sent to it."""
        if not self.device.ended:
            return False
        deadline = time.monotonic() + STOP_S
        while self.device.exit_status is None and time.monotonic() < deadline:
            time.sleep(0.01)  # its console has ended already
        return self.device.exit_status == RESTART

    def stop(self) -> None:
        """End it as Ctrl-C does; at once when it has reset itself, since it only waits for that."""
        if self.around is not None and self.around.reset:
            self.device.kill()
        else:
            self.device.stop(STOP_S)

    def polling(self, seconds: float) -> bool:
        """Wait until it polls, and so has loaded its bot; False if it has not in that time."""
        return self.device.wait(lambda: self.device.event("poll") is not None, seconds)

    def start(self, *, again: bool = False) -> None:
        """Start the gateway with the bot as it is now; `again`: with the one that was sent to it. UserError."""
        bot = self.bot
        if again:
            tried = self.folder / TRIAL / "bot.py"
            bot = tried if tried.exists() else self.folder / "bot.py"
        else:
            self._edited_at = self._stamp()
            shutil.rmtree(self.folder / TRIAL, ignore_errors=True)
        try:
            self.source = bot.read_text(errors="replace" if again else "strict")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{bot}: {error}") from None
        self.sent = again
        target = self.target
        if self.around is not None:
            target = self.around.target(target)
            self.around.forget()
        self.on_start()
        source = None if again else self.source  # None: what lies there
        how = Start(self.config, self.folder, self._files or {}, self._heap, self._app, bot=source)
        self.device = target.start(how)
        self.device.listen(self.on_line)

    def _stamp(self) -> tuple[int, int] | None:
        """Changes with every edit; None while an editor puts the new file in the old one's place."""
        try:
            found = self.bot.stat()
        except OSError:
            return None
        if not found.st_size and time.time() - found.st_mtime < 1:
            return None  # it is being written
        return found.st_mtime_ns, found.st_size

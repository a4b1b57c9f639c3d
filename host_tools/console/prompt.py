"""A line to type on and a line that moves at the bottom of the terminal; text scrolls above them.

Editing, history and what is pasted are prompt_toolkit's affair: a paste of several lines is one text.
In a pipe there is nothing at the bottom: lines are read from standard input and output is plain.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

REFRESH_S = 0.25


class Prompt:
    """`with Prompt(console, status) as prompt:` then `read()` lines and print on the console.

    `status` gives the bottom line's text. `keys` are functions by the name of their key, like "f2".
    """

    def __init__(
        self,
        console: Console,
        status: Callable[[], str],
        label: str = "you ",
        source: TextIO | None = None,
        keys: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self.console = console
        self.source = source or sys.stdin
        self.label = label
        self.keys = keys or {}
        self._status = status
        self._lines: queue.Queue[str | None | BaseException] = queue.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._typing: asyncio.Task[None] | None = None
        self._patched = contextlib.ExitStack()
        self.interactive = bool(
            self.source.isatty() and console.is_terminal and console.width > 20
        )

    def __enter__(self) -> Prompt:
        if self.interactive:
            from prompt_toolkit.patch_stdout import patch_stdout

            self._patched.enter_context(patch_stdout(raw=True))  # where the console writes
            self._thread = threading.Thread(target=self._type, daemon=True, name="prompt")
        else:
            self._thread = threading.Thread(target=self._pipe, daemon=True, name="stdin")
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if not self.interactive or self._thread is None:
            return
        if self._loop is not None and self._typing is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._typing.cancel)
        self._thread.join(5)
        self._patched.close()

    def read(self, timeout: float) -> str | None:
        """A line, or None when none was finished in that time.

        EOFError at the end of input, KeyboardInterrupt for Ctrl-C.
        """
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(line, BaseException):
            raise line
        if line is None:
            raise EOFError
        return line

    def _pipe(self) -> None:
        for line in self.source:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    # --- in a terminal, in a thread of its own

    def _type(self) -> None:
        try:
            asyncio.run(self._session())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._lines.put(error)

    async def _session(self) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.formatted_text import FormattedText
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.styles import Style

        self._loop = asyncio.get_running_loop()
        self._typing = asyncio.current_task()
        session: PromptSession[str] = PromptSession(
            FormattedText([("bold ansigreen", f"{self.label}› ")]),
            bottom_toolbar=self._bottom,
            style=Style.from_dict({"bottom-toolbar": "noreverse"}),  # its bars stand upright
            refresh_interval=REFRESH_S,
            history=InMemoryHistory(),
            key_bindings=self._bindings(),
            erase_when_done=True,
        )
        # What is printed meanwhile needs no other mode, in which the terminal would take keys apart.
        session.app.input.cooked_mode = contextlib.nullcontext  # pyright: ignore[reportAttributeAccessIssue]
        try:
            await session.prompt_async(handle_sigint=False)  # one for all lines: see _bindings()
        except (EOFError, KeyboardInterrupt) as error:
            self._lines.put(error)

    def _bindings(self) -> KeyBindings:
        from prompt_toolkit.key_binding import KeyBindings

        bindings = KeyBindings()

        def enter(event: Any) -> None:
            # Who reads the line shows it. The prompt goes on, so that no key falls between two.
            buffer = event.current_buffer
            self._lines.put(buffer.text)
            buffer.reset(append_to_history=True)

        bindings.add("enter")(enter)
        for name, function in self.keys.items():

            def pressed(event: Any, function: Callable[[], None] = function) -> None:
                function()

            bindings.add(name)(pressed)
        return bindings

    def _bottom(self) -> str:
        room = self.console.width
        text = self._status()
        return set_cell_size(text, room - 1) + "…" if cell_len(text) > room else text

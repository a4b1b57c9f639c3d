"""A board on a socket: the mock boot ROM for esptool, and a console that plays a boot log.

esptool speaks first, a monitor only listens: whoever connects and says nothing for a moment gets
the console. All connections share one flash, so a test can look at what lies in it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

from esp32_mock_bootloader import protocol, server

_CONSOLE_AFTER_S = 0.4


class _Wire:
    """A socket that is cut after so many bytes, or whose data is changed on the way."""

    def __init__(self, wire: socket.socket, cut_after: int | None) -> None:
        self._wire = wire
        self._left = cut_after

    def recv(self, size: int) -> bytes:
        data = self._wire.recv(size)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self._wire.close()
                raise OSError("cut")
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._wire, name)


class MockBoard:
    """One board. `console`: what it prints when it is listened to."""

    def __init__(
        self,
        chip: str,
        *,
        console: bytes = b"",
        cut_after: int | None = None,
        damage: Callable[[bytearray], None] | None = None,
        flash_id: int | None = None,
    ) -> None:
        self.chip = chip
        self.flash = server.FlashImage()
        self.connections = 0
        self.listeners = 0
        self._console = console
        self._cut_after = cut_after
        self._damage = damage
        self._flash_id = flash_id
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self.url = f"socket://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> MockBoard:
        self._saved_id = protocol.MOCK_FLASH_ID
        if self._flash_id is not None:
            protocol.MOCK_FLASH_ID = self._flash_id
        if self._damage:
            write = self.flash.write_defl_block

            def damaged(payload: bytes) -> None:
                write(payload)
                assert self._damage is not None
                self._damage(self.flash.data)

            self.flash.write_defl_block = damaged
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._listener.close()
        protocol.MOCK_FLASH_ID = self._saved_id
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                wire, _ = self._listener.accept()
            except TimeoutError:
                continue
            with wire:
                self._client(wire)

    def _client(self, wire: socket.socket) -> None:
        wire.settimeout(_CONSOLE_AFTER_S)
        try:
            silent = not wire.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            silent = True
            self.listeners += 1
            with contextlib.suppress(OSError):
                wire.sendall(self._console)
                while not self._stop.wait(0.05):
                    wire.settimeout(0.01)
                    with contextlib.suppress(TimeoutError):
                        if not wire.recv(1):
                            break
        except OSError:
            return
        if silent:
            return
        self.connections += 1
        connection = server.BootloaderConnection(sock=_Wire(wire, self._cut_after))
        server.handle_client(connection, self._stop, self.chip, None, flash=self.flash)

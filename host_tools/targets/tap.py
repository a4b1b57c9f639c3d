"""A hand on the network cable between an emulated board and QEMU's user network.

QEMU's filter-redirector takes the frames of one direction out over a socket and puts what comes
back on another one in their place. All of them pass through this process, which can hold them all
back (`up` False: the cable is out) and answer some itself (services.py).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from host_tools.targets.services import Services

HEADER = 4  # big-endian length before each frame
NETDEV = "net"  # the id of QEMU's network


class Direction:
    """The frames of one direction: `see` takes each, and `put` lets one go on."""

    def __init__(self, name: str, queue: str, see: Callable[[bytes], None]) -> None:
        self.name = name
        self.queue = queue  # as QEMU names it: tx towards the board, rx from it
        self._see = see
        self._lock = threading.Lock()
        self._listeners = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(2)]
        self._out: socket.socket | None = None
        self._back: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"frames {name}")
        self._thread.start()

    def arguments(self) -> list[str]:
        """QEMU's arguments for it."""
        out = []
        for end, listener in zip(("out", "back"), self._listeners, strict=True):
            port = listener.getsockname()[1]
            out += ["-chardev", f"socket,id={self.name}-{end},host=127.0.0.1,port={port}"]
        filters = [f"outdev={self.name}-out", f"indev={self.name}-back"]
        if self.queue == "rx":  # QEMU goes through these from the last to the first
            filters.reverse()
        for number, device in enumerate(filters):
            what = f"filter-redirector,id={self.name}{number},netdev={NETDEV}"
            out += ["-object", f"{what},queue={self.queue},{device}"]
        return out

    def put(self, frame: bytes) -> None:
        """Let a frame go on in this direction."""
        with self._lock, contextlib.suppress(OSError):
            if self._back is not None:
                self._back.sendall(len(frame).to_bytes(HEADER, "big") + frame)

    def close(self) -> None:
        """End it; QEMU should have ended before."""
        for one in (self._out, self._back, *self._listeners):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            self._out = self._listeners[0].accept()[0]
            self._back = self._listeners[1].accept()[0]
            self._back.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self._out.makefile("rb")
            while len(header := stream.read(HEADER)) == HEADER:
                self._see(stream.read(int.from_bytes(header, "big")))


class Tap:
    """Both directions of a board's network."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.up = True
        self.held_back = 0  # frames that came while it was down
        self._to_board = Direction("to-board", "tx", self._for_board)
        self._from_board = Direction("from-board", "rx", self._of_board)

    def arguments(self) -> list[str]:
        """QEMU's arguments for it, beside a network with the id `net`."""
        return self._to_board.arguments() + self._from_board.arguments()

    def close(self) -> None:
        """End it; QEMU should have ended before."""
        self._to_board.close()
        self._from_board.close()

    def _for_board(self, frame: bytes) -> None:
        if self.up:
            self._to_board.put(frame)
        else:
            self.held_back += 1

    def _of_board(self, frame: bytes) -> None:
        if not self.up:
            self.held_back += 1
        elif self.services.takes(frame):
            # In a thread: whoever resolves a name may take a while, and other frames go on.
            threading.Thread(target=self._answer, args=(frame,), daemon=True).start()
        else:
            self._from_board.put(frame)

    def _answer(self, frame: bytes) -> None:
        answer = self.services.answer(frame)
        if answer is not None:
            self._for_board(answer)

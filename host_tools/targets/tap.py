"""A hand on the network cable between an emulated board and QEMU's user network.

QEMU connects both ends to sockets here: the board's card, and by way of a hub the user network.
Every frame passes through this process, which can hold them all back (`up` False: the cable is
out) and answers some itself (services.py).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from host_tools.targets import frame_sockets
from host_tools.targets.services import Services

CONNECT_S = 10.0


class End:
    """One end of the cable: `see` takes the frames that come out of it, `put` sends one into it."""

    def __init__(self, name: str, see: Callable[[bytes], None]) -> None:
        self._see = see
        self._lock = threading.Lock()
        self._there = threading.Event()
        self._listener = frame_sockets.listen()
        self._socket: socket.socket | None = None
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"frames {name}")
        self._thread.start()

    def put(self, frame: bytes) -> None:
        """Send a frame into this end, as soon as QEMU is there."""
        self._there.wait(CONNECT_S)
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                frame_sockets.put(self._socket, frame)

    def close(self) -> None:
        """End it; QEMU should have ended before."""
        self._there.set()
        frame_sockets.close(one for one in (self._socket, self._listener) if one is not None)
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            self._socket = self._listener.accept()[0]
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._there.set()
            for frame in frame_sockets.frames(self._socket):
                self._see(frame)


class Tap:
    """The cable of one board."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.up = True
        self.held_back = 0  # frames that came while it was down
        self._board = End("board", self._from_board)
        self._network = End("network", self._from_network)

    def arguments(self, model: str, network: str) -> list[str]:
        """QEMU's arguments: a card of this model, and a user network with these addresses."""
        return [
            "-nic", f"socket,model={model},connect={self._board.address}",
            "-netdev", f"user,id=user,net={network}",
            "-netdev", "hubport,id=hub0,hubid=0,netdev=user",
            "-netdev", f"socket,id=cable,connect={self._network.address}",
            "-netdev", "hubport,id=hub1,hubid=0,netdev=cable",
        ]  # fmt: skip

    def close(self) -> None:
        """End it; QEMU should have ended before."""
        self._board.close()
        self._network.close()

    def _from_network(self, frame: bytes) -> None:
        if self.up:
            self._board.put(frame)
        else:
            self.held_back += 1

    def _from_board(self, frame: bytes) -> None:
        if not self.up:
            self.held_back += 1
        elif self.services.takes(frame):
            # In a thread: whoever resolves a name may take a while, and other frames go on.
            threading.Thread(target=self._answer, args=(frame,), daemon=True).start()
        else:
            self._network.put(frame)

    def _answer(self, frame: bytes) -> None:
        answer = self.services.answer(frame)
        if answer is not None:
            self._from_network(answer)

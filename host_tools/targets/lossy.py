"""Packet loss for a QEMU machine: every frame of its network card passes through this process.

QEMU's filter-redirector takes the frames of one direction out over a socket and puts what comes
back on another one in their place. Here a seeded lottery decides which frames come back.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading

from host_tools.targets import frame_sockets


class Direction:
    """The frames of one direction: `seen`, and `lost` of them."""

    def __init__(self, name: str, queue: str, seed: int) -> None:
        self.name = name
        self.queue = queue  # as QEMU names it: tx towards the machine, rx from it
        self.seen = self.lost = 0
        self.rate = 0.0
        self._random = random.Random(seed)
        self._out = frame_sockets.listen()
        self._back = frame_sockets.listen()
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"frames {name}")
        self._thread.start()

    def arguments(self) -> list[str]:
        """QEMU's arguments for it, on the netdev `net`."""
        out = []
        for end, listener in (("out", self._out), ("back", self._back)):
            port = listener.getsockname()[1]
            out += ["-chardev", f"socket,id={self.name}-{end},host=127.0.0.1,port={port}"]
        filters = [f"outdev={self.name}-out", f"indev={self.name}-back"]
        if self.queue == "rx":  # QEMU goes through these from the last to the first
            filters.reverse()
        for number, dev in enumerate(filters):
            name = f"{self.name}{number}"
            out += ["-object", f"filter-redirector,id={name},netdev=net,queue={self.queue},{dev}"]
        return out

    def close(self) -> None:
        """End it; the machine should have ended before."""
        frame_sockets.close((*self._connections, self._out, self._back))
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            for listener in (self._out, self._back):
                self._connections.append(listener.accept()[0])
            out, back = self._connections
            back.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for frame in frame_sockets.frames(out):
                self.seen += 1
                if self._random.random() < self.rate:
                    self.lost += 1
                else:
                    frame_sockets.put(back, frame)


class LossyNetwork:
    """Both directions of a machine's network; `rate` of the frames of each gets lost."""

    def __init__(self, seed: int = 1) -> None:
        self.directions = (
            Direction("to-machine", "tx", seed),
            Direction("from-machine", "rx", ~seed),
        )

    def arguments(self) -> list[str]:
        """For Options.extra."""
        return [argument for one in self.directions for argument in one.arguments()]

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.directions)

    @property
    def seen(self) -> int:
        return sum(one.seen for one in self.directions)

    def set_rate(self, rate: float) -> None:
        """From now on lose this share of the frames, 0 to 1, in each direction."""
        for one in self.directions:
            one.rate = rate

    def close(self) -> None:
        for one in self.directions:
            one.close()

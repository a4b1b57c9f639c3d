"""Ethernet frames as QEMU passes them over a socket: each with its length before it, in four bytes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator

_HEADER_B = 4  # big-endian


def listen() -> socket.socket:
    """A socket for one QEMU to connect to."""
    return socket.create_server(("127.0.0.1", 0), backlog=1)


def frames(connection: socket.socket) -> Iterator[bytes]:
    """The frames that come, until the other end closes."""
    stream = connection.makefile("rb")
    while len(header := stream.read(_HEADER_B)) == _HEADER_B:
        yield stream.read(int.from_bytes(header, "big"))


def put(connection: socket.socket, frame: bytes) -> None:
    """Send one."""
    connection.sendall(len(frame).to_bytes(_HEADER_B, "big") + frame)


def close(sockets: Iterable[socket.socket]) -> None:
    """Close them; a thread that waits on one of them goes on."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

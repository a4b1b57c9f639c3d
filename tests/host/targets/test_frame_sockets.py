"""Frames between QEMU's sockets: what is sent arrives, what is lost is counted, and closing ends all."""

from __future__ import annotations

import re
import socket

import pytest

from host_tools.targets import frame_sockets
from host_tools.targets.lossy import Direction
from host_tools.targets.services import Services
from host_tools.targets.tap import Tap

SENT = [b"", b"x", bytes(range(256)) * 6]


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.parametrize(("rate", "lost"), [(0.0, 0), (1.0, len(SENT))])
def test_a_direction_loses_its_share(rate: float, lost: int) -> None:
    direction = Direction("to-machine", "tx", 1)
    direction.rate = rate
    out_port, back_port = map(int, re.findall(r"port=(\d+)", " ".join(direction.arguments())))
    with connected(out_port) as out, connected(back_port) as back:
        for frame in SENT:
            frame_sockets.put(out, frame)
        out.shutdown(socket.SHUT_WR)
        direction._thread.join(5)  # the last frame has been seen
        assert (direction.seen, direction.lost) == (len(SENT), lost)
        direction.close()
        assert list(frame_sockets.frames(back)) == ([] if lost else SENT)


def test_a_cable_that_is_out_holds_frames_back() -> None:
    tap = Tap(Services({}))
    words = " ".join(tap.arguments("open_eth", "10.0.2.0/24"))
    ports = [int(port) for port in re.findall(r"connect=127\.0\.0\.1:(\d+)", words)]
    with connected(ports[0]) as board, connected(ports[1]) as network:
        from_network, from_board = frame_sockets.frames(network), frame_sockets.frames(board)
        frame_sockets.put(board, SENT[2])
        assert next(from_network) == SENT[2]
        frame_sockets.put(network, SENT[1])
        assert next(from_board) == SENT[1]
        tap.up = False
        frame_sockets.put(board, SENT[1])
        board.shutdown(socket.SHUT_WR)
        tap._board._thread.join(5)
        assert tap.held_back == 1
        tap.close()
        assert list(from_network) == []


def test_a_frame_that_is_cut_off_ends_them() -> None:
    here, there = socket.socketpair()
    with here, there:
        frame_sockets.put(here, b"whole")
        here.sendall(b"\0\0")
        here.shutdown(socket.SHUT_WR)
        assert list(frame_sockets.frames(there)) == [b"whole"]

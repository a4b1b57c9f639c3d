"""The line to whoever plays the board's surroundings (host_tools/pretend/surroundings.py). On no board.

Both sides write lines of words: `pin 4 1`. What comes in is a command, answered with `taken` or
`refused`; what goes out is what the bot has done. COPEPOD_PRETEND names the port; without it nobody
listens, and everything is as on a board to which nothing is connected. COPEPOD_PRETEND_GIVEN holds the
commands that were given before the process began.
"""

import os
import select
import socket
import sys
from asyncio import core

_TCP = 6
_NODELAY = (
    b"\x01\x00\x00\x00"  # each line at once, so that they are there before the answer that follows
)

_takers = {}  # first word of a command -> function of the other words
_open = _looking = False
_socket = _poller = None
_rest = b""


def take(word, taker):
    """Commands that begin with `word` are for taker(*other words), those that came before it, too."""
    _takers[word] = taker
    for line in (os.getenv("COPEPOD_PRETEND_GIVEN") or "").split(";"):
        words = line.split(" ")
        if words[0] == word:
            try:
                taker(*words[1:])
            except ValueError:  # what it was for is not there yet
                pass


def tell(*words):
    """Say what the bot has done."""
    if _open:
        try:
            _socket.write(" ".join([str(word) for word in words]).encode() + b"\n")
        except OSError:
            _close()


def look():
    """Take what has been said from outside, without waiting: whoever polls an input sees it change."""
    global _looking
    if _looking:  # asked by a handler that is called from here
        return
    _looking = True
    try:
        while _open and _poller.poll(0):
            _receive()
    finally:
        _looking = False


def call(handler, argument):
    """Call a handler of the bot's as an interrupt does: what it raises is printed, no more."""
    try:
        handler(argument)
    except Exception as error:
        sys.print_exception(error, sys.stdout)


def halt():
    """Never return, as a board that is being reset: who was told of it ends the process."""
    while _open:
        _poller.poll(1000)
        _receive()
    raise SystemExit(75)


def _receive():
    global _rest
    try:
        data = _socket.recv(1024)
    except OSError:
        data = b""
    if not data:
        _close()
        return
    lines = (_rest + data).split(b"\n")
    _rest = lines.pop()
    for line in lines:
        _take(line.decode().split(" "))


def _take(words):
    told = "taken"
    try:
        _takers[words[0]](*words[1:])
    except KeyError:
        told = "refused the bot has imported nothing that could take it"
    except Exception as error:
        told = "refused %s" % error
    tell(told)


def _close():
    global _open
    if _open:
        _open = False
        _poller.unregister(_socket)


def _listen():
    # As asyncio's streams wait; the bytes are read by look().
    while _open:
        yield core._io_queue.queue_read(_socket)
        look()


def _connect(port):
    global _open, _socket, _poller
    _socket = socket.socket()
    _socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    _socket.setsockopt(_TCP, 1, _NODELAY)
    _poller = select.poll()
    _poller.register(_socket, select.POLLIN)
    _open = True
    core.create_task(_listen())


def _mark(number):
    # On the console, so that whoever reads that knows that it has read everything before.
    print("@mark", number)


take("mark", _mark)
_port = os.getenv("COPEPOD_PRETEND")
if _port:
    _connect(int(_port))

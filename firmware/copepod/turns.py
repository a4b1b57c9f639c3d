"""Messages whose chat is served in a lane (parallel.py) wait for their turn. Memory: kept while there are some."""

from micropython import const

from copepod.messages import OutboundMessage
from copepod.once import forget

_TURNS = const(4)  # that wait while others are served
_TEXT_B = const(1024)  # of each, at most


def turn(worker, msg):
    """Awaitable: gives what lets the worker put `msg` aside until its turn has come. None: it has come.

    Over when the lane has ended where `msg` is too long to lie about, or enough do.
    """
    forget("copepod.turns")
    waiting = Turn(worker.gateway, msg.chat_id)
    return None if waiting.state else _place(worker, msg, waiting)


async def _place(worker, msg, waiting):
    gateway = worker.gateway
    while waiting.state == 0 and not _fits(worker, msg):
        await gateway.wake_worker
    return waiting


def _fits(worker, msg):
    count = 0
    for entry in worker.asides:
        if entry[1] is False:
            count += 1
    if count >= _TURNS or msg.size_b() > _TEXT_B:
        return False
    try:
        msg.text  # out of the buffer  # noqa: B018
    except MemoryError:
        return False
    return True


class Turn(OutboundMessage):
    """To the worker an answer that takes its time: `state` is 0 while a lane serves the chat."""

    def __init__(self, gateway, chat_id):
        self.chat_id = chat_id
        self.gateway = gateway

    @property
    def state(self):
        for lane in self.gateway.jobs[2:]:
            if lane.chat_id == self.chat_id:
                return 0
        return 1

    def leave(self, worker):
        """Its handler has not begun: the worker may take another message."""
        worker.asides.append((worker.msg, False, self))
        worker.msg = None
        worker.gateway.wake_channel.set()

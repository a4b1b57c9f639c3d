"""Messages whose answers a flood limit holds, while the worker goes on. Memory: loaded for one, dropped after it."""

from copepod.messages import OutboundMessage
from copepod.signal import Signal


def leave(worker, answer):
    """The `answer` to the message in hand waits for a flood limit to end: the worker may take another one.

    Or it is a question, which waits for somebody (asking.py).
    """
    if hasattr(answer, "leave"):
        answer.leave(worker)
        return
    answer.signal = worker.gateway.wake_worker
    steps = worker.steps
    if answer is worker.own:  # its handler, if any, has ended
        steps = None
        renew(worker)
    worker.asides.append((worker.msg, steps, answer))
    worker.msg = worker.steps = None
    worker.gateway.wake_channel.set()  # to poll for one


def renew(worker):
    """Have an answer that nobody else refers to."""
    worker.own = OutboundMessage(0, None)
    worker.own.signal = Signal()


def back(worker):
    """A message whose handler may go on, because its answer was sent. What needs no more is finished."""
    for entry in worker.asides[:]:
        msg, steps, answer = entry
        if answer.state:
            worker.asides.remove(entry)
            if steps is not None:
                worker.steps = steps
                return msg
            worker.msg = msg
            worker.finish()
    return None


class Aside:
    """Awaitable that gives `message` to who watches the handler: handling.Steps."""

    def __init__(self, message):
        self._message = message

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        message = self._message
        self._message = None
        if message is None:
            raise StopIteration
        return message

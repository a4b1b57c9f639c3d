"""Who may be served beside a handler that is at work for long. Memory: loaded while there is one, dropped after it.

As a rule one update is fetched at a time (`limit`), so nobody can be seen waiting. While a handler waits
the channel may fetch one more, and one more if that is of the same chat; when there is one of another chat
the handler is moved aside (parallel.py).
"""

from micropython import const

from copepod.once import forget
from copepod.platform import port

_LANE_B = const(6000)  # of Python's heap that has to be free: what a lane takes, and what making it does
_FETCHED = const(4)  # messages that are fetched more than ever
_PARALLEL = const(2)  # handlers.parallel, where the config says nothing


def look(worker, limit):
    """Look who waits, since the handler that `worker` runs is at work for long. MemoryError: they have to.

    `limit`: what gives a handler up in the end.
    """
    gateway = worker.gateway
    steps = worker.steps
    try:
        if (
            len(gateway.jobs) <= getattr(gateway.config, "handlers_parallel", _PARALLEL)
            and not (steps.timed_out or steps.parked)
            and steps.stream is None  # it has the formatter, see outbox.py
        ):
            _give(gateway, worker, steps, limit)
    finally:
        if not worker.steps.seats:
            forget("copepod.seats")


def _give(gateway, worker, steps, limit):
    msg = worker.msg
    if msg.buffer is not None:
        port.need(msg.size_b())
        msg.text  # what is fetched may need the place  # noqa: B018
    inbound = gateway.bus.inbound
    for other in inbound.ring:
        if other is not None and other.chat_id != msg.chat_id:
            port.need(_LANE_B)
            from copepod import parallel

            forget("copepod.parallel")
            try:
                if parallel.move(gateway, limit):
                    take_back(worker)
            finally:
                if len(gateway.jobs) == 2:
                    forget("copepod.lane")
            return
    if steps.seats <= len(inbound) and steps.seats < _FETCHED:
        worker.asides.append((msg, None, None))
        steps.seats += 1
        inbound.filled = gateway.tick  # the supervisor shall look at it
        gateway.wake_channel.set()


def take_back(worker):
    """No more messages are fetched than ever."""
    gateway = worker.gateway
    gateway.bus.inbound.filled = gateway.wake_worker
    worker.steps.seats = 0
    asides = worker.asides
    for at in range(len(asides) - 1, -1, -1):
        if asides[at][2] is None:
            asides.pop(at)
    forget("copepod.seats")

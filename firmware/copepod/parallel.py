"""Makes a handler that waits go on in a lane of its own, so that other chats are served. Memory: dropped after it.

A handler may wait in anything that asyncio has, so it is not moved to another task: its task, with the Worker that it
knows, becomes the lane, and a new Worker takes its place. The lane is over when that message needs nothing more, or
is put aside (postponed.py, asking.py). Messages of its chat wait for it, in order: turns.py.
"""

import asyncio

from copepod.lane import Lane
from copepod.once import forget
from copepod.postponed import renew

forget("copepod.postponed")


def move(gateway, limit):
    """Make the handler that runs a lane, see Lane; False: it has to be alone. MemoryError: nothing has changed."""
    worker = gateway.worker
    jobs = gateway.jobs
    if not worker.msg.acknowledged and not _kept(gateway.channel, worker.msg.update_id):
        worker.steps.alone = True
        return False
    fresh: "Any" = type(worker)()
    fresh.gateway = gateway
    fresh.msg = fresh.steps = None
    fresh.since_ms = worker.since_ms
    fresh.handling = fresh.stuck = False
    fresh.asides = worker.asides
    renew(fresh)
    job = type(jobs[1])()
    job.name = jobs[1].name
    job.run = fresh.run
    job.error = None
    job.crashes = jobs[1].crashes
    job.crashed_s = jobs[1].crashed_s
    job.start_s = 0
    lane = Lane(worker, jobs[1], limit)
    jobs = (jobs[0], job) + jobs[2:] + (lane,)
    fresh.asides.append((worker.msg, None, lane))
    try:
        job.task = asyncio.create_task(job.guarded(gateway.tick))
    except MemoryError:
        fresh.asides.pop()
        raise
    gateway.jobs = jobs
    gateway.worker = fresh
    gateway.wake_channel.set()
    return True


def _kept(channel, update_id):
    # Have the record know what is answered beside it; False when it is one that was at work in a crash.
    from copepod.telegram import beside

    forget("copepod.telegram.beside")
    return beside.keep(channel, update_id)

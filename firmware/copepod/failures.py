"""What is logged, kept and said when a task or a handler fails. Memory: loaded then, dropped after it."""

import asyncio
import gc
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
from time import ticks_add, ticks_ms

from micropython import const

from copepod.log import log
from copepod.messages import TOO_LONG, AnswerRefused
from copepod.once import forget
from copepod.telegram.methods import Stop

_GRACE_MS = const(5000)  # for a handler that is cancelled to come to its end
_CRASHES = const(5)  # of a task in a row, before the machine is given up to main.py
_HEALTHY_S = const(600)
_PAUSE_MAX_S = const(30)  # before a task is started again
_SORRY = "Sorry, something went wrong while I was working on that."


def ended(gateway, job):
    """The task of `job` has failed: note it; True when that has been too often, or is nothing to retry."""
    error = job.error
    job.error = job.task = None
    if isinstance(error, Stop):
        return True
    if gateway.seconds - job.crashed_s > _HEALTHY_S:
        job.crashes = 0
    job.crashed_s = gateway.seconds
    job.crashes += 1
    job.start_s = gateway.seconds + min(1 << job.crashes, _PAUSE_MAX_S)
    try:
        note(gateway, job.name, error)
    except MemoryError:  # for saying so: then without a word
        pass
    return job.crashes >= _CRASHES


def task_failed(context):
    """A task of the user's own, that nobody awaits, has failed; the `name` of its function, if that is known."""
    from copepod.visible import trace

    error = context["exception"]
    name = context.get("name")
    log("task", name + " failed: " if name else "failed: ", type(error).__name__, ": ", error)
    trace(error)
    forget("copepod.visible")


def note(gateway, area, error):
    """Log `error`, which may be anything, and count it."""
    gateway.stats.errors += 1
    if isinstance(error, MemoryError):
        gc.collect()
    from copepod.visible import trace

    log(area, "failed: ", type(error).__name__, ": ", error)
    trace(error)
    forget("copepod.visible")
    gateway.telemetry.event("error", 0)


def apology(worker, error):
    """Note why a handler has ended; returns what its sender is told, if anything."""
    gateway = worker.gateway
    timed_out = worker.steps is not None and worker.steps.timed_out
    if isinstance(error, AnswerRefused) and not timed_out:
        return None  # nobody is there to be told
    if timed_out and isinstance(error, asyncio.CancelledError):
        log("handler", "gave up after ", gateway.config.gateway_handler_timeout_s, " s")
        return "Sorry, that took too long and I gave it up."
    gateway.stats.handler_errors += 1
    note(gateway, "handler", error)
    if isinstance(error, MemoryError):
        return TOO_LONG
    return _SORRY


async def after_crash(worker):
    """The worker starts again after it has failed, outside of any handler: its message is finished."""
    msg = worker.msg
    from copepod import postponed

    postponed.renew(worker)  # the last one may still be on its way
    forget("copepod.postponed")
    worker.steps = None
    worker.handling = False
    update_id = msg.update_id
    worker.finish()
    log("handler", "update ", update_id, " was being worked on: its sender is told")
    await _tell(worker.gateway, msg.chat_id, _SORRY)


def left_alone(msg):
    """The message has brought the gateway down twice: tell its sender, and the owner."""
    gateway = msg.gateway
    log("handler", "update ", msg.update_id, " has brought the gateway down twice: left alone")
    gateway.stats.handler_errors += 1
    owner = gateway.access.ids[0] if gateway.access.ids else None
    what = "/" + msg.command if msg.command else "a text"
    if owner is not None and owner != msg.chat_id:
        told = "I was brought down twice by update %d (%s, sent by %d) and leave it alone."
        asyncio.create_task(_tell(gateway, owner, told % (msg.update_id, what, msg.sender_id)))
    return "Sorry, this message (%s) has brought me down twice, so I leave it alone." % what


async def _tell(gateway, chat_id, text):
    try:
        await gateway.send(chat_id, text)
    except OSError as error:  # AnswerRefused
        log("telegram", chat_id, " can't be told: ", error)


def give_up(worker, task, limit_ms):
    """The handler takes longer than it may: cancel it, and if it goes on nevertheless, leave it behind."""
    steps = worker.steps
    worker.stuck = steps.lost
    steps.lost = steps.timed_out
    steps.timed_out = True
    worker.since_ms = ticks_add(ticks_ms(), min(limit_ms, _GRACE_MS) - limit_ms)
    task.cancel()


def unpark(worker, job):
    """The task waits for what can never come: let it fail instead."""
    if worker.handling:
        worker.steps.lost = worker.steps.parked  # it has caught that once
        worker.steps.parked = True
    core._task_queue.push(job.task)
    job.task.data = RuntimeError("it waits for what never comes (is there a bare yield?)")

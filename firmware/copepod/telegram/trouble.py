"""What the channel does about a call that did not come to its end. Memory: loaded then, dropped after it."""

import os
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.net import link
from copepod.once import forget
from copepod.platform import port
from copepod.telegram import methods

_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(30000)
_CONFLICT_MS = const(30000)  # another instance polls: so much longer
_STARVED = const(5)  # connections in a row that failed
_NO_ROOM = "outside Python's heap"  # what explain.py says then
_CUT_MIN_S = const(2)  # a poll cut younger than that is a failure
_POLL_MIN_S = const(2)


def failed(channel, error, failures):
    """Settle the call that failed with `error`; return how long to wait before the next connection, in ms.

    `failures` counts the connections in a row on which no poll succeeded.
    """
    call = channel.api
    if channel.state == "polling" and not call.status and _cut(channel, error):
        return 0
    if channel.state == "sending":
        if call.method >= methods.SEND_ACTION:
            _put_off(channel, call.method, error)
            return 0
        _unanswered(channel)
    return _back_off(channel, error, failures)


def _cut(channel, error):
    # Whether a long poll ended in which nothing was lost: we left it, or it was cut in between.
    timeout_s = channel.poll.timeout_s
    if channel.poll.left:
        channel.poll.left = False
        _shorten(channel.poll, _POLL_MIN_S)
        return True
    age_s = ticks_diff(ticks_ms(), channel.poll.began_ms) // 1000
    if age_s < _CUT_MIN_S or age_s > timeout_s or not isinstance(error, (OSError, ValueError)):
        return False
    log("telegram", "the poll was cut after ", age_s, " s, connecting again")
    before_s = channel.poll.cut_s
    channel.poll.cut_s = age_s
    if before_s and abs(before_s - age_s) * 4 <= age_s:  # it has a rule
        channel.poll.longest_s = max(_POLL_MIN_S, age_s * 3 // 4)
        _shorten(channel.poll, channel.poll.longest_s)
        log("telegram", "from now on a poll takes ", channel.poll.longest_s, " s")
    return True


def _shorten(poll, timeout_s):
    # The next poll waits so long at most, and those after it longer again.
    poll.next_s = min(timeout_s, poll.longest_s)


def _put_off(channel, method, error):
    # What only decorates is tried again later, or never; the reason is worth half a line.
    from copepod.telegram import optional

    optional.failed(channel, method)
    forget("copepod.telegram.optional")
    log("telegram", methods.METHODS[method].decode(), " did not work out: ", _told(error))


def _unanswered(channel):
    # A piece was being sent, if that was the call.
    call = channel.api
    box = channel.outbox
    if call.method != methods.SEND_MESSAGE and call.method != methods.SEND_RICH:
        return
    if call.status:
        call.doubted = True  # is it this answer, or the server?
        box.suspected = True
    elif channel.sent:
        if box.repeated:
            log("telegram", "a second time without an answer: taken for accepted")
            box.accepted()
        else:
            box.repeated = True
            box.stats.repeated += 1


def _told(error):
    # Its words are 2 kB; where they do not fit the error stands for itself.
    try:
        from copepod.net.explain import explain

        reason = explain(error)
        forget("copepod.net.explain")
        return reason
    except MemoryError:
        return error


def _back_off(channel, error, failures):
    # Say what went wrong, once.
    stats = channel.stats
    stats.errors += 1
    stats.backoffs += 1
    wait_ms = min(_BACKOFF_MIN_MS << min(failures, 5), _BACKOFF_MAX_MS)
    wait_ms = wait_ms // 2 + (os.urandom(1)[0] * (wait_ms // 2) >> 8)
    if channel.api.conflict:
        channel.api.conflict = False
        wait_ms += _CONFLICT_MS
    held_ms = channel.api.held_ms(channel.api.key)
    if channel.state == "greeting" and held_ms > wait_ms:
        wait_ms = held_ms
    reason = _told(error)
    log("telegram", reason, ", trying again in ", (wait_ms + 999) // 1000, " s")
    channel.gateway.telemetry.event("backoff", wait_ms)
    if channel.state == "connecting" and failures >= _STARVED:
        restart_without_room(str(reason))
    if failures & 7 == 4:  # once in a while in a long outage
        link.distrust()
    channel.alive_ms = ticks_add(ticks_ms(), wait_ms)
    return wait_ms


def restart_without_room(reason):
    """Start the board anew where `reason` is that TLS finds no memory: only that divides its RAM again (room.py)."""
    if _NO_ROOM in reason and port.heap()[0] is not None:
        from copepod.platform import last_error

        last_error.store(reason)
        port.reset()

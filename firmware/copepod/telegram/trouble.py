"""What the channel does when something fails. Memory: loaded then, dropped after it."""

import os
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.net import link
from copepod.once import forget
from copepod.platform import last_error, port
from copepod.telegram import methods
from copepod.telegram.methods import Refused, Stop

# Places of the values of telegram/schema.py.
ERROR_CODE = const(1)
DESCRIPTION = const(2)
RETRY_AFTER = const(3)
MIGRATE_TO = const(16)  # the chat's new id

_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(30000)
_CONFLICT_MS = const(30000)  # another instance polls: so much longer
_WAIT_MAX_S = const(3600)  # longest that a retry_after is believed
_WAIT_DEFAULT_S = const(1)
_HOLDS = const(8)  # flood limits that are kept at a time
_SEND_FAILURES = const(4)  # of the server at one piece, while it answers other calls
_ABOUT_FORM = ("parse entities", "too long", "TOO_LONG", "too many entities", "ENTITIES_TOO")
_SAME = "message is not modified"
_ABOUT_TOPIC = ("thread not found", "TOPIC_")
_OPTIONAL = (methods.SEND_ACTION, methods.ANSWER_CALLBACK, methods.SET_COMMANDS)
_STARVED = const(5)  # connections in a row that failed
_NO_ROOM = "outside Python's heap"  # what explain.py says then
_CUT_MIN_S = const(2)  # a poll cut younger than that is a failure
_POLL_MIN_S = const(2)


# An answer that is not ok ------------------------------------------------------------------


def refused(call):
    """What the answer to `call` means: see Api.result(). The status decides first, JSON second."""
    reader = call.reader
    code = status = call.status
    try:
        reader.finish()
        if status == 200:
            code = reader.values[ERROR_CODE] or status
        description = reader.values[DESCRIPTION] or "without a reason"
        retry_after = reader.values[RETRY_AFTER]
    except ValueError:  # a page, or nothing
        description = "without a reason"
        retry_after = None
    name = methods.METHODS[call.method].decode()
    seconds = retry_after or call.http.retry_after_s or _WAIT_DEFAULT_S
    seconds = min(max(seconds, 1), _WAIT_MAX_S)
    if code == 429:
        # A second of Telegram's is over when its clock says so: half of one more, to be sure.
        _hold(call, seconds * 1000 + 500)
        call.stats.flood_waits += 1
        log("telegram", "flood limit on ", name, ": waiting ", seconds, " s")
        return False
    if call.method == methods.GET_ME and (code == 401 or code == 404):
        raise Stop(
            "the token is refused (%d %s): check channels.telegram.token" % (code, description)
        )
    if code == 401:
        call.doubted = True
        raise OSError("the token is refused (401 to %s): asking getMe" % name)
    if code == 409:
        call.conflict = True
        raise OSError("another instance is polling with this token (409): stop it, or the webhook")
    if code >= 500:
        if call.http.retry_after_s:
            _hold(call, seconds * 1000)
        raise OSError("the server answers %d to %s" % (code, name))
    if 300 <= code < 400:
        raise OSError(
            "the server redirects %s (%d): not the Bot API, or a portal is in the way"
            % (name, code)
        )
    if call.method <= methods.GET_UPDATES:
        raise OSError("%s: %d %s" % (name, code, description))
    raise Refused("%d %s" % (code, description))


def _hold(call, wait_ms):
    # No call for the same chat, or of the same method, for so long.
    if len(call.holds) == _HOLDS:
        call.holds.pop(0)
    call.holds.append([call.key, ticks_add(ticks_ms(), wait_ms)])


def refused_for_good(channel, method, error):
    """Telegram refuses the call that was made: what is left of it is dropped, or takes another form."""
    if method == methods.SEND_MESSAGE or method == methods.SEND_RICH:
        box = channel.outbox
        if _SAME in str(error):
            box.accepted(box.message.sent.edits)
        elif not _goes_elsewhere(box.message, channel.api.reader.values[MIGRATE_TO], str(error)):
            refused_piece(box, error, method)
    elif method in _OPTIONAL:
        if method == methods.SET_COMMANDS:
            log("telegram", "setMyCommands: ", error)
        _optional().accepted(channel, method)


def refused_piece(box, error, method):
    """Telegram has refused the piece: another form is tried, or the message is given up."""
    if method == methods.SEND_RICH:
        log("telegram", "sendRichMessage refused, going on with HTML: ", error)
        if str(error).startswith("404"):  # this server does not know the method
            box.rich = False
        box.form = methods.HTML
    elif box.form < methods.PLAIN and _says(str(error), _ABOUT_FORM):
        log("telegram", "formatting refused, sending plain text: ", error)
        box.formatter.give_up(False)
        box.stats.fallbacks += 1
        box.form = methods.PLAIN
    else:
        log("telegram", "answer refused: ", error)
        give_up(box, str(error))


def _optional():
    from copepod.telegram import optional

    forget("copepod.telegram.optional")
    return optional


def _says(description, words):
    for word in words:
        if word in description:
            return True
    return False


def _goes_elsewhere(message, migrate_to, description):
    # The chat has a new id, or the topic is gone: the piece is sent again, to where there is somebody.
    if migrate_to is not None and migrate_to != message.chat_id:
        log("telegram", "group ", message.chat_id, " is supergroup ", migrate_to, " now")
        message.chat_id = migrate_to
        message.reply_to = message.thread_id = None  # ids of the old chat's
        return True
    if message.thread_id is not None and _says(description, _ABOUT_TOPIC):
        log("telegram", "the topic is gone, answering in the chat: ", description)
        message.thread_id = None
        return True
    return False


def give_up(box, reason):
    """The message will not be sent, or no further."""
    box.stats.errors += 1
    box.stats.dropped += 1
    box.message.reason = reason
    box.message.state = 2
    box.end(box.message)


def told_plain():
    """Say that there was no memory to format an answer."""
    log("telegram", "no memory to format the answer, sending plain text")


# A call that did not come to its end -------------------------------------------------------


def failed(channel, error, failures):
    """Settle the call that failed with `error`; return how long to wait before the next connection, in ms.

    `failures` counts the connections in a row on which no poll succeeded.
    """
    call = channel.api
    if channel.state == "polling" and not call.status and _cut(channel, error):
        return 0
    if channel.state == "sending":
        if call.method in _OPTIONAL:
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
    _optional().failed(channel, method)
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


def doubt_settled(channel):
    """getMe was answered: the token is good, and the server is well."""
    channel.api.doubted = False
    box = channel.outbox
    if box.suspected:
        box.suspected = False
        box.failures += 1
        if box.failures >= _SEND_FAILURES:
            log("telegram", "the server fails at this answer alone: it is given up")
            give_up(box, "the server fails at it")


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
        last_error.store(reason)
        port.reset()

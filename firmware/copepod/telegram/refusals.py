"""What an answer of Telegram's means that is not ok. Memory: loaded then, dropped after it."""

from time import ticks_add, ticks_ms

from micropython import const

from copepod.log import log
from copepod.once import forget
from copepod.telegram import methods
from copepod.telegram.methods import Refused, Stop

# Places of the values of telegram/schema.py.
ERROR_CODE = const(1)
DESCRIPTION = const(2)
RETRY_AFTER = const(3)
MIGRATE_TO = const(16)  # the chat's new id

_WAIT_MAX_S = const(3600)  # longest that a retry_after is believed
_WAIT_DEFAULT_S = const(1)
_HOLDS = const(8)  # flood limits that are kept at a time
_SEND_FAILURES = const(4)  # of the server at one piece, while it answers other calls
_ABOUT_FORM = ("parse entities", "too long", "TOO_LONG", "too many entities", "ENTITIES_TOO")
_SAME = "message is not modified"
_ABOUT_TOPIC = ("thread not found", "TOPIC_")


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
    elif method >= methods.SEND_ACTION:
        from copepod.telegram import optional

        optional.refused(channel, method, error)
        forget("copepod.telegram.optional")


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

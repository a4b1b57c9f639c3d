"""What it means when a model's server refuses or fails, in a sentence. Memory: dropped after use."""

import errno
from time import ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.once import forget

_BUSY = (408, 409, 429, 529)
_PAUSE_MS = const(2000)  # before the second try, unless the server says how long
_PATIENCE = const(2)  # tries, where another model may be asked
_LONG_MS = const(5000)  # a pause that is too long then


def failed(asking, error):
    """There is no connection, or it broke with `error`: what to say, and when to try again, as meaning() has it."""
    http = asking.http
    silent = errno.ETIMEDOUT in error.args and http is not None and http.is_open()
    asking.release()
    said = asking.stopped()
    if said is not None:
        return said, 0
    log("model", "can't be asked: ", error)
    return meaning(asking, -2 if silent else -1, 0)[0], _PAUSE_MS * asking.tries


def meaning(asking, status, pause_ms):
    """What to say, and when to try again in ms (0: never). "" and a moment: the same question in another way.

    Status 0: an error came in the stream; -1: the connection was cut, or there is none; -2: nothing came over it.
    `pause_ms` is what the server has asked for, 0 if it has not.
    """
    pause_ms = pause_ms or _PAUSE_MS
    endpoint = asking.endpoint
    text = asking.stream.error_text()
    asking.patience = 0
    if status < 0:
        asking.patience = 1
        return _cut(asking, status), pause_ms
    if not status:
        asking.patience = _PATIENCE
        return "The model has failed: " + _quoted(endpoint.key, text), pause_ms
    log("model", "answers ", status)
    if 401 <= status <= 404:
        asking.patience = 1
    if status == 401 or status == 403:
        return "The model's server refuses the key (%d)." % status, 0
    if status == 402:
        return "There is no credit left at the model's server (402).", 0
    if status in _BUSY or status >= 500:
        asking.patience = _PATIENCE if pause_ms <= _LONG_MS else 1
        return "The model's server is busy or failing (%d)." % status, pause_ms
    lower = text.lower()
    if status == 400 or status == 422:
        if "stream_options" in lower and endpoint.with_usage:
            endpoint.with_usage = False
            return "", 1
        if "tool" in lower and endpoint.with_tools:
            endpoint.with_tools = False
            return "", 1
    if (status == 400 or status == 413) and not asking.halved:
        if status == 413 or "context" in lower or "too long" in lower or "too large" in lower:
            asking.halved = True
            from copepod.assistant import history

            forget("copepod.assistant.history")
            if history.halve(asking.session, asking.turn_at):
                return "", 1
    said = _quoted(endpoint.key, text)
    return "The model's server refuses the question (%d): %s" % (status, said), 0


def wanting(asking):
    """What an answer lacks that has come to its end, and when to try again."""
    reason = asking.stream.finish_reason
    if reason == "length":
        return "This answer was cut short at %d tokens." % asking.model.max_tokens, 0
    if reason == "content_filter":
        return "The rest was held back by the model's content filter.", 0
    if reason is None and not asking.stream.done:
        asking.patience = _PATIENCE
        return "The model has stopped in the middle of its answer.", _PAUSE_MS
    return "The model has sent an empty answer.", 0


def _cut(asking, status):
    timeout_s = asking.endpoint.request_timeout_s
    if timeout_s and ticks_diff(ticks_ms(), asking.asked_ms) >= timeout_s * 1000:
        return "The model has taken longer than %d s." % timeout_s
    if status == -2:
        return "The model has been silent for %d s." % asking.model.silence_s
    if asking.stream.text_b or asking.stream.calls:
        return "The connection to the model was cut."
    return "I can't reach the model."


def _quoted(key, text):
    if key and key in text:
        text = ""
    return "`%s`" % text.replace("`", "'") if text else "it does not say why."

"""What it means when a model's server refuses or fails, in a sentence. Memory: dropped after use."""

from copepod.log import log
from copepod.once import forget

_BUSY = (408, 409, 429, 529)


def meaning(asking, status, pause_ms):
    """What to say, and when to try again in ms (0: never). Status 0: an error came in the stream.

    "" and a moment: the same question in another way.
    """
    model = asking.model
    text = asking.stream.error_text()
    if not status:
        return "The model has failed: " + _quoted(model, text), pause_ms
    log("model", "answers ", status)
    if status == 401 or status == 403:
        return "The model's server refuses the key (%d)." % status, 0
    if status == 402:
        return "There is no credit left at the model's server (402).", 0
    if status in _BUSY or status >= 500:
        return "The model's server is busy or failing (%d)." % status, pause_ms
    lower = text.lower()
    if status == 400 or status == 422:
        if "stream_options" in lower and model.with_usage:
            model.with_usage = False
            return "", 1
        if "tool" in lower and model.with_tools:
            model.with_tools = False
            return "", 1
    if (status == 400 or status == 413) and not asking.halved:
        if status == 413 or "context" in lower or "too long" in lower or "too large" in lower:
            asking.halved = True
            from copepod.assistant import history

            forget("copepod.assistant.history")
            if history.halve(asking.session, asking.turn_at):
                return "", 1
    return "The model's server refuses the question (%d): %s" % (status, _quoted(model, text)), 0


def _quoted(model, text):
    if model.key and model.key in text:
        text = ""
    return "`%s`" % text.replace("`", "'") if text else "it does not say why."

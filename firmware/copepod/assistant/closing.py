"""The end of a try: whether there is another one, or the round's line is made whole. Memory: dropped after use.

What is wrong with an answer stands below it, and its tokens count.
"""

from micropython import const

from copepod.assistant import limits
from copepod.once import forget

forget("copepod.assistant.limits")


_ATTEMPTS = const(3)
_ATTEMPTS_CUT = const(2)


def ended(asking, said, pause_ms, note):
    """How long until the next try, in ms; None when there is none, and the line of the answer or the calls is whole.

    `said`: what is wrong, None if nothing is. `pause_ms`: when it may be tried again, 0: never. `note`: what else is
    to be said below an answer.
    """
    stream = asking.stream
    begun = stream.text_b or stream.calls
    if not begun and _falls(asking, said):
        asking.tries = pause_ms = 0
    else:
        # A beginning of an answer was paid for: once more, no oftener.
        most = _ATTEMPTS_CUT if begun else _ATTEMPTS
        if not pause_ms or asking.tries >= most or asking.left_ms() <= pause_ms:
            _close_line(asking, said, note)
            return None
        if not said:
            asking.tries -= 1  # asked in another way
    if begun:
        asking.lost_b += asking.asked_b + stream.text_b
    if stream.line is not None:
        stream.line.discard()
    return pause_ms


def _falls(asking, said):
    # Whether another model is asked now.
    if not asking.patience or asking.tries < asking.patience or asking.called:
        return False
    if not asking.model.endpoint.fallbacks:
        return False
    from copepod.assistant import fallback

    forget("copepod.assistant.fallback")
    return fallback.other(asking, said)


def _close_line(asking, said, note):
    # `said` and `note` stand below the answer, or in its place: no half of an answer passes for a whole one.
    stream = asking.stream
    session = asking.session
    session.said = said
    session.failed = None if stream.text_b or stream.calls else said
    instead = "" if session.closing else asking.instead  # a summary says nothing of it
    if instead:
        if stream.text_b:
            instead = "%s This is %s's answer." % (instead, asking.endpoint.label)
        elif said:
            said = "%s %s: %s" % (instead, asking.endpoint.label, said)
            instead = ""
    if not stream.calls:
        for text in (said, note, instead):
            if text:
                shown: "Any" = "\n\n_%s_" % text if stream.text_b else text
                data = memoryview(shown)
                stream.say(data, 0, len(data))
        line = stream.line
        line.write(b'"}')
    else:
        line = stream.line
        line.write(b"]}")
    session.complete(line)
    tokens = stream.sent_b + stream.received_b
    if not tokens:  # the server does not count: three bytes each
        tokens = (asking.asked_b + stream.text_b) // 3
    tokens += asking.lost_b // 3
    stream.sent_b = stream.received_b = asking.asked_b = asking.lost_b = 0
    asking.spent = not limits.spend(asking.model, tokens)

"""The end of a round: what is wrong with an answer stands below it, its line is whole, its tokens count.

Memory: dropped after use.
"""

from copepod.assistant import limits
from copepod.once import forget

forget("copepod.assistant.limits")


def close_line(asking, said, note):
    """Complete the line of the round's answer or calls. `said`, `note`: below the answer, or in its place."""
    # So that no half of an answer passes for a whole one.
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

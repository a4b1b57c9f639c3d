"""Has the model sum up the lines that it is not told any more. Memory: dropped after use; the summary, 1.5 kB at most.

It is asked once, over the connection that the turn has then. What comes goes into a file of its own, and then into the
session's meta file, as PicoClaw's `summary`; whatever fails is tried again with the next turn.
"""

import os

from micropython import const

from copepod.assistant.session import Session
from copepod.log import log
from copepod.once import forget

_MOST = const(1500)  # characters
_ASK = (  # as much as the client takes at once: 256 B
    b',{"role":"user","content":"Sum up this conversation for yourself in at most 150 words: what was asked, decided'
    b' and done, and the names and numbers in it. Answer with the summary alone."}'
)


async def sum_up(asking):
    """Put a summary of what has been left out into the session of `asking`."""
    session = asking.session
    past = Session()
    past.path = session.path
    past.summary = session.summary
    past.first = session.summed
    past.end = session.first
    past.closing = _ASK
    written = _Written(session.path[:-6] + ".summary")
    past.line = written.line  # pyright: ignore[reportAttributeAccessIssue]
    past.complete = written.complete  # pyright: ignore[reportAttributeAccessIssue]
    halved = asking.halved
    draft = asking.stream.draft
    new_line = asking.stream.new_line
    asking.session = past
    asking.stream.draft = None  # nobody looks on
    asking.stream.new_line = written.line
    asking.halved = True  # what is too long for the model is not summed up
    try:
        calls = await asking.round(False, None)
    finally:
        asking.session = session
        asking.stream.new_line = new_line
        asking.stream.draft = draft
        asking.halved = halved
    if calls or past.said:
        log("assistant", "not summed up: ", past.said or "it calls tools")
    else:
        session.summary = await _text(written.path)
        session.summed = session.first
        from copepod.assistant import history

        forget("copepod.assistant.history")
        history.store(session)
    written.remove()


class _Written:
    """The file that the summary comes into, as the one line of it."""

    def __init__(self, path):
        self.path = path
        self.remove()

    def remove(self):
        """It is needed no more."""
        try:
            os.remove(self.path)
        except OSError:
            pass

    def line(self):
        """A Line at the beginning."""
        from copepod.assistant.window import Line

        return Line(self.path, 0, 0)

    def complete(self, line):
        """The line is whole."""
        line.complete()


async def _text(path):
    from copepod.assistant.answer import Answer

    forget("copepod.assistant.answer")
    answer = Answer(path, 0)
    text = ""
    async for part in answer:
        text += part
        if len(text) >= _MOST:
            text = text[:_MOST] + "…"
            break
    answer.close()
    return text

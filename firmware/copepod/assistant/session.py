"""The file of a chat's history, while a turn adds lines to it. Memory: small ints; no line is held.

What is done once a turn, opening it and making it shorter, stands in history.py.
"""

from copepod.assistant.window import Line


class Session:
    """Finished messages, one a line; made by history.py."""

    path: str
    meta: str  # path of what is known of them
    summary: str  # of what came before, by PicoClaw
    skip: int  # lines that no model is told any more
    first: int  # where those begin that it is told
    end: int  # where the next line begins
    old_end: int  # the file's, where a crash has left a part of a line
    summed: (
        int  # where those begin that no summary is about; `first` when nothing is to be summed up
    )
    closing = b""  # what follows the lines in a request, see summing.py
    said: "str | None" = None  # what is wrong with the answer that was asked for last
    asks = True  # somebody can be asked before a tool is called
    failed: "str | None" = None  # why the answer that was asked for last is none
    turns: list  # [update_id, where its turn begins]: the last ones

    def line(self, window=None):
        """A Line to be written at the end; complete(line) makes it one. `window`: a bytearray that it may use."""
        return Line(self.path, self.end, self.old_end, window)

    def complete(self, line):
        """The line is whole."""
        line.complete()
        self.end = self.old_end = line.end

"""A model's answer as it streams in, into one line of the session's file. Memory: 2 kB; no text.

Chat Completions as servers really send them: `data:` lines of JSON, comments, CRLF or LF, `[DONE]` or none, a whole
document in spite of `stream`, an `error` in place of choices. What is thought (`<think>`, `reasoning_content`) is not
kept. Garbage per token: none.
"""

from micropython import const

from copepod.assistant.string_sink import Pieces
from copepod.once import forget

_SCHEMA = (
    b"r choices{c usage{u error{e message$6 detail$6\n"
    b"c finish_reason$0 delta{d message{d\n"
    b"d tool_calls{t content$8\n"
    b"t id$1 index#2 function{f\n"
    b"f name$3 arguments$9\n"
    b"u prompt_tokens#4 completion_tokens#5\n"
    b"e message$6 code$7"
)
_CONTENT = const(8)

_BEGIN = const(0)  # of a line
_DATA = const(1)
_PASS = const(2)  # a line that says nothing
_WHOLE = const(3)  # no stream: one document

_UNSURE = const(0)  # blanks and what may become <think>
_THINKS = const(1)
_SAYS = const(2)
_OPENING = b"<think>"
_CLOSING = b"</think>"
_FIELD = b"data:"


class AnswerStream(Pieces):
    """take() each window, then end(). `line` is made by `new_line()` when there is something to write into it.

    `calls` counts the tool calls in the line, `dropped` those beyond four. `text_b` counts what was said.
    """

    draft: "Any" = None  # takes what is said, too: see drafts.py

    def __init__(self, new_line):
        super().__init__(_SCHEMA)
        self.new_line = new_line
        self._held = bytearray(4)
        self.sent_b = self.received_b = 0  # tokens, if the server counts them
        self.restart()

    def restart(self):
        """Expect a new answer."""
        self.begin()
        self.line: "Any" = None
        self.calls = self.dropped = self.text_b = 0
        self.done = False  # the server has said that this is all
        self.finish_reason: "str | None" = None
        self.message: "str | None" = None  # of an error
        self.failed = False  # an error came in place of the answer
        self._mode = _BEGIN
        self._matched = self._events = 0
        self._thinking = _UNSURE
        self._tag = 0  # bytes of a tag that have matched
        self._n_held = 0  # bytes of a character whose rest is to come
        self.parts: "Any" = None  # of tool calls

    # Lines ----------------------------------------------------------------------------------

    def take(self, buf, start, end):
        """Take buf[start:end] of the body. ValueError when it is no JSON."""
        i = start
        while i < end:
            now = self._mode
            if now == _DATA or now == _PASS:
                stop = buf.find(b"\n", i, end)
                if stop < 0:
                    stop = end
                if now == _DATA:
                    i = self.feed(buf, i, stop)
                if stop < end:
                    self._mode = _BEGIN
                    self._matched = 0
                    stop += 1
                    if now == _DATA:
                        self._event()
                i = stop
            elif now == _WHOLE:
                i = self.feed(buf, i, end)
            else:
                i = self._begins(buf[i], i)

    def _begins(self, c, i):
        matched = self._matched
        if matched == len(_FIELD):
            if c == 32:
                return i + 1
            if c == 123:
                self.begin()
                self._mode = _DATA
                return i
            self.done = self.done or c == 91  # [DONE]
            self._mode = _PASS
        elif c == _FIELD[matched]:
            self._matched = matched + 1
            return i + 1
        elif not matched and c <= 32:
            return i + 1
        elif c == 123 and not matched and not self._events:
            self.begin()
            self._mode = _WHOLE
        else:
            self._mode = _PASS
        return i

    def _event(self):
        # A chunk, or the whole answer, is complete.
        self.finish()
        self._events += 1
        values = self.values
        if values[0]:
            self.finish_reason = values[0]
        if values[4] is not None:
            self.sent_b = values[4]
        if values[5] is not None:
            self.received_b = values[5]
        if values[6] is not None or values[7] is not None:
            self.message = values[6] or values[7]
            self.failed = self.failed or self.finish_reason is None

    def end(self):
        """The body is over. True when the answer is whole; ValueError when a chunk was cut."""
        if self._mode == _DATA or self._mode == _WHOLE:
            whole = self._mode == _WHOLE
            self._mode = _PASS
            self._event()
            self.done = self.done or whole
        if self.parts is not None:
            self.parts.end()
            self.parts = None
        return self.done or self.finish_reason is not None

    def error_text(self):
        """What a body that came with a failing status says, "" if it says nothing."""
        return self.values[6] or self.values[7] or self.message or ""

    # Text -----------------------------------------------------------------------------------

    def piece(self, slot, buf, start, end):
        if slot != _CONTENT:
            self.parts.piece(buf, start, end)
        elif self.parts is None:  # text after calls is no answer
            if self._thinking != _SAYS:
                start = self._unthought(buf, start, end)
            if start < end:
                self._say_whole(buf, start, end)

    def _say_whole(self, buf, start, end):
        # Hold the beginning of a character back until its rest has come, which may be never.
        held = self._held
        n = self._n_held
        if n:
            while start < end and n < _length(held[0]) and buf[start] & 0xC0 == 0x80:
                held[n] = buf[start]
                n += 1
                start += 1
            self._n_held = n
            if start == end and n < _length(held[0]):
                return
            self.say(held, 0, n)
        self._n_held = 0
        back = 1
        while back < 4 and back < end - start and buf[end - back] & 0xC0 == 0x80:
            back += 1
        if start < end and back < _length(buf[end - back]):
            end -= back
            for at in range(back):
                held[at] = buf[end + at]
            self._n_held = back
        if start < end:
            self.say(buf, start, end)

    def say(self, buf, start, end):
        """Write UTF-8 into the line's content."""
        if self.line is None:
            self.line = self.new_line()
            self.line.write(b'{"role":"assistant","content":"')
        elif self.calls:
            return
        self.text_b += end - start
        if self.draft is not None:
            self.draft.take(buf, start, end)
        self.line.write_json(buf, start, end)

    def _unthought(self, buf, start, end):
        # Pass over blanks at the beginning and what is between the tags; returns where something is said.
        tag = self._tag
        while start < end:
            c = buf[start]
            inside = self._thinking == _THINKS
            wanted = _CLOSING if inside else _OPENING
            if c == wanted[tag]:
                tag += 1
                if tag == len(wanted):
                    tag = 0
                    self._thinking = _UNSURE if inside else _THINKS
            elif inside:
                tag = 1 if c == 60 else 0
            elif tag or c > 32:
                self._thinking = _SAYS
                if tag:
                    self.say(_OPENING, 0, tag)
                break
            start += 1
        self._tag = tag
        return start

    # Calls, see stream_calls.py -------------------------------------------------------------

    def opened(self, letter):
        if letter == 116:
            if self.parts is None:
                from copepod.assistant import stream_calls

                forget("copepod.assistant.stream_calls")
                self.parts = stream_calls.Parts(self)
            self.parts.opened()

    def closed(self, letter):
        if letter == 116:
            self.parts.closed()


def _length(c):
    # Of a character that begins with this byte.
    return 1 if c < 0xC0 else 2 if c < 0xE0 else 3 if c < 0xF0 else 4

"""A model's answer as it streams in, into one line of the session's file. Memory: 2 kB, 2 more for calls; no text.

Chat Completions as servers really send them: `data:` lines of JSON, comments, CRLF or LF, `[DONE]` or none, a whole
document in spite of `stream`, an `error` in place of choices. What is thought (`<think>`, `reasoning_content`) is not
kept. Garbage per token: none.
"""

import json

from micropython import const

from copepod.assistant.pieces import Pieces

CALLS = const(4)  # of one round that are kept
ARGUMENTS_B = const(1024)

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


class Stream(Pieces):
    """take() each window, then end(). `line` is made by `new_line()` when there is something to write into it.

    `calls` counts the tool calls in the line, `dropped` those beyond CALLS. `text_b` counts what was said.
    """

    def __init__(self, new_line):
        super().__init__(_SCHEMA)
        self._new_line = new_line
        self._arguments = None
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
        self._id: "str | None" = None  # of the call that is being read; None: there is none
        self._tool = ""
        self._index: "int | None" = None
        self._n_arguments = self._mark = 0  # its arguments, and where those of this part of it begin

    # Lines ----------------------------------------------------------------------------------

    def take(self, buf, start, end):
        """Take buf[start:end] of the body. ValueError when it is no JSON."""
        i = start
        while i < end:
            mode = self._mode
            if mode == _DATA or mode == _PASS:
                stop = buf.find(b"\n", i, end)
                if stop < 0:
                    stop = end
                if mode == _DATA:
                    i = self.feed(buf, i, stop)
                if stop < end:
                    self._mode = _BEGIN
                    self._matched = 0
                    stop += 1
                    if mode == _DATA:
                        self._event()
                i = stop
            elif mode == _WHOLE:
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
        if self._id is not None:
            self._end_call(self._n_arguments)
        return self.done or self.finish_reason is not None

    def error_text(self):
        """What a body that came with a failing status says, "" if it says nothing."""
        return self.values[6] or self.values[7] or self.message or ""

    # Text -----------------------------------------------------------------------------------

    def piece(self, slot, buf, start, end):
        if slot != _CONTENT:
            self._arguments_piece(buf, start, end)
        elif self._id is None and not self.calls:  # text after calls is no answer
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
            self.line = self._new_line()
            self.line.write(b'{"role":"assistant","content":"')
        elif self.calls:
            return
        self.text_b += end - start
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

    # Calls ----------------------------------------------------------------------------------

    def opened(self, letter):
        if letter == 116:
            values = self.values
            values[1] = values[2] = values[3] = None
            self._mark = self._n_arguments

    def _arguments_piece(self, buf, start, end):
        kept = self._arguments
        if kept is None:
            self._arguments = kept = bytearray(2 * ARGUMENTS_B + 2)
        n = self._n_arguments
        most = self._mark + ARGUMENTS_B + 1  # one more says that they are too long
        while start < end and n < most:
            kept[n] = buf[start]
            n += 1
            start += 1
        self._n_arguments = n

    def closed(self, letter):
        if letter != 116:
            return
        values = self.values
        call_id = values[1] or ""
        name = values[3] or ""
        if self._id is not None and self._is_new(call_id, values[2], name):
            self._end_call(self._mark)
        if self._id is None:
            self._id = call_id
            self._tool = name
            self._index = values[2]
        elif not self._tool:
            self._tool = name
        self._n_arguments = min(self._n_arguments, ARGUMENTS_B + 1)

    def _is_new(self, call_id, index, name):
        # Whether a part begins another call: some servers give no ids, some the same index to all.
        if call_id and self._id:
            return call_id != self._id
        if index is not None and self._index is not None and index != self._index:
            return True
        if not name or not self._tool:
            return False
        return not self._mark or _checked(self._arguments, self._mark) is not None

    def _end_call(self, end):
        # Arguments are kept only if they are good JSON: what is in the file is sent again, and servers read it.
        if self.calls < CALLS:
            found = "{}"
            if end:
                found = _checked(self._arguments, end) or '{"malformed":true}'
            line = self.line
            if line is None:
                self.line = line = self._new_line()
                line.write(b'{"role":"assistant","content":null,"tool_calls":[')
            elif self.calls:
                line.write(b",")
            else:
                line.write(b'","tool_calls":[')
            line.write(b'{"id":"')
            _write(line, self._id or "call_%d_%d" % (line.end, self.calls))
            line.write(b'","type":"function","function":{"name":"')
            _write(line, self._tool)
            line.write(b'","arguments":"')
            _write(line, found)
            line.write(b'"}}')
            self.calls += 1
        else:
            self.dropped += 1
        self._id = None
        left = self._n_arguments - end
        if left:
            kept = self._arguments
            for at in range(left):
                kept[at] = kept[end + at]
        self._n_arguments = left
        self._mark = 0


def _length(c):
    # Of a character that begins with this byte.
    return 1 if c < 0xC0 else 2 if c < 0xE0 else 3 if c < 0xF0 else 4


def _write(line, text):
    data = memoryview(text)
    line.write_json(data, 0, len(data))


def _checked(data, size_b):
    # The arguments as JSON that every server takes, None if they are no object or too long.
    if size_b > ARGUMENTS_B or not _closed(data, size_b):
        return None
    try:
        found = json.loads(bytes(memoryview(data)[:size_b]))
    except ValueError:
        return None
    return json.dumps(found) if type(found) is dict else None


def _closed(data, size_b):
    # Whether all brackets are closed at the end, and not before: MicroPython 1.25 forgives those that are not.
    depth = at = 0
    quoted = False
    while at < size_b:
        c = data[at]
        at += 1
        if quoted:
            if c == 92:
                at += 1
            elif c == 34:
                quoted = False
        elif c == 34:
            quoted = True
        elif c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth -= 1
            if not depth:
                break
    while at < size_b and data[at] <= 32:
        at += 1
    return not quoted and not depth and at == size_b

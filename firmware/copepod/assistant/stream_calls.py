"""The tool calls in a model's stream, put together from their parts. Memory: loaded for the first; 1 kB of arguments.

A call comes whole or in parts, and servers differ in how they say where the next one begins: by another id, by another
index, or by nothing but a name.
"""

import json

from micropython import const

CALLS = const(4)  # of one round that are kept
ARGUMENTS_B = const(1024)
_ID = const(128)  # characters of an id, as calls.py reads them


class Parts:
    """opened(), piece() and closed() for each part, then end(). Whole calls go into the line of `stream`."""

    def __init__(self, stream):
        self._stream = stream
        self._arguments = bytearray()
        self._mark = 0  # where those of this part begin
        self._id: "str | None" = None  # of the call that is being read; None: there is none
        self._name = ""
        self._index: "int | None" = None

    def opened(self):
        """A part begins."""
        values = self._stream.values
        values[1] = values[2] = values[3] = None
        self._mark = len(self._arguments)

    def piece(self, buf, start, end):
        """Some of its arguments; one byte beyond the limit says that they are too long."""
        room = self._mark + ARGUMENTS_B + 1 - len(self._arguments)
        end = min(end, start + room)
        if start < end:
            self._arguments.extend(memoryview(buf)[start:end])

    def closed(self):
        """The part is complete."""
        values = self._stream.values
        call_id = values[1] or ""
        name = values[3] or ""
        if self._id is not None and self._is_new(call_id, values[2], name):
            self._end_call(self._mark)
        if self._id is None:
            self._id = call_id
            self._name = name
            self._index = values[2]
        elif not self._name:
            self._name = name
        if len(self._arguments) > ARGUMENTS_B:
            self._arguments = self._arguments[: ARGUMENTS_B + 1]

    def end(self):
        """No more will come."""
        if self._id is not None:
            self._end_call(len(self._arguments))

    def _is_new(self, call_id, index, name):
        # Whether a part begins another call: some servers give no ids, some the same index to all.
        if call_id and self._id:
            return call_id != self._id
        if index is not None and self._index is not None and index != self._index:
            return True
        if not name or not self._name:
            return False
        return not self._mark or _checked(self._arguments[: self._mark]) is not None

    def _end_call(self, end):
        # Arguments are kept only if they are good JSON: what is in the file is sent again, and servers read it.
        stream = self._stream
        if stream.calls < CALLS:
            found = "{}"
            if end:
                found = _checked(self._arguments[:end]) or '{"malformed":true}'
            line = stream.line
            if line is None:
                stream.line = line = stream.new_line()
                line.write(b'{"role":"assistant","content":null,"tool_calls":[')
            elif stream.calls:
                line.write(b",")
            else:
                line.write(b'","tool_calls":[')
            line.write(b'{"id":"')
            _write(line, self._id[:_ID] or "call_%d_%d" % (line.end, stream.calls))
            line.write(b'","type":"function","function":{"name":"')
            _write(line, self._name)
            line.write(b'","arguments":"')
            _write(line, found)
            line.write(b'"}}')
            stream.calls += 1
        else:
            stream.dropped += 1
        self._id = None
        self._arguments = self._arguments[end:]
        self._mark = 0


def _write(line, text):
    data = memoryview(text)
    line.write_json(data, 0, len(data))


def _checked(data):
    # The arguments as JSON that every server takes, None if they are no object or too long.
    if len(data) > ARGUMENTS_B or not _closed(data):
        return None
    try:
        found = json.loads(bytes(data))
    except ValueError:
        return None
    return json.dumps(found) if type(found) is dict else None


def _closed(data):
    # Whether all brackets are closed at the end, and not before: MicroPython 1.25 forgives those that are not.
    depth = at = 0
    quoted = False
    while at < len(data):
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
    while at < len(data) and data[at] <= 32:
        at += 1
    return not quoted and not depth and at == len(data)

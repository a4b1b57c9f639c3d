"""A push parser for JSON that keeps only declared fields. Memory: about 2 kB, once, and its strings.

feed() takes windows of any size, cut anywhere. What the schema (json_schema.py) does not name is
skipped with find() and count(), so that a megabyte of it costs no heap and little time; only its
quotes, the balance of its brackets and its literals are checked. Nothing recurses.
"""

from micropython import const

from copepod.once import forget

_VALUE = const(0)  # a value must come
_ITEM = const(1)  # a value or ]
_NAME = const(2)  # a key must come
_FIRST = const(3)  # a key or }
_COLON = const(4)
_AFTER = const(5)  # , or the end of the container
_DONE = const(6)
_ESCAPE = const(7)  # from here on every byte counts, blanks too
_STRING = const(8)
_SCALAR = const(9)
_SKIP_STRING = const(10)
_SKIP_BOX = const(11)

_ARRAY = const(0x80)  # on the stack: an array of the node's objects
_OBJECT = const(123)  # the kind of a wanted object
_SHORT_RUN = const(128)  # up to here bytes are copied one by one: a slice is 32 B of garbage

_ESCAPES = b'""\\\\//b\bf\fn\nr\rt\t'


class Reader:
    """Reads one document (an object) after another: begin(), feed() as often as it takes, finish().

    A subclass has the hooks opened(letter) and closed(letter), called when an object of a node
    begins and when it is complete. If closed() sets `pause`, feed() returns after it.

    `buffer` is a TextBuffer for long strings (~) that do not lie within one window or hold escapes, 3 bytes for
    each unit of LONG. Such a string is left there: its value is an int, the number of bytes, and settled(value) makes
    the str. A second one makes it, too: None when it finds no memory, or is longer than a smaller buffer. no_room()
    is called, and the reading ends, when the buffer is another's who needs it.
    """

    opened: "Any"
    closed: "Any"
    values: list
    buffer: "Any"
    pause: bool
    # Made by json_schema.py:
    _table: dict  # see there
    _names: bytes
    _root: int  # kind and node of the document
    _short: bytearray
    _tail: bytearray  # a scalar, or an escape that a window's end cuts
    _stack: bytearray
    _known: dict  # target -> short string of the last document, and its UTF-8,
    _known_b: dict  # since the same sender's name comes again and again

    SHORT: int = 96  # UTF-16 units
    LONG = 4096

    def __init__(self, schema, buffer):
        from copepod.net import json_schema

        json_schema.prepare(self, schema, buffer)
        forget("copepod.net.json_schema")

    def no_room(self) -> None:
        """Hook: the buffer is not to be had."""
        raise ValueError("no room for a long string")

    def text_left(self, text):
        """The buffer goes to another, or to the next string: see TextBuffer."""
        self.values[self._long] = text

    def settled(self, value):
        """The str of a value that may have been left in the buffer."""
        return self.buffer.read() if type(value) is int else value

    def forget(self, first):
        """Set the values from `first` on to None."""
        for i in range(first, len(self.values)):
            self.values[i] = None
        self.buffer.give_back(self)

    def begin(self):
        """Expect a new document."""
        self.forget(0)
        self._state = _VALUE
        self._action = self._root
        self._level = self._depth = self._offset = 0

    def finish(self):
        """Raise ValueError unless the document was complete."""
        if self._state != _DONE:
            raise ValueError("JSON ends early, at byte %d" % self._offset)

    def feed(self, buf, start, end):
        """Parse buf[start:end] (a bytearray) and return how far it came: `end`, or less after a pause.

        Malformed JSON is a ValueError that names the byte.
        """
        if buf is not self._window:
            self._window = buf
            self._view = memoryview(buf)
        self.pause = False
        self._offset -= start
        i = start
        try:
            while i < end and not self.pause:
                state = self._state
                if state == _SKIP_BOX:
                    i = self._skip_box(buf, i, end)
                elif state == _SKIP_STRING:
                    i = self._skip_string(buf, i, end)
                elif state == _STRING:
                    i = self._string(buf, i, end)
                elif state == _SCALAR:
                    i = self._scalar(buf, i, end)
                elif buf[i] > 32 or state == _ESCAPE:
                    i = self._token(state, buf[i], buf, i, end)
                elif buf[i] in b" \n\r\t":
                    i += 1
                else:
                    raise ValueError
        except ValueError:
            raise ValueError("malformed JSON near byte %d" % (self._offset + i)) from None
        self._offset += i
        return i

    def _token(self, state, c, buf, i, end):
        if state <= _ITEM and (c != 93 or state == _VALUE):
            return self._value(buf, i, end, c)
        if state == _AFTER and c == 44:
            top = self._stack[self._level - 1]
            self._action = _OBJECT << 8 | top & 127  # for the next item; a name sets its own
            self._state = _VALUE if top & _ARRAY else _NAME
        elif state == _COLON and c == 58:
            self._state = _VALUE
        elif (state == _NAME or state == _FIRST) and c == 34:
            self._naming = True
            q = buf.find(b'"', i + 1, end)
            if q >= 0 and buf.find(b"\\", i + 1, q) < 0:
                self._name(buf, i + 1, q)
                return q + 1
            self._capture(self.SHORT)
        elif state == _ESCAPE:
            tail = self._tail
            n = self._n_tail
            tail[n] = c
            self._n_tail = n + 1
            if n == (5 if tail[1] == 117 else 1):
                self._state = _STRING
                self._escape(tail, 0)
        elif state == _AFTER or state == _FIRST or state == _ITEM:  # the end of an object or array
            self._level -= 1
            top = self._stack[self._level]
            if c != (93 if top & _ARRAY else 125):
                raise ValueError
            self._state = _AFTER if self._level else _DONE
            if c == 125:
                self.closed(top)
        else:
            raise ValueError
        return i + 1

    def _name(self, buf, start, end):
        self._naming = False
        self._state = _COLON
        self._action = 0
        n = end - start
        if 0 < n < 32:
            node = self._stack[self._level - 1] & 31
            found = self._table.get(node << 21 | n << 16 | buf[start] << 8 | buf[end - 2])
            if found:
                at = found >> 16
                while start < end and self._names[at] == buf[start]:
                    at += 1
                    start += 1
                if start == end:
                    self._action = found & 0xFFFF

    def _value(self, buf, i, end, c):
        kind = self._action >> 8
        target = self._action & 127
        level = self._level
        if not level and c != 123:
            raise ValueError
        if kind == 33 and c != 110:  # anything but null
            self.values[target - 48] = True
        if c == 123 or c == 91:
            nested = c == 91 and self._stack[level - 1] & _ARRAY
            if kind != _OBJECT or level == len(self._stack) or nested:
                self._depth = 1
                self._state = _SKIP_BOX
            else:
                self._level = level + 1
                self._stack[level] = target if c == 123 else target | _ARRAY
                self._state = _FIRST if c == 123 else _ITEM
                if c == 123:
                    self.opened(target)
        elif c == 34:
            if kind == 36 or kind == 126:
                units = self.SHORT if kind == 36 else self.LONG
                self._capture(units)
                q = buf.find(b'"', i + 1, end)
                if 0 <= q <= i + units and buf.find(b"\\", i + 1, q) < 0:
                    self._keep(buf, i + 1, q)
                    return q + 1
                if units == self.LONG and not self.buffer.claim(self):
                    self.no_room()
            else:
                self._odd = 0
                self._state = _SKIP_STRING
        else:
            self._n_tail = 0
            self._state = _SCALAR
            return i
        return i + 1

    def _scalar(self, buf, i, end):
        tail = self._tail
        n = self._n_tail
        while i < end:
            c = buf[i]
            if c <= 34 or c == 44 or c == 93 or c == 125:
                self._state = _AFTER
                self._literal(tail, n)
                break
            if n < 24:
                tail[n] = c
                n += 1
            i += 1
        self._n_tail = n
        return i

    def _literal(self, tail, n):
        kind = self._action >> 8
        slot = (self._action & 127) - 48
        c = tail[0]
        if c > 57:
            word = b"true" if c == 116 else b"false" if c == 102 else b"null"
            if n != len(word) or not tail.startswith(word):
                raise ValueError
            if c != 110 and kind == 63:
                self.values[slot] = c == 116
            return
        first = 1 if c == 45 else 0
        if n == first or not 48 <= tail[first] < 58:
            raise ValueError
        if kind == 46:
            self.values[slot] = str(tail[:n], "utf8")
        elif kind == 35 and n - first < 20:
            high = low = 0
            for i in range(first, n):
                d = tail[i] - 48
                if not 0 <= d < 10:
                    return  # a fraction or an exponent: not an integer
                if i < n - 9:
                    high = high * 10 + d
                else:
                    low = low * 10 + d
            if high:
                if high != self._high or low != self._low:
                    self._high, self._low = high, low
                    self._big = high * 1_000_000_000 + low
                low = self._big
            self.values[slot] = -low if first else low

    def _capture(self, units):
        self._state = _STRING
        self._units = units
        self._buf = self.buffer.data if units == self.LONG else self._short
        self._room = min(3 * units, len(self._buf))
        self._cut = False  # whether there was more than room
        self._raw = 0  # all bits of what was not escaped
        self._n = 0  # bytes so far
        self._extra = 0  # UTF-8 bytes of what was escaped, less one for each of its UTF-16 units
        self._lead = -1  # where the last first surrogate stands, as U+FFFD

    def _string(self, buf, i, end):
        q = -1
        while i < end:
            if q < i:
                q = buf.find(b'"', i, end)
                if q < 0:
                    q = end
            stop = buf.find(b"\\", i, q)
            if stop < 0:
                stop = q
            if stop > i:
                n = self._n
                k = min(stop - i, self._room - n)
                if k < stop - i:
                    self._cut = True
                kept = self._buf
                self._n = n + k
                if k > _SHORT_RUN:
                    part = self._view[i : i + k]
                    kept[n : n + k] = part
                    c = max(part)
                else:
                    c = 0
                    for at in range(k):
                        c |= buf[i + at]
                        kept[n + at] = buf[i + at]
                self._raw |= c
                i = stop
            elif i == q:
                if self._naming:
                    self._name(self._buf, 0, self._n)
                else:
                    self._keep(self._buf, 0, self._n)
                return i + 1
            else:
                k = 6 if i + 1 < end and buf[i + 1] == 117 else 2
                if i + k > end:
                    self._n_tail = 0
                    self._state = _ESCAPE
                    return i
                self._escape(buf, i)
                i += k
        return i

    def _escape(self, buf, i):
        c = buf[i + 1]
        if c != 117:
            at = 0
            while _ESCAPES[at] != c:
                at += 2
                if at == 16:
                    raise ValueError
            c = _ESCAPES[at + 1]
        else:
            c = 0
            for at in range(i + 2, i + 6):
                d = buf[at]
                if not (48 <= d < 58 or 65 <= d & ~32 < 71):
                    raise ValueError
                c = c << 4 | (d & 15) + (9 if d > 57 else 0)
        n = self._n
        lead = self._lead
        if 0xD800 <= c < 0xE000:
            if c >= 0xDC00 and n == lead + 3 and lead >= 0:
                n = lead
                self._extra -= 2
                c += (self._surrogate << 10) - 0x35FDC00
                self._lead = -1
            else:
                self._surrogate = c
                self._lead = n if c < 0xDC00 else -1
                c = 0xFFFD
        k = 0 if c < 0x80 else 1 if c < 0x800 else 2 if c < 0x10000 else 3
        if n + k >= self._room:
            self._room = self._n = n  # no shorter character may follow one that was left out
            self._cut = True
            return
        buf = self._buf
        self._n = n + k + 1
        self._extra += min(k, 2)
        buf[n] = (0xFF00 >> (k + 1) & 0xFF if k else 0) | c >> 6 * k
        while k:
            n, k = n + 1, k - 1
            buf[n] = 0x80 | c >> 6 * k & 0x3F

    def _keep(self, buf, start, end):
        self._state = _AFTER
        slot = (self._action & 127) - 48
        known = self._known_b.get(slot)
        if known is not None and len(known) == end - start and buf.startswith(known, start):
            self.values[slot] = self._known[slot]
            return
        units = end - start - self._extra  # without raw UTF-8, and Telegram escapes
        sound = units <= self._units and self._raw < 128 and not self._cut
        if buf is self.buffer.data and end:
            if not sound:
                from copepod.net import json_text

                end = json_text.mended(buf, end, self._units, self._cut)
                forget("copepod.net.json_text")
            self.values[slot] = end
            self._long = slot
            self.buffer.keep(self, end)
            if self._cut and len(buf) < 3 * self.LONG:  # it is longer than the buffer
                self.text_left(None)
                self.buffer.give_back(self)
            return
        text = None
        if sound:
            view = memoryview(buf) if buf is not self._window else self._view
            try:
                text = str(view[start:end], "utf8")
            except ValueError:
                pass
        if text is None or (buf is self._window and len(text) != units):
            from copepod.net import json_text

            text = json_text.text(buf, start, end, self._units, self._cut)
        elif self._action >> 8 == 36:
            self._known_b[slot] = bytes(view[start:end])  # pyright: ignore[reportPossiblyUnboundVariable]
            self._known[slot] = text
        self.values[slot] = text

    def _skip_string(self, buf, i, end):
        first = i = i + self._odd  # the last window may have ended behind a backslash
        while True:
            q = buf.find(b'"', i, end)
            i = b = end if q < 0 else q
            while b > first and buf[b - 1] == 92:
                b -= 1
            self._odd = odd = i - b & 1
            if q < 0:
                return end
            first = i = i + 1
            if not odd:
                self._state = _SKIP_BOX if self._depth else _AFTER
                return i

    def _skip_box(self, buf, i, end):
        depth = self._depth
        while i < end:
            q = buf.find(b'"', i, end)
            if q < 0:
                q = end
            if q - i > 32:
                closing = buf.count(b"]", i, q) + buf.count(b"}", i, q)
                if closing < depth:  # the end is not in here
                    depth += buf.count(b"[", i, q) + buf.count(b"{", i, q) - closing
                    i = q
            while i < q:
                c = buf[i] | 32  # "[" is "{" then, and "]" is "}"
                i += 1
                if c == 125:
                    depth -= 1
                    if not depth:
                        self._depth = 0
                        self._state = _AFTER
                        return i
                elif c == 123:
                    depth += 1
            if q < end:
                i = q + 1
                q = buf.find(b'"', i, end)
                if q < 0 or buf[q - 1] == 92:
                    self._odd = 0
                    self._state = _SKIP_STRING
                    break
                i = q + 1
        self._depth = depth
        return i

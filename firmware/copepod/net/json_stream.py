"""A push parser for JSON that keeps only declared fields. Memory: about 2 kB made once, and the strings it hands out.

feed() takes windows of any size, cut anywhere. What the schema does not name is skipped with find()
and count(), so that a megabyte of it costs no heap and little time; of a skipped value only the
quotes, the balance of the brackets and the literals are checked. Nothing recurses.

A schema is a bytes literal, one node (a kind of object) a line: a letter, then `name` + kind + target:

    #  integer of up to 19 digits                        $  string, cut at SHORT UTF-16 units
    ?  true or false                                     ~  string, cut at LONG UTF-16 units
    .  number, kept as the text it is written in         !  True when the value is there and is not null
    {  object, or array of objects, of node `target`; opened(target) and closed(target) are called

A target is a character: the value goes to values[ord(target) - 48]. A node letter names the same node
in both cases, so that `message{m` and `edited{M` share a line and the hooks can tell them apart.
A field that holds another type than declared is as if it was not there.
"""

from micropython import const

_VALUE = const(0)  # a value must come
_ITEM = const(1)  # a value or ]
_NAME = const(2)  # a key must come
_FIRST = const(3)  # a key or }
_COLON = const(4)
_AFTER = const(5)  # , or the end of the container
_DONE = const(6)
_STRING = const(7)  # from here on every byte counts, blanks too
_ESCAPE = const(8)
_SCALAR = const(9)
_SKIP_STRING = const(10)
_SKIP_BOX = const(11)

_ARRAY = const(0x80)  # on the stack: an array of the node's objects
_OBJECT = const(123)  # the kind of a wanted object
_LEVELS = const(16)
_SHORT_RUN = const(128)  # up to here bytes are copied one by one: a slice is 32 B of garbage
_BILLION = const(1000000000)

_ESCAPES = b'""\\\\//b\bf\fn\nr\rt\t'
# First bytes that str() lets pass though some (high < low: all) second bytes make them malformed.
_STRICT = (
    (b"\xe0", 0xA0, 0xBF), (b"\xed", 0x80, 0x9F), (b"\xf0", 0x90, 0xBF), (b"\xf4", 0x80, 0x8F),
    (b"\xc0", 1, 0), (b"\xc1", 1, 0), (b"\xf5", 1, 0), (b"\xf6", 1, 0), (b"\xf7", 1, 0),
)  # fmt: skip
_ASTRAL = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def _digit(c):
    c = c - 48 if c < 58 else (c | 32) - 87 if c > 64 else -1
    if not 0 <= c < 16:
        raise ValueError
    return c


class Reader:
    """Reads one JSON document (an object) after another: begin(), feed() as often as it takes, finish().

    `scratch` is a bytearray for strings that do not lie within one window or hold escapes: 3 bytes
    for each unit of LONG. It is in use while a document is being fed, and free between documents.
    """

    SHORT = 128  # UTF-16 units
    LONG = 4096

    def __init__(self, schema, scratch):
        self.schema = schema
        self.scratch = scratch
        self.scratch_view = memoryview(scratch)
        self.tail = bytearray(24)  # a scalar, or an escape that a window's end cuts
        self.stack = bytearray(_LEVELS)
        self.window = self.view = None
        self.table = {}  # node, length, first and last byte of a name -> its place, kind and target
        highest = at = 0
        for line in schema.split(b"\n"):
            i = 2
            while i < len(line):
                n = 0
                while line[i + n] == 95 or 48 <= line[i + n] < 58 or 97 <= line[i + n] < 123:
                    n += 1
                shape = (line[0] & 31) << 21 | n << 16 | line[i] << 8 | line[i + n - 1]
                if shape in self.table or not 0 < n < 32:
                    raise ValueError("schema")
                self.table[shape] = (at + i) << 16 | line[i + n] << 8 | line[i + n + 1]
                if line[i + n] != _OBJECT:
                    highest = max(highest, line[i + n + 1] - 48)
                i += n + 3
            at += len(line) + 1
        self.values: list = [None] * (highest + 1)
        self.known: list = [None] * (
            highest + 1
        )  # short strings of the last document and their UTF-8,
        self.known_b: list = [None] * (
            highest + 1
        )  # since the same sender's name comes again and again
        self.high = self.low = self.big = 0  # the last large integer in two parts, and itself
        self.begin()

    def opened(self, letter):
        """Hook: an object of this node begins."""

    def closed(self, letter):
        """Hook: an object of this node is complete. Set self.pause to make feed() return after it."""

    def forget(self):
        """Set every value to None."""
        for i in range(len(self.values)):
            self.values[i] = None

    def begin(self):
        """Expect a new document."""
        self.forget()
        self.state = _VALUE
        self.action = _OBJECT << 8 | self.schema[0]
        self.level = self.depth = self.offset = 0

    def finish(self):
        """Raise ValueError unless the document was complete."""
        if self.state != _DONE:
            raise ValueError("JSON ends early, at byte %d" % self.offset)

    def feed(self, buf, start, end):
        """Parse buf[start:end] (a bytearray) and return how far it came: `end`, or less after a pause.

        Malformed JSON is a ValueError that names the byte.
        """
        if buf is not self.window:
            self.window = buf
            self.view = memoryview(buf)
        self.pause = False
        self.offset -= start
        i = start
        try:
            while i < end and not self.pause:
                i = self._step(buf, i, end)
        except ValueError:
            raise ValueError("malformed JSON near byte %d" % (self.offset + i))
        self.offset += i
        return i

    def _step(self, buf, i, end):
        state = self.state
        if state == _SKIP_BOX:
            return self._skip_box(buf, i, end)
        if state == _SKIP_STRING:
            return self._skip_string(buf, i, end)
        if state == _STRING:
            return self._string(buf, i, end)
        if state == _SCALAR:
            return self._scalar(buf, i, end)
        c = buf[i]
        if state == _ESCAPE:
            self.tail[self.n_tail] = c
            self.n_tail += 1
            if self.n_tail == (6 if self.tail[1] == 117 else 2):
                self.state = _STRING
                self._escape(self.tail, 0)
            return i + 1
        while c <= 32:
            if c != 32 and c != 10 and c != 13 and c != 9:
                raise ValueError
            i += 1
            if i == end:
                return i
            c = buf[i]
        if state == _AFTER:
            if c == 44:
                top = self.stack[self.level - 1]
                if top & _ARRAY:
                    self.state = _VALUE
                    self.action = _OBJECT << 8 | top & 127
                else:
                    self.state = _NAME
            else:
                self._close(c)
        elif state == _COLON:
            if c != 58:
                raise ValueError
            self.state = _VALUE
        elif state <= _ITEM:
            if c != 93 or state != _ITEM:
                return self._value(buf, i, end, c)
            self._close(c)
        elif c == 34 and state <= _FIRST:
            self.naming = True
            q = buf.find(b'"', i + 1, end)
            if q < 0 or buf.find(b"\\", i + 1, q) >= 0:
                self._capture(self.SHORT)
            else:
                self._name(buf, i + 1, q)
                return q + 1
        elif c == 125 and state == _FIRST:
            self._close(c)
        else:
            raise ValueError
        return i + 1

    def _after(self):
        self.state = _AFTER if self.level else _DONE

    def _push(self, top, state):
        self.stack[self.level] = top
        self.level += 1
        self.state = state

    def _close(self, c):
        self.level -= 1
        top = self.stack[self.level]
        if c != (93 if top & _ARRAY else 125):
            raise ValueError
        self._after()
        if c == 125:
            self.closed(top)

    def _name(self, buf, start, end):
        self.naming = False
        self.state = _COLON
        self.action = 0
        n = end - start
        if 0 < n < 32:
            node = self.stack[self.level - 1] & 31
            found = self.table.get(node << 21 | n << 16 | buf[start] << 8 | buf[end - 1])
            if found:
                schema = self.schema
                at = found >> 16
                while start < end and schema[at] == buf[start]:
                    at += 1
                    start += 1
                if start == end:
                    self.action = found & 0xFFFF

    def _value(self, buf, i, end, c):
        kind = self.action >> 8
        target = self.action & 127
        if not self.level and c != 123:
            raise ValueError
        if c == 123 or c == 91:
            if kind == 33:
                self.values[target - 48] = True
            if (
                kind != _OBJECT
                or self.level == _LEVELS
                or c == 91
                and self.stack[self.level - 1] & _ARRAY
            ):
                self.depth = 1
                self.state = _SKIP_BOX
            elif c == 91:
                self._push(target | _ARRAY, _ITEM)
            else:
                self._push(target, _FIRST)
                self.opened(target)
            return i + 1
        if c == 34:
            i += 1
            if kind != 36 and kind != 126:
                if kind == 33:
                    self.values[target - 48] = True
                self.odd = 0
                self.state = _SKIP_STRING
                return i
            units = self.SHORT if kind == 36 else self.LONG
            q = buf.find(b'"', i, end)
            if q < 0 or q - i > units or buf.find(b"\\", i, q) >= 0:
                self._capture(units)
                return i
            self.units = units
            self.cut = False
            self._keep(buf, self.view, i, q)
            return q + 1
        self.n_tail = 0
        self.state = _SCALAR
        return i

    def _scalar(self, buf, i, end):
        tail = self.tail
        n = self.n_tail
        while i < end:
            c = buf[i]
            if c <= 34 or c == 44 or c == 93 or c == 125:
                self._after()
                self._literal(tail, n)
                break
            if n < 24:
                tail[n] = c
                n += 1
            i += 1
        self.n_tail = n
        return i

    def _literal(self, tail, n):
        kind = self.action >> 8
        slot = (self.action & 127) - 48
        c = tail[0]
        if c > 57:
            word = b"true" if c == 116 else b"false" if c == 102 else b"null"
            if n != len(word) or not tail.startswith(word):
                raise ValueError
            if c != 110 and (kind == 63 or kind == 33):
                self.values[slot] = c == 116 or kind == 33
            return
        negative = c == 45
        if n == negative or not 48 <= tail[negative] < 58:
            raise ValueError
        if kind == 33:
            self.values[slot] = True
        elif kind == 46:
            self.values[slot] = str(tail[:n], "utf8")
        elif kind == 35 and n - negative < 20:
            cut = max(n - 9, negative)
            high = low = 0
            for i in range(negative, n):
                d = tail[i] - 48
                if not 0 <= d < 10:
                    return  # a fraction or an exponent: not an integer
                if i < cut:
                    high = high * 10 + d
                else:
                    low = low * 10 + d
            if high and (high != self.high or low != self.low):
                self.high = high
                self.low = low
                self.big = high * _BILLION + low
            number = self.big if high else low
            self.values[slot] = -number if negative else number

    def _capture(self, units):
        self.state = _STRING
        self.units = units
        self.room = min(3 * units, len(self.scratch))
        self.n = 0  # bytes in scratch
        self.cut = False  # whether there was more
        self.lead = 0  # a first surrogate that waits for its second

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
                self._lone()
                n = self.n
                k = stop - i
                if n + k > self.room:
                    k = self.room - n
                    self.cut = True
                if k > _SHORT_RUN:
                    self.scratch[n : n + k] = self.view[i : i + k]
                else:
                    scratch = self.scratch
                    for at in range(k):
                        scratch[n + at] = buf[i + at]
                self.n = n + k
                i = stop
            elif i == q:
                self._lone()
                if self.naming:
                    self._name(self.scratch, 0, self.n)
                else:
                    self._keep(self.scratch, self.scratch_view, 0, self.n)
                return i + 1
            else:
                k = 6 if i + 1 < end and buf[i + 1] == 117 else 2
                if i + k > end:
                    self.n_tail = 0
                    self.state = _ESCAPE
                    return i
                self._escape(buf, i)
                i += k
        return i

    def _escape(self, buf, i):
        c = buf[i + 1]
        if c == 117:
            c = (
                _digit(buf[i + 2]) << 12
                | _digit(buf[i + 3]) << 8
                | _digit(buf[i + 4]) << 4
                | _digit(buf[i + 5])
            )
            if 0xDC00 <= c < 0xE000 and self.lead:
                c += ((self.lead - 0xD800) << 10) + 0x2400
                self.lead = 0
            self._lone()
            if 0xD800 <= c < 0xDC00:
                self.lead = c
                return
            self._put(0xFFFD if 0xDC00 <= c < 0xE000 else c)
        else:
            self._lone()
            at = 0
            while _ESCAPES[at] != c:
                at += 2
                if at == 16:
                    raise ValueError
            self._put(_ESCAPES[at + 1])

    def _lone(self):
        if self.lead:
            self.lead = 0
            self._put(0xFFFD)

    def _put(self, c):
        n = self.n
        scratch = self.scratch
        k = 0 if c < 0x80 else 1 if c < 0x800 else 2 if c < 0x10000 else 3
        if n + k >= self.room:
            self.room = n  # no shorter character may follow one that was left out
            return
        scratch[n] = (0xFF00 >> (k + 1) & 0xFF if k else 0) | c >> 6 * k
        self.n = n + k + 1
        while k:
            n += 1
            k -= 1
            scratch[n] = 0x80 | c >> 6 * k & 0x3F

    def _keep(self, buf, view, start, end):
        self._after()
        slot = (self.action & 127) - 48
        known = self.known_b[slot]
        if known is not None and len(known) == end - start and buf.startswith(known, start):
            self.values[slot] = self.known[slot]
            return
        text = None
        try:
            text = str(view[start:end], "utf8")
        except ValueError:
            pass
        if text is None or not self._fits(text, buf, start, end):
            text = ""
            left = self.units
            while start < end and left > 0:
                self.left = left
                stop = self._walk(buf, start, end)
                left = self.left
                text += str(view[start:stop], "utf8")
                if stop < end and left > 0:
                    if self.cut and end - stop < 4:
                        break  # a character whose end was cut off
                    text += "\ufffd"
                    left -= 1
                start = stop + 1
        elif self.action >> 8 == 36:
            self.known_b[slot] = bytes(view[start:end])
            self.known[slot] = text
        self.values[slot] = text

    def _fits(self, text, buf, start, end):
        """Whether the UTF-8 that str() accepted is well-formed and not too long."""
        units = len(text)
        if units < end - start:
            for lead, low, high in _STRICT:
                i = buf.find(lead, start, end)
                while i >= 0:
                    if not low <= buf[i + 1] <= high:
                        return False
                    i = buf.find(lead, i + 1, end)
            if end - start > self.units:
                for lead in _ASTRAL:
                    units += buf.count(lead, start, end)
        return units <= self.units

    def _walk(self, buf, i, end):
        """Where the well-formed characters from i end; self.left counts their units down, -1 when it ran out."""
        left = self.left
        while i < end:
            c = buf[i]
            k = (
                1
                if c < 0x80
                else 2
                if 0xC2 <= c < 0xE0
                else 3
                if 0xE0 <= c < 0xF0
                else 4
                if 0xF0 <= c < 0xF5
                else 0
            )
            if not k or i + k > end:
                break
            if k > 1:
                d = buf[i + 1]
                low = 0xA0 if c == 0xE0 else 0x90 if c == 0xF0 else 0x80
                if not low <= d < (0xA0 if c == 0xED else 0x90 if c == 0xF4 else 0xC0):
                    break
                if k > 2 and buf[i + 2] & 0xC0 != 0x80 or k > 3 and buf[i + 3] & 0xC0 != 0x80:
                    break
            left -= 1 + (k > 3)
            if left < 0:
                break
            i += k
        self.left = left
        return i

    def _skip_string(self, buf, i, end):
        i += self.odd  # the last window ended between a backslash and what it escapes
        first = i
        while True:
            q = buf.find(b'"', i, end)
            i = b = end if q < 0 else q
            while b > first and buf[b - 1] == 92:
                b -= 1
            self.odd = odd = i - b & 1
            if q < 0:
                self.state = _SKIP_STRING
                return end
            i += 1
            first = i
            if not odd:
                if self.depth:
                    self.state = _SKIP_BOX
                else:
                    self._after()
                return i

    def _skip_box(self, buf, i, end):
        depth = self.depth
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
                c = buf[i]
                i += 1
                if c > 90:
                    if c == 93 or c == 125:
                        depth -= 1
                        if not depth:
                            self.depth = 0
                            self._after()
                            return i
                    elif c == 91 or c == 123:
                        depth += 1
            if q < end:
                i = q + 1
                q = buf.find(b'"', i, end)
                if q == i or q > i and buf[q - 1] != 92:
                    i = q + 1
                else:
                    self.odd = 0
                    self.depth = depth
                    i = self._skip_string(buf, i, end)
                    if self.state == _SKIP_STRING:
                        return i
        self.depth = depth
        return i

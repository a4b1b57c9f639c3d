"""Makes a Reader of json_stream.py: its fields, and the table of its schema. Memory: dropped after use.

A schema is a bytes literal, a node (a kind of object) a line: a letter, then `name` + kind + target:

    #  integer of up to 19 digits                    $  string, cut at SHORT UTF-16 units
    ?  true or false                                 ~  string, cut at LONG UTF-16 units
    .  number, as the text it is written in          !  True if the value is there and is not null
    {  object, or array of objects, of node `target`; opened(target) and closed(target) are called

A target is a character: the value goes to values[ord(target) - 48]. A node letter names the same
node in both cases, so that `message{m` and `edited{M` share a line and the hooks can tell them apart.
A field that holds another type than declared is as if it was not there.
"""

from micropython import const

_NODE = const(123)  # "{": an object with fields that are wanted
_LEVELS = 16  # of objects and arrays within each other


def prepare(reader, schema, buffer):
    """Give a new reader its fields."""
    reader._table, count, reader._names = table(schema)
    reader.values = [None] * count
    reader._root = _NODE << 8 | schema[0]
    reader.buffer = buffer
    reader._short = bytearray(3 * reader.SHORT)
    reader._tail = bytearray(24)  # a scalar, or an escape that a window's end cuts
    reader._stack = bytearray(_LEVELS)
    reader._window = reader._view = None
    reader._known = {}  # target -> short string of the last document, and its UTF-8,
    reader._known_b = {}  # since the same sender's name comes again and again
    reader._high = reader._low = reader._big = 0  # the last large integer in two parts, and itself
    reader.begin()


def table(schema):
    """The table, the number of values and the names of a schema. ValueError if it can't be read.

    The table maps node, length, first and last but one byte of a name, in one small int, to the name's
    place among the names, its kind and its target, in another. The names are one bytes object, in
    which those that are part of others have no place of their own.
    """
    found = {}
    names = b""
    count = node = at = 0
    begins = True  # a line: the node's letter and a blank come first
    while at < len(schema):
        if begins:
            node = schema[at] & 31
            at += 2
        start = at
        while schema[at] == 95 or 48 <= schema[at] < 58 or 97 <= schema[at] < 123:
            at += 1
        n = at - start
        shape = node << 21 | n << 16 | schema[start] << 8 | schema[at - 2]
        if shape in found or not 0 < n < 32:
            raise ValueError("schema")
        name = schema[start:at]
        if name not in names:
            names += name
        found[shape] = names.find(name) << 16 | schema[at] << 8 | schema[at + 1]
        if schema[at] != _NODE:
            count = max(count, schema[at + 1] - 47)
        at += 3
        begins = schema[at - 1 : at] == b"\n"
    return found, count, names

"""Turns a schema of json_stream.py into the table that its reader looks names up in. Memory: dropped after use."""

_OBJECT = 123


def table(schema):
    """The table, the number of values and the names of a schema. ValueError if it can't be read.

    The table maps node, length, first and last byte of a name, in one small int, to the name's
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
        shape = node << 21 | n << 16 | schema[start] << 8 | schema[at - 1]
        if shape in found or not 0 < n < 32:
            raise ValueError("schema")
        name = schema[start:at]
        if name not in names:
            names += name
        found[shape] = names.find(name) << 16 | schema[at] << 8 | schema[at + 1]
        if schema[at] != _OBJECT:
            count = max(count, schema[at + 1] - 47)
        at += 3
        begins = schema[at - 1 : at] == b"\n"
    return found, count, names

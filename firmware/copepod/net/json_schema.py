"""Turns a schema of json_stream.py into the table that its reader looks names up in. Memory: dropped after use."""

_OBJECT = 123


def table(schema):
    """The table and the number of values of a schema. ValueError if it can't be read.

    The table maps node, length, first and last byte of a name, in one small int, to the name's
    place in the schema, its kind and its target, in another.
    """
    found = {}
    count = at = 0
    for line in schema.split(b"\n"):
        i = 2
        while i < len(line):
            n = 0
            while line[i + n] == 95 or 48 <= line[i + n] < 58 or 97 <= line[i + n] < 123:
                n += 1
            shape = (line[0] & 31) << 21 | n << 16 | line[i] << 8 | line[i + n - 1]
            if shape in found or not 0 < n < 32:
                raise ValueError("schema")
            found[shape] = (at + i) << 16 | line[i + n] << 8 | line[i + n + 1]
            if line[i + n] != _OBJECT:
                count = max(count, line[i + n + 1] - 47)
            i += n + 3
        at += len(line) + 1
    return found, count

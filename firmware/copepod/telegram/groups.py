"""Whether a message in a group speaks to the bot by name. Memory: none; loaded for one message, dropped after it."""


def _is_word(c):
    return 48 <= c < 58 or 65 <= c < 91 or 97 <= c < 123 or c == 95


def _same(name, data, at):
    # `name` is in lower case.
    for c in name:
        d = data[at]
        if d != c and not (65 <= d < 91 and d + 32 == c):
            return False
        at += 1
    return True


def without(name, data, size_b):
    """Take `name` (b"@copepod_bot", in lower case) out of the text in `data`, a bytearray, and the blanks
    around what is left. Returns the bytes that the text has then, None if the name is not in it.
    """
    n = len(name)
    at = data.find(b"@", 0, size_b)
    while at >= 0 and at + n <= size_b:
        end = at + n
        if (
            _same(name, data, at)
            and not (end < size_b and _is_word(data[end]))
            and not (at and _is_word(data[at - 1]))
        ):
            view = memoryview(data)
            view[at : size_b - n] = view[end:size_b]
            return _stripped(data, view, size_b - n)
        at = data.find(b"@", at + 1, size_b)
    return None


def _stripped(data, view, size_b):
    while size_b and data[size_b - 1] <= 32:
        size_b -= 1
    start = 0
    while start < size_b and data[start] <= 32:
        start += 1
    view[: size_b - start] = view[start:size_b]
    return size_b - start

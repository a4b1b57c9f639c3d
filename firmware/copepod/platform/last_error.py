"""The text of the error that ended an earlier run, in the record. Memory: imported only after a crash."""

from micropython import const

from copepod.platform import record

_AT = const(33)
_MAX_B = const(76)
_CHECK_AT = const(110)


def load():
    """Return the text, or None when nothing is kept."""
    data = record.data
    size = data[_AT]
    if not 0 < size <= _MAX_B or not record.good(_AT, _CHECK_AT, _CHECK_AT):
        return None
    return str(data[_AT + 1 : _AT + 1 + size], "utf-8")


def store(text):
    """Keep `text`, without tokens and cut to 76 bytes on a character; "" forgets the last one."""
    text = scrub(text).encode()
    size = min(len(text), _MAX_B)
    while 0 < size < len(text) and text[size] & 0xC0 == 0x80:
        size -= 1
    record.data[_AT] = size
    record.data[_AT + 1 : _AT + 1 + size] = text[:size]
    record.close(_AT, _CHECK_AT, _CHECK_AT)


def scrub(text):
    """Return `text` with the secret of anything like a bot token (`123:AAH…`) made `***`."""
    at = text.find(":")
    while at >= 0:
        end = at + 1
        while end < len(text) and text[end] not in " /?&'\"\n":
            end += 1
        if end - at > 20 and at and text[at - 1].isdigit():
            text = text[: at + 1] + "***" + text[end:]
        at = text.find(":", at + 1)
    return text

"""What the formatter makes of a text: one formatter for all, and where its output goes."""

from copepod.text.markdown import Formatter

FMT = Formatter()  # made once, as on the device
FMT.keeps_modules = False  # as where the heap is small
OUT = bytearray()


def sink(buf, start, end):
    OUT.extend(bytes(buf[start:end]))


def taken(write):
    global OUT
    OUT = bytearray()
    write(sink)
    return OUT.decode()


def messages(text, chunk=0, fmt=FMT):
    """All the pieces that a text makes, fed whole or in chunks of bytes."""
    data = text.encode() if isinstance(text, str) else text
    fmt.begin()
    at = 0
    found = []
    while True:
        while at < len(data):
            n = fmt.feed(data[at : at + chunk] if chunk else data[at:])
            if not n:
                break
            at += n
        if at >= len(data):
            fmt.finish()
        if fmt.ready():
            found.append(taken(fmt.write))
            fmt.drop()
        elif fmt.done():
            return found

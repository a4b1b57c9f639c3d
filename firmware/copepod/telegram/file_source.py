"""What a file is that a bot sends: how many bytes, under which name. Memory: loaded for a moment, before it is sent."""

import os

from micropython import const

_PHOTO_B = const(10485760)  # Bot API, "Sending files"
_DOCUMENT_B = const(52428800)
_CAPTION = const(1024)  # UTF-16 units


def look(source, photo, name, caption):
    """What is to be known of `source`, a path, bytes (a memoryview, too) or an object with readinto().

    Gives its bytes, where in it they begin (None: it can't go back there), its name, and whether the caption is too
    long for one. OSError for a file that is not there, TypeError for what is none of these, ValueError for what is
    empty or too large.
    """
    start: "int | None" = 0
    if isinstance(source, str):
        name = name or source[source.rfind("/") + 1 :]
        try:
            size = os.stat(source)[6]
        except OSError as error:
            raise OSError("%s: %s" % (source, error)) from None
    elif isinstance(source, (bytes, bytearray, memoryview)):
        size = len(source)
    elif hasattr(source, "readinto"):
        start = source.tell() if hasattr(source, "seek") else None
        size = _measured(source, start)
    else:
        raise TypeError("a file is a path, bytes or has readinto(), not %r" % (source,))
    name = name or "file"
    most_b = _PHOTO_B if photo else _DOCUMENT_B
    if not 0 < size <= most_b:
        raise ValueError("%s: %d bytes, 1 to %d are sent" % (name, size, most_b))
    for character in '"\\\r\n':  # which would end it in the header
        name = name.replace(character, "_")
    return size, start, name, bool(caption) and _units(caption) > _CAPTION


def _measured(source, start):
    # By its `size`, its len(), or seek() and tell().
    size = getattr(source, "size", None)
    if size is None and hasattr(source, "__len__"):
        size = len(source)
    if size is None and start is not None:
        size = source.seek(0, 2) - start
        source.seek(start)
    if not isinstance(size, int):
        raise TypeError("what has readinto() says its size by `size` or len()")
    return size


def _units(text):
    # UTF-16; what is formatted has fewer.
    return len(text) + len([1 for character in text if ord(character) > 0xFFFF])

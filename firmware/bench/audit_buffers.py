"""Reading one answer of 700 bytes: a buffer made for each call against one kept. Memory: per row."""

# pyright: reportAttributeAccessIssue=false

import io

_SOURCE = io.BytesIO(b"x" * 700)
_WINDOW = bytearray(1024)
_VIEW = memoryview(_WINDOW)


def made_per_call():
    """A buffer for the body, then a slice for what is wanted of it."""
    _SOURCE.seek(0)
    body = bytearray(1024)
    count = _SOURCE.readinto(body)
    return body[:count]


def read_whole():
    """What a client library does: the body as bytes, then as text."""
    _SOURCE.seek(0)
    return _SOURCE.read().decode()


def kept():
    """Copepod: the connection's own window, offsets instead of slices."""
    _SOURCE.seek(0)
    return _SOURCE.readinto(_VIEW)


ROWS = (
    ("buffer and slice made per call", made_per_call),
    ("whole body as bytes and text", read_whole),
    ("one kept window", kept),
)

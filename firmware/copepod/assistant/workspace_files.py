"""Files in the workspace, and nowhere else. Memory: dropped after use; a kilobyte at most."""

import os

from micropython import const

_READ_B = const(900)
_FILE_B = const(32768)
_OURS = ("sessions", "state")  # what was said, and what may be spent


def place(gateway, path):
    """The real path of one that the model has named; ValueError when it leads elsewhere."""
    if type(path) is not str or not path:
        raise ValueError("path: a file's name")
    parts = path.strip("/").split("/")
    for part in parts:
        if not part or part[0] == "." or "\\" in part or "\0" in part:
            raise ValueError("path: only files in the workspace")
    if parts[0].lower() in _OURS:
        raise ValueError("path: this folder is not yours")
    return gateway.config.model.workspace + "/" + "/".join(parts)


def read(gateway, path, offset):
    """The text from a byte on; what is malformed or cut is left out."""
    try:
        with open(place(gateway, path), "rb") as file:
            file.seek(0, 2)
            size_b = file.tell()
            file.seek(offset)
            data = file.read(_READ_B)
    except OSError:
        raise ValueError("there is no such file")
    from copepod.net import json_text

    text = json_text.text(data, 0, len(data), len(data), True)
    left = size_b - offset - len(data)
    return text + ("\n(%d bytes follow)" % left if left > 0 else "") or "empty"


def write(gateway, path, text, append):
    """Write or add; folders on the way are made."""
    if type(text) is not str:
        raise ValueError("a text is needed")
    where = place(gateway, path)
    at = len(gateway.config.model.workspace) + 1
    while True:
        at = where.find("/", at) + 1
        if not at:
            break
        try:
            os.mkdir(where[: at - 1])
        except OSError:
            pass
    size_b = 0
    if append:
        try:
            size_b = os.stat(where)[6]
        except OSError:
            pass
    data = text.encode()
    if size_b + len(data) > _FILE_B:
        raise ValueError("the file would be larger than 32 kB")
    with open(where, "ab" if append else "wb") as file:
        file.write(data)
    return "written: %s has %d bytes now" % (path, size_b + len(data))

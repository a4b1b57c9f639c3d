"""The request to a model: who it is, what was said, what it can do. Memory: dropped after use; a window of 256 B.

write() is called twice, first with a Count, because many servers refuse a body whose length they are not told, and then
with the Connection: the session's lines and the tools count by their files' sizes, and go from the files into the
connection's window.
"""

import errno
import os

from copepod.net.http import Client

_PROMPT = (
    b"You are Copepod, an assistant that lives on a small board and talks by way of Telegram. Answer in Markdown, as"
    b" shortly as the question allows. Use a tool only when it is needed, and never say that something was done"
    b" unless a tool has said so."
)
# PicoClaw's files in a workspace, each a part of the system prompt.
_FILES = ("AGENT.md", "SOUL.md", "USER.md", "memory/MEMORY.md")


class Count(Client):
    """Takes what is written, through a connection's window, and keeps its length, `size_b`."""

    def __init__(self, http):
        self._tx = http._tx
        self._n = self.size_b = 0

    def total_b(self):
        """Bytes so far."""
        return self.size_b + self._n

    def _send(self, tail):
        self.size_b += self._n
        self._n = 0


def head(http, endpoint, size_b):
    """Write the head of the POST; `size_b` bytes of body follow."""
    http.begin_head()
    http.write(b"POST ")
    http.write(endpoint.path)
    http.write(b" HTTP/1.1\r\nHost: ")
    http.write(endpoint.host)
    if endpoint.port != 443 and endpoint.port != 80:
        http.write(b":")
        http.write_int(endpoint.port)
    http.write(b"\r\nContent-Type: application/json\r\nContent-Length: ")
    http.write_int(size_b)
    if endpoint.key:
        http.write(b"\r\nAuthorization: Bearer ")
        for at in range(0, len(endpoint.key), 128):
            http.write(endpoint.key[at : at + 128])
    for line in endpoint.headers:
        http.write(b"\r\n")
        http.write(line)
    http.write(b"\r\n\r\n")


def write(out, model, endpoint, session, tools):
    """Write the body into `out`; `tools`: the model may use some."""
    out.write(b'{"model":"')
    _text(out, endpoint.name)
    out.write(b'","stream":true')
    if endpoint.with_usage:
        out.write(b',"stream_options":{"include_usage":true}')
    out.write(b',"')
    out.write(endpoint.max_tokens_field)
    out.write(b'":')
    out.write_int(model.max_tokens)
    if model.temperature is not None:
        out.write(b',"temperature":')
        out.write(model.temperature)
    if tools and endpoint.with_tools:
        path = model.workspace + "/state/tools.json"
        size_b = os.stat(path)[6]
        if size_b > 2:
            out.write(b',"tools":')
            with open(path, "rb") as file:
                _take_from(out, file, 0, size_b)
    out.write(b',"messages":[{"role":"system","content":"')
    _system(out, model, session)
    out.write(b'"},')
    with open(session.path, "rb") as file:
        _take_from(out, file, session.first, session.end - 1)
    out.write(session.closing)
    out.write(b"]}")


def _system(out, model, session):
    window = bytearray(256)
    first = True
    for name in _FILES:
        try:
            file = open(model.workspace + "/" + name, "rb")
        except OSError:
            if first:
                out.write_json(_PROMPT, 0, len(_PROMPT))
            first = False
            continue
        first = False
        _text(out, "\n\n")
        with file:
            n = file.readinto(window)
            while n:
                out.write_json(window, 0, n)
                n = file.readinto(window)
    if model.pins:
        _text(out, "\n\nPins, by name and mode:")
        for name in model.pins:
            _text(out, " %s (%s)" % (name, model.pins[name][1]))
    if session.summary:
        _text(out, "\n\nWhat was said before, in short: ")
        _text(out, session.summary)


def _text(out, text):
    data = memoryview(text)
    out.write_json(data, 0, len(data))


def _take_from(out, file, start, end):
    # A part of a file of whole messages, the ends between them as commas.
    if isinstance(out, Count):
        out.size_b += end - start
        return
    window = bytearray(out.WINDOW_B // 2)
    view = memoryview(window)
    file.seek(start)
    while start < end:
        n = file.readinto(view[: min(len(window), end - start)])
        if not n:
            raise OSError(errno.EIO)
        at = window.find(b"\n", 0, n)
        while at >= 0:
            window[at] = 44
            at = window.find(b"\n", at, n)
        out.write(view[:n])
        start += n

"""Saves a file that somebody has sent: getFile, and the file by the same connection. Memory: loaded for one, dropped.

It takes its turn in the queue as a message whose text is not written. What comes goes from the window that every
answer comes through to a file beside the one that is wanted, and takes its place when all of it is there.
"""

import errno
import os
from time import ticks_ms

from micropython import const

from copepod import answers
from copepod.messages import AnswerRefused
from copepod.net import http_body
from copepod.once import forget
from copepod.platform import port
from copepod.telegram.methods import ANSWER_MS, Refused

_FILE_PATH = const(23)  # place of the value of telegram/schema.py
_SPARE_B = const(16384)  # of flash, for what the gateway keeps, and what a file system needs besides
_SAVING_B = const(6500)  # of Python's heap that has to be free: what saving takes, and some in pieces
_ENOENT = const(2)
_BREAKS_MAX = const(5)  # connections that broke


async def save(msg, path, limit_b):
    """Save msg.file to `path`: see ReceivedFile.save."""
    forget("copepod.telegram.download")
    forget("copepod.net.http_body")
    port.need(_SAVING_B)
    if msg.file is None:
        raise ValueError("no file came with this message")
    download = Download(msg.gateway, msg.file, path, limit_b)
    error = download.refusal(msg.file.size or 0)
    if error is not None:
        raise error
    try:
        await answers.send(msg.gateway, msg.chat_id, "x", None, None, None, None, download)
    except AnswerRefused:
        if download.error is None:
            raise
    if download.error is not None:
        raise download.error
    return download.size_b


class Download(answers.Sent):
    """A Sent whose request is a file's; `size_b` bytes are there, `error`: why it was not to be had."""

    size_b = 0
    error: "Exception | None" = None

    def __init__(self, gateway, file, path, limit_b):
        super().__init__(gateway)
        self._file = file
        self._path = path
        self._limit_b = limit_b
        self._broken = 0

    def refusal(self, size_b):
        """An error, when a file of so many bytes is too large or has no room."""
        if size_b > self._limit_b:
            return ValueError("%s: %d bytes, at most %d" % (self._path, size_b, self._limit_b))
        folder = self._path[: self._path.rfind("/") + 1]
        try:
            found = os.statvfs(folder or ".")
        except OSError as error:
            # A disk of a computer may be too large to be told.
            return OSError("%s: %s" % (folder, error)) if error.errno == _ENOENT else None
        free_b = max(0, found[1] * found[4] - _SPARE_B)
        if size_b > free_b:
            told = (self._path, size_b, free_b)
            return OSError("%s: %d bytes, there is room for %d" % told)
        return None

    def write(self, call, box) -> bool:
        """Leave all of it to request(), which the channel comes to when it has it flushed."""
        call.http.stream = self._request(call, box)
        return True

    async def _request(self, call, box):
        # Returns True: there is no answer for the channel to read.
        message = box.message
        self.gateway.channel.sent = False  # it can be asked for again
        try:
            if not await self._ask(call):
                return True  # a flood limit holds it
            await self._get(call, message)
        except Refused as error:
            self.error = OSError("Telegram does not give the file: %s" % error)
        except (OSError, ValueError):
            call.status = 0  # or it would be the server that fails: see trouble.py
            self._broken += 1
            if self._broken < _BREAKS_MAX:
                raise
            self.error = OSError("%s: the connection is lost while it comes" % self._path)
        if not message.state:
            message.state = 1 if self.error is None else 2
            message.reason = "not saved"
        box.end(message)
        return True

    async def _ask(self, call):
        http = call.http
        http.begin(call.path, b"getFile")
        call.text(b'{"file_id":"')
        data = memoryview(self._file.id)
        call.run(data, 0, len(data))
        call.text(b'"}')
        await http.flush()
        call.answered(await http.response(ANSWER_MS))
        while await http.fill():
            call.read()
        return call.result()

    async def _get(self, call, message):
        # The token is in the path: nothing of it may be said.
        http = call.http
        place = (call.reader.values[_FILE_PATH] or "").encode()
        if not place or min(place) < 33:
            self.error = OSError("Telegram does not say where the file is")
            return
        if not http.is_open():  # a new connection begins with the P of POST
            raise OSError(errno.ENOTCONN)
        body = http_body.Body(http)
        body.begin(b"GET /file", (call.path, place))
        await body.stream()
        status = await http.response(ANSWER_MS)
        length_b = http_body.length(http)
        if status != 200:
            while await http.fill():
                pass
            self.error = OSError("Telegram does not give the file: %d" % status)
            return
        self.error = self.refusal(max(length_b, 0))
        if self.error is None:
            await self._keep(http, message)
        if self.error is not None or message.state:
            http.close()  # the rest of it is not wanted

    async def _keep(self, http, message):
        temporary = self._path + ".new"
        file = None
        try:
            file = self._on_flash(open, temporary, "wb")
            self.size_b = 0
            while self.error is None and not message.state and await http.fill():
                self.size_b += http.end - http.start
                if self.size_b > self._limit_b:
                    self.error = self.refusal(self.size_b)
                    break
                self._on_flash(file.write, memoryview(http.buffer)[http.start : http.end])
                http_body.go_on(http, ANSWER_MS)
                self.gateway.channel.alive_ms = ticks_ms()
            if self.error is None and not message.state:
                self._on_flash(file.close)
                self._on_flash(_rename, temporary, self._path)
        finally:
            if file is not None:
                self._on_flash(file.close)
                self._on_flash(_remove, temporary)

    def _on_flash(self, function, *arguments):
        # A failure of flash is no failure of the network's.
        try:
            return function(*arguments)
        except OSError as error:
            if self.error is None:
                self.error = OSError("%s: %s" % (self._path, error))
        return None


def _rename(old, new):
    try:
        os.rename(old, new)  # atomic on littlefs
    except OSError:  # FAT replaces no file
        os.remove(new)
        os.rename(old, new)


def _remove(path):
    try:
        os.remove(path)
    except OSError:  # it has its place
        pass

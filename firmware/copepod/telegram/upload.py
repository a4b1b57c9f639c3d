"""Sends a photo or a document with its caption. Memory: loaded for one; what is called drops it. No buffer of its own.

A file takes its turn in the queue as a message whose text is the caption. Its request (sendPhoto, sendDocument) is
multipart/form-data of a length that is worked out before, and goes through the window that every request goes through.
"""

import os
from time import ticks_ms

from micropython import const

from copepod import answers
from copepod.messages import AnswerRefused
from copepod.once import forget
from copepod.platform import port
from copepod.telegram.methods import PLAIN

_SENDING_B = const(8000)  # of Python's heap that has to be free: what sending takes, and some in pieces
_CUTS_MAX = const(5)  # connections that were lost before its last byte
_NOTHING = "x"  # the text of a message without a caption: not written, and nothing to format
_BOUNDARY = b"%02x" * 12
_FIELD = b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'
_FILE = b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
_REPLY = b'{"allow_sending_without_reply":true,"message_id":%d}'


def answer(msg, photo, source, caption=None, name=None):
    """Send `source` to the chat of `msg`, as a reply: see Received.answer_photo."""
    return _send(
        msg.gateway, msg.chat_id, photo, source, caption, name, msg.message_id, msg.thread_id
    )


def send(gateway, chat_id, caption, photo=None, document=None, name=None):
    """Send one of them to a chat: see Bot.send."""
    source = document if photo is None else photo
    return _send(gateway, chat_id, photo is not None, source, caption, name)


async def _send(gateway, chat_id, photo, source, caption, name, reply_to=None, thread_id=None):
    """Send `source` as a photo or a document; gives a Sent. See file_source.look for what it may be, and what raises.

    A caption that is longer than 1,024 UTF-16 units goes out as a message of its own, behind the file.
    """
    forget("copepod.telegram.upload")
    port.need(_SENDING_B)
    upload = Upload(gateway)
    apart = upload.take(source, photo, name, caption)
    text = _NOTHING if apart or not caption else caption
    upload.captioned = text is caption
    try:
        await answers.send(gateway, chat_id, text, reply_to, thread_id, None, None, upload)
    except AnswerRefused:
        if upload.error is not None:
            raise upload.error
        raise
    if apart:
        await answers.send(gateway, upload.chat_id, caption, None, thread_id)
    sent = answers.Sent(gateway)  # which knows no more than it has to
    sent.chat_id = upload.chat_id
    sent.thread_id = thread_id
    sent.message_id = upload.message_id
    return sent


class Upload(answers.Sent):
    """A Sent whose request is a file's. `error`: why it can't be sent, where that is not Telegram's word."""

    error: "Exception | None" = None
    captioned = False
    _broken = 0  # connections that were lost before its last byte
    _begun = False
    _file: "Any" = None  # what is read, where that is not memory

    def take(self, source, photo, name, caption):
        """Be the file `source`; True when the caption is too long for one."""
        from copepod.telegram import file_source

        forget("copepod.telegram.file_source")
        found = file_source.look(source, photo, name, caption)
        self._source = source
        self._photo = photo
        self._size, self._start, self._name, apart = found
        return apart

    def write(self, call, box) -> bool:
        """Leave the request to what the channel awaits when it has it flushed."""
        if box.pieces:
            return False  # a caption that has become longer than a message: the rest is text
        call.http.stream = self._request(call, box)
        return True

    async def _request(self, call, box):
        # Returns True when it has come to its end without an answer to read.
        from copepod.net import http_body

        forget("copepod.net.http_body")
        message = box.message
        self._message = message
        self.gateway.channel.sent = False  # nothing can be accepted before the last byte
        try:
            if self._open():
                if await self._write(http_body.Body(call.http), call, box):
                    return None
                call.http.close()  # which waits for the rest
        except OSError:
            self._broken += 1
            if self._broken < _CUTS_MAX and self._start is not None:
                raise
            call.http.close()
            self.error = OSError("%s: the connection was lost while it was sent" % self._name)
        finally:
            if self._file is not None and self._file is not self._source:
                self._file.close()
        if not message.state:
            message.state = 2
            message.reason = "not sent"
        box.end(message)
        return True

    async def _write(self, body, call, box):
        # False when there was less to read than it said.
        message = box.message
        boundary = _BOUNDARY % tuple(os.urandom(12))
        kind = b"photo" if self._photo else b"document"
        before = _FIELD % (boundary, b"chat_id") + b"%d\r\n" % message.chat_id
        if message.thread_id is not None:
            before += _FIELD % (boundary, b"message_thread_id") + b"%d\r\n" % message.thread_id
        if message.reply_to is not None:
            before += _FIELD % (boundary, b"reply_parameters") + _REPLY % message.reply_to + b"\r\n"
        after = _FILE % (boundary, kind, self._name.encode())
        caption = box.formatter.write_plain if box.form == PLAIN else box.formatter.write
        if self.captioned:
            if box.form != PLAIN:
                before += _FIELD % (boundary, b"parse_mode") + b"HTML\r\n"
            before += _FIELD % (boundary, b"caption")
            after = b"\r\n" + after
            caption(body.run)  # to count it
        end = b"\r\n--%s--\r\n" % boundary
        size = len(before) + body.size_b + len(after) + self._size + len(end)
        header = b"Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n"
        method = b"sendPhoto" if self._photo else b"sendDocument"
        body.begin(b"POST ", (call.path, method), header % (boundary, size))
        body.text(before)
        if self.captioned:
            caption(body.run)
        body.text(after)
        if not await body.stream(self, self._size):
            return False
        self.gateway.channel.sent = True
        body.text(end)
        return await body.stream()

    # What is read -----------------------------------------------------------------------------

    def _open(self):
        # Be read from the beginning; False, with an error, when it can't be.
        self._at = 0
        try:
            if isinstance(self._source, str):
                self._file = open(self._source, "rb")
            elif hasattr(self._source, "readinto"):
                self._file = self._source
                if self._begun:
                    if self._start is None:
                        told = "%s: it has to be sent again, and can't be read again"
                        raise OSError(told % self._name)
                    self._file.seek(self._start)
            self._begun = True
        except Exception as error:  # a reader of the user's may raise anything
            self.error = error
        return self.error is None

    def readinto(self, view):
        """Fill `view`, or less of it; gives how many bytes, 0 when there are no more or nobody wants them."""
        self.gateway.channel.alive_ms = ticks_ms()  # some of it is on its way
        n = 0
        try:
            if self._message.state:
                return 0
            if self._file is None:
                n = len(view)
                view[:] = memoryview(self._source)[self._at : self._at + n]
            else:
                n = self._file.readinto(view) or 0
            self._at += n
            if not n:
                told = "%s: it ends after %d bytes of %d"
                self.error = OSError(told % (self._name, self._at, self._size))
        except Exception as error:
            self.error = error
        return n

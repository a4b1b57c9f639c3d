"""Sends a photo or a document with its caption. Memory: loaded for one; what is called drops it. No buffer of its own.

A file takes its turn in the queue as a message whose text is the caption. Its request (sendPhoto, sendDocument) is
multipart/form-data of a length that is worked out before, and goes through the window that every request goes through.
"""

import os
from binascii import hexlify
from time import ticks_ms

from micropython import const

from copepod import answers
from copepod.messages import AnswerRefused
from copepod.net import http_body
from copepod.once import forget
from copepod.telegram.file_source import Source
from copepod.telegram.methods import PLAIN

_PHOTO_B = const(10485760)  # Bot API, "Sending files"
_DOCUMENT_B = const(52428800)
_CAPTION = const(1024)  # UTF-16 units
_TRIES = const(5)  # of which not one came to its last byte
_NOTHING = "-"  # the text of a message without a caption, which is not written


async def send(gateway, chat_id, photo, source, caption, name=None, reply_to=None, thread_id=None):
    """Send `source` as a photo or a document; gives a Sent. See Received.answer_photo.

    A caption that is longer than 1,024 UTF-16 units goes out as a message of its own, behind the file.
    """
    forget("copepod.telegram.upload")
    forget("copepod.telegram.file_source")
    forget("copepod.net.http_body")
    source = Source(source)
    most_b = _PHOTO_B if photo else _DOCUMENT_B
    if source.left_b > most_b:
        raise ValueError("%s: %d bytes, at most %d" % (source.name, source.left_b, most_b))
    apart = caption and _units(caption) > _CAPTION
    upload = Upload(gateway, photo, source, caption and not apart, name)
    text = _NOTHING if apart or not caption else caption
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


def answer(msg, photo, source, caption=None, name=None):
    """Send `source` to the chat of `msg`, as a reply: see Received.answer_photo."""
    return send(
        msg.gateway, msg.chat_id, photo, source, caption, name, msg.message_id, msg.thread_id
    )


def unasked(gateway, chat_id, caption, photo=None, document=None, name=None):
    """Send one of them to a chat: see Bot.send."""
    source = document if photo is None else photo
    return send(gateway, chat_id, photo is not None, source, caption, name)


def _units(text):
    # An upper bound: what is written in four bytes is two of them.
    return len(text) + len([1 for character in text if ord(character) > 0xFFFF])


class Upload(answers.Sent):
    """A Sent whose request is a file's. `error`: why it can't be sent, where that is not Telegram's word."""

    error: "Exception | None" = None

    def __init__(self, gateway, photo, source, captioned, name):
        super().__init__(gateway)
        self._photo = photo
        self._source = source
        self._captioned = captioned
        self._name = _quoted(name or source.name)
        self._broken = 0  # connections that were lost before its last byte

    def write(self, call, box) -> bool:
        """Leave the request to request(), which the channel comes to when it has it flushed."""
        if box.pieces:
            return False  # a caption that has become longer than a message: the rest is text
        call.http.stream = self._request(call, box)
        return True

    async def _request(self, call, box):
        # Returns True when it has come to its end without an answer.
        channel = self.gateway.channel
        channel.sent = False  # nothing can be accepted before the last byte
        try:
            if self._source.begin(self._goes_on, box.message):
                if await self._write(http_body.Body(call.http), call, box):
                    return None
                call.http.close()  # which waits for the rest
        except OSError:
            self._broken += 1
            if self._broken < _TRIES and self._source.again():
                raise
            if self._source.error is None:
                told = "%s: the connection was lost while it was sent"
                self._source.error = OSError(told % self._source.name)
            call.http.close()
        finally:
            self._source.end()
        message = box.message
        if not message.state:
            self.error = self._source.error
            message.state = 2
            message.reason = "not sent"
        box.end(message)
        return True

    async def _write(self, body, call, box):
        # False when the source has given less than it said.
        boundary = b"--" + hexlify(os.urandom(12))
        end = b"\r\n" + boundary + b"--\r\n"
        self._write_fields(body, boundary, box)
        size_b = self._source.left_b
        method = b"sendPhoto" if self._photo else b"sendDocument"
        header = b"Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n" % (
            boundary[2:],
            body.size_b + size_b + len(end),
        )
        body.begin(b"POST ", (call.path, method), header)
        self._write_fields(body, boundary, box)
        if not await body.stream(self._source, size_b):
            return False
        self.gateway.channel.sent = True
        body.text(end)
        return await body.stream()

    def _write_fields(self, body, boundary, box):
        # All that comes before the file's bytes.
        message = box.message
        _begin_field(body, boundary, b"chat_id")
        body.text(b"%d" % message.chat_id)
        if message.thread_id is not None:
            _begin_field(body, boundary, b"message_thread_id")
            body.text(b"%d" % message.thread_id)
        if message.reply_to is not None:
            _begin_field(body, boundary, b"reply_parameters")
            body.text(b'{"allow_sending_without_reply":true,"message_id":%d}' % message.reply_to)
        if self._captioned:
            if box.form != PLAIN:
                _begin_field(body, boundary, b"parse_mode")
                body.text(b"HTML")
            _begin_field(body, boundary, b"caption")
            if box.form == PLAIN:
                box.formatter.write_plain(body.run)
            else:
                box.formatter.write(body.run)
        kind = b"photo" if self._photo else b"document"
        _begin_field(body, boundary, kind, b'"; filename="' + self._name)

    def _goes_on(self, message):
        # Some of it is on its way: the channel is alive. False when nobody wants it any more.
        self.gateway.channel.alive_ms = ticks_ms()
        return not message.state


def _begin_field(body, boundary, name, more=b""):
    if body.size_b:
        body.text(b"\r\n")
    body.text(boundary)
    body.text(b'\r\nContent-Disposition: form-data; name="')
    body.text(name)
    body.text(more)
    body.text(b'"\r\n\r\n')


def _quoted(name):
    # A file's name, without what would end it in the header.
    for character in '"\\\r\n':
        name = name.replace(character, "_")
    return name.encode()

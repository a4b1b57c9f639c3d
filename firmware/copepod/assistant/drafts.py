"""An answer's beginning, shown in its chat while the rest is to come. Memory: 1.8 kB and the text, in small pieces.

Bot API, sendMessageDraft: private chats only, a preview of 30 s; an empty one shows "Thinking…". The text is sent as it
is, without a parse_mode: half an entity can't be refused then. The channel asks due_ms() and writes it, as it does a
chat action: optional.py. Nothing waits for a draft, and none comes once the answer is whole.
"""

import gc
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.platform import port

_TEXT_B = const(4096)
_PIECE_B = const(256)  # in a heap that is in pieces there may be none of 4 kB
_ROOM_B = const(24000)  # free in Python's heap, or else there are none
_EVERY_MS = const(1500)
_FRESH = const(120)  # characters
_AGAIN_MS = const(20000)  # before the preview is over


def begin(asking):
    """Show drafts of this turn's answers, if there is room for them."""
    try:
        port.need(_ROOM_B)
    except MemoryError:
        return
    gc.collect()
    if gc.mem_free() >= _ROOM_B:
        asking.model.draft = asking.stream.draft = Draft(asking.gateway, asking.msg)


class Draft:
    """The text so far: take() it. Whole characters; what does not fit is not shown."""

    def __init__(self, gateway, msg):
        self._wake = gateway.wake_channel
        self.msg = msg
        self.pieces = []
        self.shown_ms = None  # when the last one was sent
        self.begin()

    def begin(self):
        """Another answer begins."""
        self.size_b = 0
        self._full = False
        self._fresh = 0  # characters that are not shown

    def take(self, buf, start, end):
        """Add buf[start:end]."""
        if end - start > _TEXT_B - self.size_b:
            self._full = True
        if self._full:
            return
        n = self.size_b
        fresh = self._fresh
        try:
            while (n + end - start + _PIECE_B - 1) // _PIECE_B > len(self.pieces):
                self.pieces.append(bytearray(_PIECE_B))
        except MemoryError:
            self._full = True
            return
        for at in range(start, end):
            c = buf[at]
            self.pieces[n // _PIECE_B][n % _PIECE_B] = c
            n += 1
            if c & 0xC0 != 0x80:
                fresh += 1
        if fresh >= _FRESH > self._fresh:
            self._wake.set()
        self.size_b = n
        self._fresh = fresh

    def due_ms(self):
        """How long until the next one may be sent."""
        if self.shown_ms is None:
            return 0
        wait_ms = _EVERY_MS if self._fresh >= _FRESH else _AGAIN_MS
        return max(0, ticks_diff(ticks_add(self.shown_ms, wait_ms), ticks_ms()))

    def write(self, call):
        """Write the request."""
        msg = self.msg
        self.shown_ms = ticks_ms()
        self._fresh = 0
        call.text(b'{"chat_id":')
        call.number(msg.chat_id)
        call.text(b',"draft_id":')
        call.number(msg.message_id)
        if msg.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(msg.thread_id)
        call.text(b',"text":"')
        for index in range(0, self.size_b, _PIECE_B):
            piece = self.pieces[index // _PIECE_B]
            call.run(piece, 0, min(_PIECE_B, self.size_b - index))
        call.text(b'"}')

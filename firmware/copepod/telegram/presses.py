"""Pressed buttons: whose they are, and when they are answered. Memory: loaded for one; what is called drops it.

A press is answered (answerCallbackQuery) when its handler has ended, or has said a notice(), after a second at
most, and at once when there is none or when there are many.
"""

from time import ticks_diff, ticks_ms

from micropython import const

from copepod import registry
from copepod.once import forget

_LONGEST_MS = const(1000)
_MANY = const(8)  # channel.py keeps no more
_NOTICE_MAX = const(200)  # characters, Bot API, answerCallbackQuery


def handlers(msg):
    """The handler of this button, or of the longest beginning of its data, in a list; msg.args is the rest then."""
    forget("copepod.telegram.presses")
    data = msg.text
    found = registry.buttons.get(data)
    end = len(data)
    while found is None:
        end = data.rfind(":", 0, end)
        if end < 0:
            msg.handled = True
            msg.gateway.wake_channel.set()
            return []
        found = registry.buttons.get(data[: end + 1])
        if found is not None:
            msg.args_at = end + 1
    return [found]


def due_ms(channel):
    """How long until one of channel.callbacks is to be answered, which is then the first of them."""
    forget("copepod.telegram.presses")
    pressed = channel.callbacks
    now = ticks_ms()
    due = _LONGEST_MS
    for msg in pressed:
        left_ms = 0
        if (
            msg.for_handlers
            and not msg.handled
            and msg.notice_text is None
            and len(pressed) < _MANY
        ):
            if msg.pressed_ms is None:
                msg.pressed_ms = now
            left_ms = max(0, _LONGEST_MS - ticks_diff(now, msg.pressed_ms))
        if not left_ms:
            pressed.remove(msg)
            pressed.insert(0, msg)
            if msg.for_handlers and msg.notice_text is None:
                msg.notice_text = ""  # it is too late for another one
            return 0
        due = min(due, left_ms)
    return due


def write(call, msg):
    """Write the answer to the press."""
    forget("copepod.telegram.presses")
    call.text(b'{"callback_query_id":"')
    _escaped(call, msg.callback_id)
    if msg.for_handlers and msg.notice_text:
        call.text(b'","text":"')
        _escaped(call, msg.notice_text)
    call.text(b'"}')


def _escaped(call, text):
    data = memoryview(text)
    call.run(data, 0, len(data))


def notice(msg, text):
    """Answer the press with these words: see Received.notice."""
    forget("copepod.telegram.presses")
    if len(text) > _NOTICE_MAX:
        raise ValueError("a notice of %d characters: at most %d" % (len(text), _NOTICE_MAX))
    if msg.notice_text is not None or msg not in msg.gateway.channel.callbacks:
        return False
    msg.notice_text = text
    msg.gateway.wake_channel.set()
    return True

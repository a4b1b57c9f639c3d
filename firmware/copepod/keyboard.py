"""Buttons below a message, as Telegram wants them. Memory: loaded for some; what is called drops it.

Bot API, InlineKeyboardMarkup and InlineKeyboardButton.
"""

import json

from micropython import const

from copepod.once import forget

_DATA_MAX_B = const(64)
_ADDRESSES = ("http://", "https://", "tg://")


def markup(buttons):
    """The rows of buttons as JSON; ValueError, or TypeError, names the one that is none.

    A row is a list or tuple, a button "label", which is its data, too, ("label", "data") or
    ("label", "https://..."). Data is 1 to 64 bytes of UTF-8.
    """
    forget("copepod.keyboard")
    rows = []
    for row in _items(buttons, "buttons"):
        rows.append([_button(each) for each in _items(row, "a row of buttons")])
    return json.dumps({"inline_keyboard": rows}).encode()


def _items(found, what):
    if not isinstance(found, (list, tuple)):
        raise TypeError("%s: a list, not %r" % (what, found))
    return found


def _button(button):
    label, value = button, button
    pair = isinstance(button, (list, tuple)) and len(button) == 2
    if pair:
        label, value = button
    if not isinstance(label, str) or not isinstance(value, str):
        raise TypeError("a button: a label, (label, data) or (label, address), not %r" % (button,))
    if not label.strip():
        raise ValueError("button %r: a label is needed" % (button,))
    if pair and value.startswith(_ADDRESSES):
        return {"text": label, "url": value}
    size_b = len(value.encode())
    if not 0 < size_b <= _DATA_MAX_B:
        raise ValueError(
            "button %r: data of %d B, 1 to %d are possible" % (label, size_b, _DATA_MAX_B)
        )
    return {"text": label, "callback_data": value}

"""Buttons, whose they are, when a press is answered, and what is kept of durable messages."""

import json
import os
from binascii import hexlify

from copepod import durable, handlers, keyboard, registry
from copepod.received import Received
from copepod.telegram import presses


def fails(kind, words, function, *args):
    """The call raises this, and says so."""
    try:
        function(*args)
    except kind as error:
        assert words in str(error), error
        return
    raise AssertionError((function, args))


def rows(buttons):
    """What Telegram gets, taken apart."""
    return json.loads(keyboard.markup(buttons))["inline_keyboard"]


def test_buttons_in_each_form():
    assert rows([["On", ("Off", "led:off")], (["Docs", "https://e.example/d"],)]) == [
        [{"text": "On", "callback_data": "On"}, {"text": "Off", "callback_data": "led:off"}],
        [{"text": "Docs", "url": "https://e.example/d"}],
    ]
    assert rows([[("me", "tg://user?id=7"), ("old", "http://e.example")]])[0][1]["url"]
    assert rows([["https://e.example"]])[0][0]["callback_data"] == "https://e.example"
    odd = 'q"\\\n\u00e9\U0001f980'
    assert rows([[(odd, odd)]]) == [[{"text": odd, "callback_data": odd}]]


def test_data_has_up_to_64_bytes():
    for good in ("x", "x" * 64, "\u00e9" * 32):
        assert rows([[("a", good)]])[0][0]["callback_data"] == good
    for bad, size in (("", 0), ("x" * 65, 65), ("\u00e9" * 33, 66)):
        fails(ValueError, "button 'a': data of %d B" % size, keyboard.markup, [[("a", bad)]])


def test_what_is_no_button_is_named():
    for bad in ("On", ["On"], [["On", 5]], [[("a", "b", "c")]], [[()]], 7, [[("a", None)]], [{"a": 1}]):
        fails(TypeError, "", keyboard.markup, bad)
    for bad in ("", " ", "\n"):
        fails(ValueError, "a label is needed", keyboard.markup, [[(bad, "b")]])


def press(data):
    """A press of the button with this data."""
    msg = Received()
    msg.kind = "callback"
    msg.callback_id = "1"
    msg.text = data
    msg.gateway = Gateway()
    return msg


class Wake:
    times = 0

    def set(self):
        self.times += 1


class Gateway:
    """What a press needs of it."""

    def __init__(self):
        self.wake_channel = Wake()
        self.channel = self
        self.callbacks = []


def test_the_longest_beginning_has_the_press():
    registry.buttons.clear()
    for name in ("led", "led:", "led:all:", ":"):
        handlers.on_button(name)(name)
    for data, found, args in (
        ("led", ["led"], ""),
        ("led:", ["led:"], ""),
        ("led:1", ["led:"], "1"),
        ("led:1:on", ["led:"], "1:on"),
        ("led:all:on", ["led:all:"], "on"),
        (":x", [":"], "x"),
        ("ledx", [], ""),
        ("x:1", [], ""),
    ):
        msg = press(data)
        assert presses.handlers(msg) == found, data
        assert (msg.args, msg.data) == (args, data)
        assert msg.handled == (not found)  # without a handler it is answered at once
    registry.buttons.clear()
    for bad in ("", "x" * 65):
        fails(ValueError, "1 to 64 bytes", handlers.on_button, bad)


def test_a_press_waits_for_its_handler_but_not_for_long():
    msg = press("a")
    channel = msg.gateway
    channel.callbacks.append(msg)
    assert 900 < presses.due_ms(channel) <= 1000
    assert msg.notice("done") and not msg.notice("twice")
    assert channel.wake_channel.times == 1
    assert presses.due_ms(channel) == 0
    late = press("b")
    channel.callbacks[0] = late
    late.gateway = channel
    assert presses.due_ms(channel) > 0
    late.pressed_ms -= 1001
    assert presses.due_ms(channel) == 0
    assert not late.notice("late")
    assert not press("c").notice("one that Telegram was not told of in time")
    message = Received()
    message.gateway = channel
    assert not message.notice("no press")
    fails(ValueError, "201 characters", late.notice, "x" * 201)


def test_many_presses_do_not_wait_and_who_is_due_goes_first():
    channel = Gateway()
    for number in range(7):
        channel.callbacks.append(press(str(number)))
    assert presses.due_ms(channel) > 0
    channel.callbacks[4].notice_text = "now"
    assert presses.due_ms(channel) == 0 and channel.callbacks[0].data == "4"
    channel.callbacks.append(press("7"))
    channel.callbacks[0].notice_text = None
    assert presses.due_ms(channel) == 0  # there is no room for another


PATH = "/tmp/copepod-%s.unsent" % hexlify(os.urandom(6)).decode()


def kept():
    with open(PATH) as file:
        return file.read()


def test_what_is_durable_is_kept_until_it_is_dropped():
    assert list(durable.numbers_in(PATH)) == []
    assert durable.keep(PATH, 7, "one\n\u00e9", [["On"]]) == 1
    assert durable.keep(PATH, -100123456789, "two", None) == 2
    assert durable._entry(PATH, 1) == [1, 7, "one\n\u00e9", [["On"]]]
    assert durable._entry(PATH, 2) == [2, -100123456789, "two", None]
    durable._drop(PATH, 1)
    assert durable.numbers_in(PATH) == [2]
    assert durable.keep(PATH, 7, "three", None) == 3
    fails(OSError, "28", durable.keep, PATH, 7, "x" * 4096, None)
    assert durable.numbers_in(PATH) == [2, 3]
    durable._drop(PATH, 2)
    durable._drop(PATH, 3)
    assert kept() == ""
    assert durable.keep(PATH, 7, "x" * 4000, None) == 1
    fails(OSError, "28", durable.keep, PATH, 7, "x" * 100, None)
    os.remove(PATH)


def test_a_file_that_was_damaged_gives_what_can_be_read():
    with open(PATH, "w") as file:
        file.write('\u00ff\n[5, 7, "good", null]\n[6, 7]\n[x, 7, "a", null]\n[8, 7, "brok')
    assert durable.numbers_in(PATH) == [0, 5, 6, 0, 8]
    assert durable._entry(PATH, 5) == [5, 7, "good", None]
    for number in (0, 6, 8, 9):
        assert durable._entry(PATH, number) is None
        durable._drop(PATH, number)
    assert kept() == '[5, 7, "good", null]\n'
    os.remove(PATH)

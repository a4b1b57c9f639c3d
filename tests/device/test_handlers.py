"""The registry: commands, texts in order, and the echo when nobody takes a message."""

import asyncio

from copepod import handlers

PURE = True


class Message:
    def __init__(self, text="", command=None, chat_type="private"):
        self.text = text
        self.command = command
        self.chat_type = chat_type
        self.answers = []

    async def answer(self, markdown):
        self.answers.append(markdown)


def _dispatch(msg):
    taken = asyncio.run(handlers.dispatch(msg))
    return msg.answers if taken else None


def _fresh():
    handlers.commands.clear()
    handlers.texts[:] = []


def test_echo_without_handlers():
    _fresh()
    assert _dispatch(Message("hi *there*")) is None
    assert _dispatch(Message("")) is None


def test_command():
    _fresh()

    @handlers.on_command("led", "switch")
    async def led(msg):
        await msg.answer("lit")

    assert _dispatch(Message("/led on", "led")) == ["lit"]
    assert "don't know" in _dispatch(Message("/other", "other"))[0]
    assert handlers.commands["led"][1] == "switch"


def test_texts_in_order_until_one_takes_it():
    _fresh()

    @handlers.on_text
    async def first(msg):
        if msg.text == "pass":
            return False
        await msg.answer("first")

    @handlers.on_text
    async def second(msg):
        await msg.answer("second")

    assert _dispatch(Message("a")) == ["first"]
    assert _dispatch(Message("pass")) == ["second"]
    _fresh()


def test_command_names_are_checked():
    for name in ("", "Led", "a b", "é", "x" * 33):
        try:
            handlers.on_command(name)
        except ValueError:
            continue
        raise AssertionError(name)

"""Messages: what they hold, what the bus charges for it, and a long text that stays in its buffer."""

import asyncio
import gc
import sys

from copepod.messages import AnswerRefused, InboundMessage, OutboundMessage

PURE = True


def held(text, room=100):
    """A message whose text lies in a buffer, and the buffer."""
    data = text.encode()
    buffer = bytearray(data + b"#" * room)
    msg = InboundMessage()
    msg.held = buffer
    msg.held_b = len(data)
    return msg, buffer


def test_what_is_not_said_is_none():
    msg = InboundMessage()
    assert (msg.kind, msg.chat_type, msg.text, msg.args) == ("message", "private", "", "")
    for name in (
        "message_id",
        "thread_id",
        "username",
        "first_name",
        "reply_text",
        "callback_id",
        "command",
    ):
        assert getattr(msg, name) is None, name


def test_size_is_the_bytes_of_the_text():
    for text in (
        "",
        "hello",
        "\u0416\u0416",
        "\u20ac",
        "\U0001f980",
        "a\u0416\u20ac\U0001f980" * 100,
    ):
        msg = InboundMessage()
        msg.text = text
        assert msg.size_b() == len(text.encode()), text
    msg = InboundMessage()
    msg.text = "\u20ac"
    msg.reply_text = "\u0416!"
    assert msg.size_b() == 6


def test_size_stays_what_it_was_when_the_bus_took_it():
    msg = InboundMessage()
    msg.text = "four"
    assert msg.size_b() == 4
    msg.text = "much more than that"  # the bus must give back what it charged
    assert msg.size_b() == 4


def test_a_long_text_stays_in_its_buffer():
    msg, buffer = held("h\u00e9llo")
    assert msg.size_b() == 6 and msg.held_b == 6
    assert msg.text == "h\u00e9llo"
    assert msg.held_b == 0
    buffer[:] = b"." * len(buffer)
    assert msg.text == "h\u00e9llo"


def test_settle_saves_it_before_the_buffer_is_used_again():
    msg, buffer = held("text")
    msg.settle()
    buffer[:] = b"." * len(buffer)
    msg.settle()
    assert msg.text == "text" and msg.size_b() == 4


def test_another_text_takes_its_place():
    msg, _ = held("text")
    msg.text = "other"
    assert msg.held_b == 0 and msg.text == "other"


def test_an_echo_takes_the_text_along():
    msg, _ = held("text")
    msg.chat_id = 7
    msg.message_id = 8
    msg.thread_id = 9
    answer = OutboundMessage(0, None)
    assert answer.take(msg)
    assert (answer.held_b, answer.part) == (4, None)
    assert (answer.chat_id, answer.reply_to, answer.thread_id) == (7, 8, 9)
    assert msg.held_b == 0
    plain = InboundMessage()
    plain.text = "short"
    assert answer.take(plain)
    assert (answer.held_b, answer.part) == (0, "short")
    assert not answer.take(InboundMessage())


def test_answer_goes_to_the_gateway():
    class Gateway:
        async def answer(self, msg, markdown):
            self.got = (msg, markdown)

    async def main():
        msg = InboundMessage()
        msg.gateway = Gateway()
        await msg.answer("**hi**")
        assert msg.gateway.got == (msg, "**hi**")

    asyncio.run(main())


def test_a_refusal_is_an_oserror():
    try:
        raise AnswerRefused("blocked by the user")
    except OSError as error:
        assert str(error) == "blocked by the user"


def test_an_answer_on_its_way():
    message = OutboundMessage(5, "part", 6, 7)
    assert (message.chat_id, message.part, message.reply_to, message.thread_id) == (
        5,
        "part",
        6,
        7,
    )
    assert (message.state, message.complete, message.reason, message.size_b()) == (
        0,
        True,
        None,
        0,
    )


def test_a_message_costs_what_it_has():
    if sys.implementation.name != "micropython":
        return
    kept = [None] * 10
    gc.collect()
    gc.disable()
    before_b = gc.mem_alloc()
    for i in range(10):
        msg = kept[i] = InboundMessage()
        msg.update_id = msg.chat_id = msg.sender_id = msg.message_id = i
        msg.username = msg.first_name = "ada"
        msg.text = "hi"
        msg.size_b()
    each_b = (gc.mem_alloc() - before_b) // 10
    gc.enable()
    print("  %d B a message" % each_b)
    assert each_b <= (224 if sys.maxsize > 1 << 31 else 112)

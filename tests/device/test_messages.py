"""Messages: what they hold, what the bus charges for it, and a long text that stays in its buffer."""

import gc
import sys

from copepod.messages import TOO_LONG, AnswerRefused, InboundMessage, OutboundMessage
from copepod.received import Received
from copepod.textbuffer import TextBuffer

PURE = True


def held(text, room=100):
    """A message whose text lies in a buffer, and the buffer."""
    data = text.encode()
    buffer = TextBuffer(bytearray(data + b"#" * room))
    msg = InboundMessage()
    msg.buffer = buffer
    buffer.keep(msg, len(data))
    return msg, buffer


class Flag:
    """A signal that nobody waits for."""

    def clear(self):
        pass


def outbound():
    """An answer that can be used again."""
    answer = OutboundMessage(0, None)
    answer.signal = Flag()
    return answer


def test_what_is_not_said_is_none():
    msg = Received()
    assert (msg.kind, msg.chat_type, msg.text, msg.args) == ("message", "private", "", "")
    assert msg.message_id is None and msg.thread_id is None and msg.callback_id is None
    assert msg.username is None and msg.first_name is None
    assert msg.reply_text is None and msg.command is None and msg.data is None


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
    assert msg.size_b() == 6
    assert msg.text == "h\u00e9llo"
    assert msg.buffer is None and buffer.owner is None
    buffer.data[:] = b"." * len(buffer.data)
    assert msg.text == "h\u00e9llo"


def test_a_text_leaves_the_buffer_before_it_is_used_again():
    msg, buffer = held("text")
    assert buffer.claim(outbound())
    buffer.data[:] = b"." * len(buffer.data)
    assert msg.text == "text" and msg.size_b() == 4


def test_a_text_that_is_lost_is_a_memory_error_each_time():
    msg, _ = held("text")
    msg.text_left(None)
    for _ in range(2):
        try:
            assert msg.text is None
        except MemoryError:
            continue
        raise AssertionError
    answer = outbound()
    assert answer.reply(msg, msg) and answer.part == TOO_LONG


def test_another_text_takes_its_place():
    msg, buffer = held("text")
    msg.text = "other"
    assert msg.buffer is None and buffer.owner is None and msg.text == "other"


def test_an_echo_takes_the_text_along():
    msg, buffer = held("text")
    msg.chat_id = 7
    msg.message_id = 8
    msg.thread_id = 9
    answer = outbound()
    assert answer.reply(msg, msg)
    assert answer.buffer is buffer and buffer.owner is answer and answer.part is None
    assert (answer.chat_id, answer.reply_to, answer.thread_id) == (7, 8, 9)
    assert msg.buffer is None
    plain = InboundMessage()
    plain.text = "short"
    assert answer.reply(plain, plain)
    assert (answer.buffer, answer.part) == (None, "short")
    assert answer.reply(plain, "other") and answer.part == "other"
    empty = InboundMessage()
    assert not answer.reply(empty, empty)


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

"""No group is answered without end; who changes nothing is not answered at all."""

from time import ticks_add

from copepod.messages import InboundMessage
from copepod.telegram import ceiling
from copepod.telegram.ceiling import Ceiling
from copepod.telegram.edits import Edits
from copepod.textbuffer import TextBuffer


count = [0]


def message(chat_id=-1, text="", kind="message", message_id=7):
    count[0] += 1
    msg = InboundMessage()
    msg.update_id = count[0]
    msg.chat_id = chat_id
    msg.chat_type = "private" if chat_id > 0 else "supergroup"
    msg.message_id = message_id
    msg.kind = kind
    msg.text = text
    return msg


class Clock:
    def __enter__(self):
        self.ms = -50000  # ticks begin anew within the test
        self.lines = 0
        self._before = ceiling.ticks_ms, ceiling.log
        ceiling.ticks_ms = lambda: ticks_add(0, self.ms)
        ceiling.log = self._log
        return self

    def _log(self, *parts):
        self.lines += 1

    def __exit__(self, *_):
        ceiling.ticks_ms, ceiling.log = self._before


def test_two_bots_that_answer_each_other_come_to_an_end():
    with Clock() as clock:
        gate = Ceiling()
        assert sum([gate.admits(message()) for _ in range(10000)]) == 60
        assert clock.lines == 1
        clock.ms += 59999
        assert not gate.admits(message())
        clock.ms += 1
        assert gate.admits(message())


def test_what_comes_again_is_one_message():
    """The queue was full: the same update is asked about with every poll."""
    with Clock():
        gate = Ceiling()
        msg = message()
        assert all([gate.admits(msg) for _ in range(1000)]) and gate.admits(message())
    edits = Edits()
    edits.news(message(text="a"))
    msg = message(text="b", kind="edited")
    assert edits.news(msg) and edits.news(msg)
    assert not edits.news(message(text="b", kind="edited"))


def test_people_never_reach_it():
    with Clock() as clock:
        gate = Ceiling()
        for _ in range(600):
            assert gate.admits(message(-1)) and gate.admits(message(-2))
            clock.ms += 1100
        for _ in range(10000):  # in a private chat there is nobody else
            assert gate.admits(message(5))
        assert clock.lines == 0


def test_one_group_is_not_held_for_another():
    with Clock():
        gate = Ceiling()
        for _ in range(100):
            gate.admits(message(-1))
        for chat_id in range(-100, -1):
            assert gate.admits(message(chat_id))
        assert len(gate._counts) == 8


def test_an_edit_that_changes_no_text():
    edits = Edits()
    assert edits.news(message(text="/ping"))
    assert not edits.news(message(text="/ping", kind="edited"))
    assert edits.news(message(text="/pong", kind="edited"))
    assert not edits.news(message(text="/pong", kind="edited"))
    assert edits.news(message(text="/ping", kind="edited"))
    assert edits.news(message(-2, "/ping", "edited"))  # another chat's
    assert edits.news(message(text="/ping", message_id=8))  # a message is one, seen or not
    assert edits.news(message(text="/ping", message_id=8))
    for message_id in range(100, 200):
        assert edits.news(message(text="x", message_id=message_id))
    assert len(edits._seen) == 16
    assert edits.news(message(text="/ping", kind="edited"))  # forgotten by now
    assert edits.news(message(text="x", kind="callback"))


def test_an_edit_of_a_text_that_lies_in_the_buffer():
    buffer = TextBuffer(bytearray(b"long text and more"))
    edits = Edits()
    edits.news(message(text="long text"))
    msg = message(kind="edited")
    msg.buffer = buffer
    buffer.keep(msg, 9)
    assert not edits.news(msg) and msg.buffer is buffer
    buffer.keep(msg, 8)
    assert edits.news(msg)

"""An answer that a flood limit holds makes room for others. Memory: its text as a str; dropped after it."""

from micropython import const

_MOST = const(4)


def put(box):
    """Put the message that `box` has in hand aside until its limit is over; False when that can't be.

    It can when it is complete, nothing of it was sent, and its text has room outside of the buffer.
    """
    message = box.message
    if not message.complete or box.pieces or len(box.aside) >= _MOST:
        return False
    text = box.whole
    if text is None:
        if message.part is not None:
            return False
        state = box.formatter.state
        try:
            box.formatter.give_up()  # the Markdown again, as it came
            text = str(memoryview(state.buf)[: state.held], "utf8")  # pyright: ignore[reportArgumentType]
        except MemoryError:
            size_b = state.held
            box.formatter.begin()
            box.formatter.adopt(size_b)
            box.ready = False
            return False
    message.part = text
    message.aside = True
    box.aside.append(message)
    box.leave()
    message.signal.set()
    return True

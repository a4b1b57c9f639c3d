"""Who has the one large buffer: a text being read, one that waits for its handler, or one being sent.

Memory: one object over the bytes that arena.py has made. There is one owner at a time. Who needs the
buffer claims it; the text that lies in it then becomes a str of its owner's, or the answer is no.
"""

from micropython import const

_SHORT_B = const(1024)  # what is longer stays where it is when nobody must have the place


class TextBuffer:
    """`data` is the bytearray, `owner` who has it, `size_b` the bytes of text in it.

    An owner has `text_left(text)`, which is called when the buffer goes to another: with its text, or
    with None when there was no memory for that. While `size_b` is None the owner is still writing.
    """

    def __init__(self, data):
        self.data = data
        self.owner: "Any" = None
        self.size_b: "int | None" = None

    def claim(self, owner, forced=False):
        """Give the buffer to `owner`; False when another needs it. What lies in it goes to its owner.

        Only a short text moves for the asking. `forced` moves any: what finds no memory is lost then, and
        its owner is told. Nobody takes the buffer from itself, except its own text that way.
        """
        before = self.owner
        if before is not None:
            size_b = self.size_b
            if size_b is not None:
                forced = forced or before is owner
                if size_b > _SHORT_B and not forced:
                    return False
                text = None
                try:
                    text = self.read()
                except MemoryError:
                    if not forced:
                        return False
                before.text_left(text)
            elif before is not owner and not forced:
                return False
        self.owner = owner
        self.size_b = None
        return True

    def keep(self, owner, size_b):
        """The first `size_b` bytes are UTF-8, and `owner`'s from now on."""
        self.owner = owner
        self.size_b = size_b

    def read(self):
        """Read the text out as a str, and be free. After a MemoryError nothing has changed."""
        text = str(memoryview(self.data)[: self.size_b], "utf8")  # pyright: ignore[reportArgumentType]
        self.owner = None
        return text

    def give_back(self, owner):
        """Be free, if `owner` has the buffer."""
        if self.owner is owner:
            self.owner = None

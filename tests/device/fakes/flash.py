"""A board's flash, under littlefs, whose power is cut."""

import os


class Os:
    """The functions of a board's os that files.py uses: there is no chmod."""

    rename = os.rename


class Flash:
    """A block device that notes what is on it when its power is cut: after so many bytes programmed or blocks erased.

    What was being programmed then is there up to that byte, as on a NOR flash. What comes after it is of no account.
    """

    block_b = 512

    def __init__(self, blocks):
        self.data = bytearray(b"\xff" * blocks * self.block_b)
        self.at_the_cut = bytearray(len(self.data))
        self.left_b = None  # until the cut
        self.was_cut = False

    def begin(self, data, left_b=None):
        """Have this on it, and a cut after `left_b`."""
        self.data[:] = data
        self.left_b = left_b
        self.was_cut = False

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.data) // self.block_b
        if operation == 5:
            return self.block_b
        if operation == 6:
            if self.left_b == 0:
                self._cut()
            elif self.left_b is not None:
                self.left_b -= 1
            start = argument * self.block_b
            self.data[start : start + self.block_b] = b"\xff" * self.block_b
        return 0

    def readblocks(self, number, buffer, offset=0):
        start = number * self.block_b + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        start = number * self.block_b + offset
        if self.left_b is not None and self.left_b < len(buffer):
            self.data[start : start + self.left_b] = buffer[: self.left_b]
            self._cut()
        elif self.left_b is not None:
            self.left_b -= len(buffer)
        self.data[start : start + len(buffer)] = buffer

    def _cut(self):
        self.at_the_cut[:] = self.data
        self.was_cut = True
        self.left_b = None

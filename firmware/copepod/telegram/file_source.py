"""Where the bytes of a file come from: flash, memory, whatever can be read. Memory: loaded for one file, dropped."""

import os


class Source:
    """`given`: a path, bytes (a memoryview, too), or an object with readinto().

    `left_b` is how many bytes there are. Such an object says that by its `size`, by len(), or by seek() and tell(). OSError for a file that is not there,
    TypeError for what is none of these, ValueError for what is empty.
    """

    error: "Exception | None" = None  # why nothing more can be read

    def __init__(self, given):
        self._given = given
        self._file: "Any" = None  # what is read from
        self._start: "int | None" = 0  # where it begins; None: that can't be gone back to
        self._at = 0
        self._begun = False
        self._going: "Any" = None
        self._why: "Any" = None
        self.name = "file"
        if isinstance(given, str):
            self.name = given[given.rfind("/") + 1 :]
            try:
                self.left_b = os.stat(given)[6]
            except OSError as error:
                raise OSError(error.errno, given) from None
        elif isinstance(given, (bytes, bytearray, memoryview)):
            self.left_b = len(given)
        elif hasattr(given, "readinto"):
            self._start = given.tell() if hasattr(given, "seek") else None
            self.left_b = self._measured(given)
        else:
            raise TypeError("a file is a path, bytes or has readinto(), not %r" % (given,))
        if not self.left_b:
            raise ValueError("%s: it is empty" % self.name)

    def _measured(self, given):
        size = getattr(given, "size", None)
        if size is None and hasattr(given, "__len__"):
            size = len(given)
        if size is None and self._start is not None:
            size = given.seek(0, 2) - self._start
            given.seek(self._start)
        if callable(size):
            size = size()
        if not isinstance(size, int):
            raise TypeError("what has readinto() says its size by `size` or len()")
        return size

    def again(self):
        """Whether it can be read once more, from its beginning."""
        return self._start is not None and self.error is None

    def begin(self, going, why):
        """Be read from the beginning; going(why) is asked before each part. False, with an error, when it can't be."""
        self._going = going
        self._why = why
        self._at = 0
        try:
            if isinstance(self._given, str):
                self._file = open(self._given, "rb")
            elif hasattr(self._given, "readinto"):
                self._file = self._given
                if self._begun:
                    if self._start is None:
                        raise OSError(
                            "%s: it has to be sent again, and can't be read again" % self.name
                        )
                    self._file.seek(self._start)
            self._begun = True
        except Exception as error:  # a reader of the user's may raise anything
            self.error = error
        return self.error is None

    def readinto(self, view):
        """Fill `view`, or less of it; returns how many bytes, 0 with an error when there are no more."""
        n = 0
        try:
            if not self._going(self._why):
                return 0
            if self._file is None:
                n = min(len(view), self.left_b - self._at)
                view[:n] = memoryview(self._given)[self._at : self._at + n]
            else:
                n = self._file.readinto(view) or 0
            self._at += n
            if not n:
                told = (self.name, self._at, self.left_b)
                self.error = OSError("%s: it ends after %d bytes of %d" % told)
        except Exception as error:
            self.error = error
        return n

    def end(self):
        """Close the file, if it was opened for this."""
        if self._file is not None and self._file is not self._given:
            self._file.close()
        self._file = None

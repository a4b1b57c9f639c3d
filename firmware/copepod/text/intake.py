"""Taking text in: whole characters, line feeds only, no controls, no lone surrogates. Memory: a view of the buffer."""

from micropython import const

from .chars import size
from .tables import Tables

_LIVES = const(12)
_HELD = const(0)
_RETURN_ = const(-11)
_ROOM = const(-4)
_ODD = const(20)


class Intake(Tables):
    """Cleans what was added to the window, in place."""

    def __init__(self, buf):
        super().__init__(buf)
        self._view = memoryview(buf)

    def _full(self):
        """True if the window is full, with whole characters."""
        st = self._st
        held = st[_HELD]
        if held < st[_ROOM]:
            return False
        p = held - 1
        while self._buf[p] & 0xC0 == 0x80 and p:
            p -= 1
        return p + size(self._buf[p]) <= held

    def _clean(self, p, view):
        """The text in `view` was added at p: no returns, controls, lone surrogates; note what else it has."""
        st = self._st
        buf = self._buf
        held = st[_HELD]
        if st[_RETURN_] and p < held:
            st[_RETURN_] = False
            if buf[p] == 10:
                held -= 1
                self._view[p:held] = self._view[p + 1 : held + 1]
        if p >= held:
            st[_HELD] = held
            return
        if self._find(b"\n", p, held) < 0:
            c = min(view)
            if c < 32:
                held = self._controls(c, p, held)
        else:
            for c in view:
                if c < 32 and c != 10:
                    held = self._controls(min(view), p, held)
                    break
        st[_HELD] = held
        p = max(p - 2, 0)
        for c in b"\x7f\xc2\xed":
            self._needle[0] = c
            if self._find(self._needle, p, held) >= 0:
                self._repair(p, held)
                break

    def _repair(self, p, held):
        """No controls beyond ASCII, no surrogates."""
        buf = self._buf
        q = p
        end = max(held - 2, 0)
        while True:
            q = self._find(b"\xc2", q, end + 1)
            if q < 0:
                break
            q += 1
            if buf[q] < 0xA0:
                buf[q] = 0xA0
        q = p
        while True:
            q = self._find(b"\xed", q, end)
            if q < 0:
                break
            if buf[q + 1] > 0x9F:
                buf[q] = 0xEF
                buf[q + 1] = 0xBF
                buf[q + 2] = 0xBD
            q += 1
        self._blank_out(127, p, held)

    def _controls(self, lowest, p, held):
        """Controls but tabs and line feeds become blanks, as the server would have it; NULs stay, to be U+FFFD."""
        st = self._st
        q = self._find(b"\r", p, held)
        if q >= 0:
            held = self._no_returns(q, held)
        if lowest < 10:
            for c in b"\t\0":
                self._needle[0] = c
                if self._live.find(self._needle, 0, st[_LIVES]) < 0 and self._find(self._needle, p, held) >= 0:
                    self._use(c)
                    st[_ODD] = True
        for c in range(1 if lowest < 9 else 11, 32):
            if c != 9 and c != 10:
                self._blank_out(c, p, held)
        return held

    def _blank_out(self, c, p, held):
        """Blanks instead of c."""
        self._needle[0] = c
        while True:
            p = self._find(self._needle, p, held)
            if p < 0:
                break
            self._buf[p] = 32

    def _no_returns(self, q, held):
        """Take the returns out of the text from q on: CR LF and CR become LF."""
        st = self._st
        buf = self._buf
        p = q
        while q < held:
            c = buf[q]
            q += 1
            if c == 13:
                c = 10
                if q == held:
                    st[_RETURN_] = True
                elif buf[q] == 10:
                    q += 1
            buf[p] = c
            p += 1
        return p

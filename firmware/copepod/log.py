"""One-line log on the console. Memory: no line is built, the parts are printed one after another."""

import sys

from copepod.once import forget

try:
    from time import ticks_ms
except ImportError:  # CPython, for the host's tests
    from time import monotonic_ns  # pyright: ignore[reportAttributeAccessIssue]

    def ticks_ms():
        """Milliseconds of a clock that never goes back."""
        return monotonic_ns() // 1000000


def log(area, *parts):
    """Print `<ms> copepod: area: parts…`; each part is printed as str() would show it, in one line.

    What others have written may be among them: see visible.py. A caller never passes the token, nor
    anything that could hold it.
    """
    write = sys.stdout.write
    print(ticks_ms(), end=" copepod: ")
    write(area)
    write(": ")
    for part in parts:
        if type(part) is int:
            print(part, end="")
        else:
            write(_shown(part))
    write("\n")


def _shown(part):
    try:
        text = str(part)
    except BaseException:  # somebody's own __str__
        text = "(%s that can't be shown)" % type(part).__name__
    data = text.encode()
    if data and (min(data) < 32 or max(data) > 126 or b"@cp" in data):
        from copepod import visible

        text = visible.visible(text)
        forget("copepod.visible")
    return text

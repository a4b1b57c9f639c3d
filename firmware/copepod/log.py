"""One-line log on the console. Memory: nothing is built, the parts are printed one after another."""

import sys

try:
    from time import ticks_ms
except ImportError:  # CPython, for the host's tests
    from time import monotonic_ns  # pyright: ignore[reportAttributeAccessIssue]

    def ticks_ms():
        """Milliseconds of a clock that never goes back."""
        return monotonic_ns() // 1000000


def log(area, *parts):
    """Print `<ms> copepod: area: parts…`; each part is printed as str() would show it.

    A caller never passes the token, nor anything that could hold it.
    """
    write = sys.stdout.write
    print(ticks_ms(), end=" copepod: ")
    write(area)
    write(": ")
    for part in parts:
        print(part, end="")
    write("\n")

"""Whether a turn fits into Python's heap as it is: what that grew by would be TLS's. Memory: dropped after use."""

from micropython import const

from copepod.platform import port
from copepod.text.markdown import Formatter

_LOADED_B = const(26000)  # what a turn's modules ask for; where 21,000 B were free, the bare machine's heap grew


def wanting():
    """The sentence for where it does not fit; None where it does, or where code takes no RAM, or there is plenty."""
    if not Formatter.keeps_blocks:
        try:
            port.need(_LOADED_B)
        except MemoryError:
            return "This board has no memory to ask a model: a turn takes 26 kB of Python's heap, more than is free."
    return None

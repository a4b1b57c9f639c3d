"""`machine` of an ESP32, pretended: for a bot that is tried on a computer. On no board; see line.py."""

import os

from pretended.analog import ADC, PWM
from pretended.buses import I2C, SoftI2C
from pretended.line import halt, tell
from pretended.pins import Pin, Signal
from pretended.timing import RTC, WDT, Timer

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

_frequency = 160000000


def reset():
    """Start the board anew: the process ends, and who watches it starts it again."""
    tell("reset", "reset")
    halt()


def soft_reset():
    """The same."""
    reset()


def deepsleep(time_ms=0):
    """Sleep, and start anew: at once, here."""
    tell("reset", "deepsleep")
    halt()


def lightsleep(time_ms=0):
    """Sleep; what waits for the network would not hear it here, so it is over at once."""


def reset_cause():
    """Why the board has started."""
    cause = os.getenv("COPEPOD_PRETEND_CAUSE")
    return {"reset": HARD_RESET, "deepsleep": DEEPSLEEP_RESET}.get(cause, PWRON_RESET)


def unique_id():
    """The board's address, six bytes."""
    return b"\x02\xc0\xbe\x0d\x00\x01"


def freq(hz=None):
    """The processor's clock."""
    global _frequency
    if hz is None:
        return _frequency
    _frequency = hz
    return None


def idle():
    """Do nothing."""


def disable_irq():
    """There is nothing that could interrupt."""
    return 0


def enable_irq(state=0):
    """The other end of it."""


__all__ = ("ADC", "I2C", "PWM", "Pin", "RTC", "Signal", "SoftI2C", "Timer", "WDT")

"""Bare-metal RV32 (boards/VIRT_RV32): the record is a sector of the disk. Memory: record, a list; a tuple per heap().

The functions are unix.py's; what differs is said here.
"""

import gc
from time import sleep_ms, ticks_diff, ticks_ms

import machine
import network
import virt  # pyright: ignore[reportMissingImports]: the board's own module
from micropython import const

from copepod.log import log
from copepod.platform import record

name = "rv32"
has_wifi = False
sets_clock = False  # the machine has a clock that somebody else keeps
keeps_after_tls = True
GC_THRESHOLD_B = 16384

_LINK_MS = const(3000)  # DHCP takes milliseconds; without a cable the gateway starts all the same

_waited = False
_heap_b = [0, 0, 0]
_grows = virt.new_split() > 0  # the machine can also be told that Python's heap has a fixed size


def start(config_path):
    """Take over the record from the disk."""
    found = bytearray(record.SIZE_B)
    save = _save
    try:
        virt.record(found)
    except OSError as error:
        save = None
        log("state", "no disk (", error, "): a crash may send an answer twice")
    record.begin(found, save)


def network_on():
    """Switch the network card on, which takes as much of the C heap as Wi-Fi would. OSError."""
    network.LAN().active(True)


def network_up():
    """Wait a moment for the network's address, the first time; that takes the rest of Wi-Fi's memory."""
    global _waited
    lan: "Any" = network.LAN()
    began = ticks_ms()
    while not lan.isconnected() and not _waited:
        if ticks_diff(ticks_ms(), began) > _LINK_MS:
            log("net", "no address yet: cable or DHCP server missing")
            break
        sleep_ms(10)
    _waited = True


def _save(data):
    # One sector is written at once: after a power cut it holds the record before it or after it.
    virt.record(data, True)


def heap():
    """Return [free, largest free block, least ever free] of the C heap, where TLS and lwIP live, in one list."""
    _heap_b[:] = virt.heap_info()[1:]
    return _heap_b


def largest_region_b():
    """Return the largest free block of the C heap, in bytes: it is one region."""
    return virt.heap_info()[2]


class hold:
    """Take `size_b` bytes of the C heap until release(). MemoryError if no block is so large."""

    def __init__(self, size_b):
        virt.hold(size_b)

    def release(self):
        """Give back all that was ever taken."""
        virt.release()


def gc_free(mem_free_b):
    """Return what of `gc.mem_free()` lies in the GC heap.

    The rest is what the GC heap could still take of the C heap: its largest free block, the one that heap() found
    last. It is not asked for again here, because lwIP may have taken a frame since.
    """
    return mem_free_b - _heap_b[1] if _grows else mem_free_b


def need(size_b):
    """MemoryError unless Python's heap has `size_b` bytes without growing, as on ESP32."""
    if _python_free_b() < size_b:
        gc.collect()
        if _python_free_b() < size_b:
            raise MemoryError("Python's heap is full")


def _python_free_b():
    # lwIP takes and frees frames at any time: what it frees between two readings is not Python's.
    before_b = heap()[1]
    free_b = gc.mem_free()
    return free_b - max(before_b, heap()[1]) if _grows else free_b


def watchdog_feed():
    """Say that the gateway is alive; after ten minutes of it the crash count starts anew."""
    record.alive()


def reset():
    """Restart the machine, on purpose: this is no crash. Never returns."""
    for ending in record.endings:
        ending()
    record.crashes_store(record.crashes_load(), False)
    machine.reset()


def _nothing(_=None):
    """Do nothing, know nothing: the machine has no watchdog and can't tell why it started."""


died = reset_reason = watchdog_start = watchdog_rest = set_clock = _nothing

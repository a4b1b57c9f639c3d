"""ESP32, S3, C3, C6: the record is in RTC memory. Memory: the record; heap() a tuple per region.

The functions are unix.py's; what differs is said here. Those of start, reset and the link's bring-up stand in
esp32_seldom.py, which is loaded when one of them is asked for.
"""

import gc

import esp32
import machine
import network

from micropython import const

from copepod.once import forget
from copepod.platform import record

name = "esp32"
has_wifi = True
sets_clock = True
keeps_after_tls = True  # see net/tls_rehearsal.py
GC_THRESHOLD_B = 16384  # collect before MicroPython takes another area from the heap TLS needs

_PSRAM_B = const(262144)  # a larger block is not of the chip's own RAM

rtc = machine.RTC()
watchdog = None
_heap_b = [0, 0, 0]


def __getattr__(name):
    from copepod.platform import esp32_seldom

    forget("copepod.platform.esp32_seldom")
    return getattr(esp32_seldom, name)


def heap():
    """Return [free, largest free block, least ever free] of the IDF heap in bytes, in one list.

    HEAP_DATA only: HEAP_EXEC counts memory again that can't hold buffers. MicroPython makes one
    tuple per region (242 B in all for the six of an ESP32): call it every few seconds, not more.
    """
    free = largest = least = 0
    for _, region_free, region_largest, region_least in esp32.idf_heap_info(esp32.HEAP_DATA):
        free += region_free
        least += region_least
        if region_largest > largest:
            largest = region_largest
    heap_b = _heap_b
    heap_b[0] = free
    heap_b[1] = largest
    heap_b[2] = least
    return heap_b


def gc_free(mem_free_b):
    """Return what of `gc.mem_free()` lies in the GC heap.

    The rest is the largest free IDF block, which the GC heap could still claim (py/modgc.c). It is
    the one that heap() found last.
    """
    return max(0, mem_free_b - _heap_b[1])


def need(size_b):
    """MemoryError unless Python's heap has `size_b` bytes without growing: what it grew by would be TLS's (room.py)."""
    if heap()[1] < _PSRAM_B and _python_free_b() < size_b:
        gc.collect()
        if _python_free_b() < size_b:
            raise MemoryError("Python's heap is full")


def _python_free_b():
    # Wi-Fi takes and frees frames at any time: what it frees between two readings is not Python's.
    before_b = heap()[1]
    free_b = gc.mem_free()
    return free_b - max(before_b, heap()[1])


def watchdog_feed():
    """Feed the watchdog, if it was started; ten minutes of it set the crash count to 0."""
    if watchdog:
        watchdog.feed()
    record.alive()


def wifi_is_up():
    """Return whether Wi-Fi has an address."""
    return network.WLAN(network.WLAN.IF_STA).isconnected()

"""ESP32, S3, C3, C6: the record is in RTC memory. Memory: the record; heap() a tuple per region.

The functions are unix.py's; what differs is said here.
"""

from time import gmtime

import esp32
import machine
import network
from micropython import const

from copepod.log import log
from copepod.once import forget
from copepod.platform import record

name = "esp32"
has_wifi = True
sets_clock = True
keeps_after_tls = True  # see net/tls_rehearsal.py
GC_THRESHOLD_B = 16384  # collect before MicroPython takes another area from the heap TLS needs

_REST_MS = const(3600000)  # longest the task watchdog's microsecond arithmetic can hold is 71 min

# machine.reset_cause(): machine.reset() and a panic of ESP-IDF are both HARD_RESET, and a reset by
# USB or by a tool is 0.
_REASONS = {
    machine.PWRON_RESET: "power on or brown-out",
    machine.HARD_RESET: "reset or panic",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep sleep",
    machine.SOFT_RESET: "soft reset",
}

_rtc = machine.RTC()
_heap_b = [0, 0, 0]
_watchdog = None


def start(config_path):
    """Take over the record from RTC memory, which outlives every reset but the loss of power."""
    record.begin(_rtc.memory(), _rtc.memory)


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


def wifi_is_up():
    """Return whether Wi-Fi has an address."""
    return network.WLAN(network.WLAN.IF_STA).isconnected()


def wifi_dbm():
    """Return the signal strength, or None while Wi-Fi is down."""
    try:
        return network.WLAN(network.WLAN.IF_STA).status("rssi")
    except OSError:
        return None


def largest_region_b():
    """Return the free bytes of the IDF heap's region that has most of them."""
    return max([region[1] for region in esp32.idf_heap_info(esp32.HEAP_DATA)])


def hold(size_b):
    """Take `size_b` bytes of the IDF heap until release() of what this returns. OSError without memory."""
    from copepod.platform.stack_hold import Hold

    forget("copepod.platform.stack_hold")
    return Hold(size_b)


def gc_free(mem_free_b):
    """Return what of `gc.mem_free()` lies in the GC heap.

    The rest is the largest free IDF block, which the GC heap could still claim (py/modgc.c). It is
    the one that heap() found last.
    """
    return max(0, mem_free_b - _heap_b[1])


def died():
    """Return why the last run ended without saying so, or None when it did or nobody can know.

    Loss of power and a reset by hand or by a tool are nobody's fault.
    """
    cause = machine.reset_cause()
    if record.running() and cause in (machine.WDT_RESET, machine.HARD_RESET):
        return "watchdog: nothing moved" if cause == machine.WDT_RESET else "panic in the firmware"
    return None


def reset_reason():
    """Return why the board started, in words."""
    return _REASONS.get(machine.reset_cause(), "reset by USB or a tool")


def watchdog_start(timeout_ms):
    """Start the watchdog; it can't be stopped, only fed or told to rest."""
    global _watchdog
    _watchdog = machine.WDT(timeout=timeout_ms)


def watchdog_feed():
    """Feed the watchdog, if it was started; ten minutes of it set the crash count to 0."""
    if _watchdog:
        _watchdog.feed()
    record.alive()


def watchdog_rest():
    """Give whoever took the board (REPL, mpremote) an hour: making WDT anew sets its time anew."""
    global _watchdog
    if _watchdog:
        machine.WDT(timeout=_REST_MS).feed()
        _watchdog = None
        log("boot", "the watchdog can't be stopped: reset within the hour")


def reset():
    """Restart the board, on purpose: this is no crash. Never returns."""
    record.crashes_store(record.crashes_load(), False)
    machine.reset()


def set_clock(seconds):
    """Set the real-time clock; `seconds` in this port's epoch, UTC."""
    now = gmtime(seconds)
    _rtc.datetime((now[0], now[1], now[2], now[6] + 1, now[3], now[4], now[5], 0))

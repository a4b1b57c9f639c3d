"""The ESP32 port's functions of start, reset and bring-up: see esp32.py and unix.py. Memory: dropped after use."""

from time import gmtime, sleep_ms

import esp32
import machine
import network
from micropython import const

from copepod.log import log
from copepod.platform import port, record

_STEPS = const(20)  # of 10 ms: FreeRTOS frees a thread's stack when it is idle
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


def start(config_path):
    """Take over the record from RTC memory, which outlives every reset but the loss of power."""
    record.begin(port.rtc.memory(), port.rtc.memory)


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
    port.watchdog = machine.WDT(timeout=timeout_ms)


def watchdog_rest():
    """Give whoever took the board (REPL, mpremote) an hour: making WDT anew sets its time anew."""
    if port.watchdog:
        machine.WDT(timeout=_REST_MS).feed()
        port.watchdog = None
        log("boot", "the watchdog can't be stopped: reset within the hour")


def reset():
    """Restart the board, on purpose: this is no crash. Never returns."""
    for ending in record.endings:
        ending()
    record.crashes_store(record.crashes_load(), False)
    machine.reset()


def set_clock(seconds):
    """Set the real-time clock; `seconds` in this port's epoch, UTC."""
    now = gmtime(seconds)
    port.rtc.datetime((now[0], now[1], now[2], now[6] + 1, now[3], now[4], now[5], 0))


def largest_region_b():
    """Return the free bytes of the IDF heap's region that has most of them."""
    return max([region[1] for region in esp32.idf_heap_info(esp32.HEAP_DATA)])


class hold:
    """`size_b` bytes of the IDF heap until release(): the stack of a thread that sleeps. OSError without memory."""

    def __init__(self, size_b):
        import _thread  # which the Unix port, where the rest of this is tested, may lack

        self._size_b = size_b
        self._lock = _thread.allocate_lock()
        self._lock.acquire()
        _thread.stack_size(size_b)
        try:
            _thread.start_new_thread(self._lock.acquire, ())
        finally:
            _thread.stack_size(0)  # the default again, for whoever starts a thread

    def release(self):
        """End the thread and wait until its stack is free again."""
        before_b = port.heap()[0]
        self._lock.release()
        for _ in range(_STEPS):
            if port.heap()[0] - before_b >= self._size_b // 2:
                return
            sleep_ms(10)


def wifi_dbm():
    """Return the signal strength, or None while Wi-Fi is down."""
    try:
        return network.WLAN(network.WLAN.IF_STA).status("rssi")
    except OSError:
        return None

"""Holds a piece of the IDF heap: the stack of a thread that sleeps. Memory: 100 B; dropped after use."""

import _thread
from time import sleep_ms

from copepod.platform import port

_STEPS = 20  # of 10 ms: FreeRTOS frees the stack when it is idle


class Hold:
    """`size_b` bytes of the IDF heap, and some 400 B more, until release(). OSError without memory."""

    def __init__(self, size_b):
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

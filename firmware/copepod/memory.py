"""Every memory reading there is, in one place. Memory: a list of readings made once and filled anew.

Two heaps: Python objects live in the GC heap; on ESP32, TLS, lwIP and Wi-Fi live in the IDF heap.
`gc.mem_free()` there adds the largest free IDF block to the GC heap's free bytes (MicroPython
py/modgc.c), so it stands beside the two heaps' own figures. A reading a port can't give is None.
"""

import gc

from micropython import const

from copepod.platform import port

FIELDS = (
    "mem_free",
    "gc_free",
    "gc_used",
    "gc_live",
    "gc_run",
    "idf_free",
    "idf_big",
    "idf_min",
    "gc_total",
)

_READINGS = const(4)  # at most, for one
_reading: list = [None] * len(FIELDS)


def read(collect=False):
    """Fill and return the list of readings in bytes, in the order of FIELDS.

    `collect` runs the collector after gc_used is read and reports what survives as gc_live; the
    other figures are those before it. The list is the same object each time. Allocates what two of
    port.heap() allocate: nothing on Unix, a tuple per IDF region on ESP32.
    """
    reading = _reading
    heap = port.heap()
    for _ in range(_READINGS):
        largest_b = heap[1]
        reading[2] = gc.mem_alloc()
        reading[0] = gc.mem_free()
        heap = port.heap()
        if heap[1] == largest_b:
            break  # else Wi-Fi took or freed a frame in between, and Python's heap would seem to have grown by it
    reading[5], reading[6], reading[7] = heap
    reading[1] = port.gc_free(reading[0])
    reading[8] = reading[1] + reading[2]
    reading[4] = None
    if collect:
        gc.collect()
        reading[3] = gc.mem_alloc()
    else:
        reading[3] = None
    return reading

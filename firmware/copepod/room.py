"""Room for TLS first: divides an ESP32's RAM between Python's heap and the system's, once. Memory: nothing kept.

Python's heap begins with 56 kB. When they are full MicroPython adds an area as large as all there is already,
taken from the IDF heap, where Wi-Fi and TLS live (py/gc.c, gc_try_add_heap). The application is some 15 kB
larger than the first area; the 56 kB that it would get leave too little for a TLS handshake, for ever.
An area can't be larger than the largest free block, though. So while the application loads, a thread sleeps
whose stack is the room for TLS; what is left beside it becomes Python's second area, the last one. Then the
thread ends, and its stack is free for Wi-Fi and TLS.

    IDF heap, Wi-Fi on:   | free                                     |
    while loading:        | held: TLS, Wi-Fi, reserve  | second area |
    after it:             | free for TLS and Wi-Fi     | second area |

Where the system's heap is not this machine's RAM (Unix, a board with PSRAM) nothing is done.
"""

from micropython import const

from copepod.log import log
from copepod.platform import port

# Bytes of the IDF heap, measured on a stock ESP32 with MicroPython 1.26.1 (docs/boards.md says how).
_TLS_B = const(41300)  # a socket and the peak of a handshake with four RSA-2048 certificates
_LINK_B = const(6100)  # what Wi-Fi takes when it connects, after it was switched on
_RESERVE_B = const(10000)  # segments received, more Wi-Fi buffers, what nobody foresaw
_THREAD_B = const(1000)  # what a thread takes beside its stack, and what rounding takes from a block

_AREA_MIN_B = const(24576)  # less is not enough for the application
_PLENTY_B = const(1048576)  # such a heap is PSRAM
_REGIONS = const(3)  # of the system's heap that can hold more than Python's share

_held = []


def take():
    """Hold all of the system's heap but Python's share; False where RAM is not short.

    Allocates some 100 B of Python's heap.
    """
    free_b, largest_b, _ = port.heap()
    if free_b is None or free_b > _PLENTY_B:
        return False
    share_b = free_b - _TLS_B - _LINK_B - _RESERVE_B
    if share_b < _AREA_MIN_B:
        log("memory", "only ", free_b, " B outside Python's heap: TLS may find no room")
        share_b = _AREA_MIN_B
    for _ in range(_REGIONS):
        if largest_b <= share_b + 2 * _THREAD_B:
            break
        # The port tells the largest block rounded down, by up to 4 kB.
        _held.append(port.hold(port.largest_region_b() - share_b - _THREAD_B))
        largest_b = port.heap()[1]
    return True


def give_back():
    """Let go of what take() holds."""
    while _held:
        _held.pop().release()

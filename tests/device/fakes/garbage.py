"""What calls leave on the heap for the collector."""

import gc


def garbage_b(call, times):
    """Bytes that so many calls leave, with the collector off."""
    gc.collect()
    gc.disable()
    try:
        before_b = gc.mem_alloc()
        for _ in range(times):
            call()
        return gc.mem_alloc() - before_b
    finally:
        gc.enable()

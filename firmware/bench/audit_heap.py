"""What the gateway's live heap is made of. Memory: two lists.

    import audit_heap
    audit_heap.install()        # before the application starts

What makes the parts of the gateway (copepod/assembly.py) is replaced by functions that collect and
note gc.mem_alloc() before and after: what stays in use belongs to the component that ran. Each frame
is followed by a line `@kept <component>=<bytes> …`; what none of them made is `rest` (tasks, sockets,
TLS, caches).
"""

import gc

gc.collect()
names = ["interpreter", "code and names", "rest", "text buffer"]
kept_b = [gc.mem_alloc(), 0, 0, 0]
_now = [1, kept_b[0]]

from copepod import arena  # noqa: E402
from copepod.telemetry import Telemetry  # noqa: E402


def _enter(slot):
    gc.collect()
    at_b = gc.mem_alloc()
    before = _now[0]
    kept_b[before] += at_b - _now[1]
    _now[0] = slot
    _now[1] = at_b
    return before


def _noted(component, make):
    """`make`, which collects and notes before and after it has made a part of `component`."""
    slot = len(names)
    names.append(component)
    kept_b.append(0)

    def made(*args):
        before = _enter(slot)
        result = make(*args)
        _enter(before)
        return result

    return made


def _wrap_frame():
    original = Telemetry.frame

    def frame(self, phase, keep=False):
        _enter(_now[0])
        original(self, phase, keep)
        print("@kept", phase, end="")
        for index in range(len(names)):
            print(";", names[index], "=", kept_b[index], sep="", end="")
        print()
        _enter(2)  # what comes between them

    Telemetry.frame = frame


def install():
    """Replace what makes the gateway's parts, and the Telemetry, which is made before them."""
    # Nothing here may refer to the modules afterwards: the gateway drops them once all is made.
    from copepod import assembly

    assembly.access = _noted("access", assembly.access)
    assembly.bus = _noted("bus", assembly.bus)
    assembly.gateway = _noted("gateway", assembly.gateway)
    assembly.http_connect.prepare = _noted("connection", assembly.http_connect.prepare)
    assembly.channel = _noted("channel", assembly.channel)
    assembly.reader = _noted("update reading", assembly.reader)
    assembly.Formatter = _noted("formatter", assembly.Formatter)
    init: "Any" = _noted("telemetry", Telemetry.__init__)
    Telemetry.__init__ = init
    _wrap_frame()
    _enter(1)  # this module's own, until the first frame, is code too
    kept_b[3] = len(arena.buffer)  # made at the import
    kept_b[1] -= kept_b[3]

"""What the gateway's live heap is made of. Memory: two lists.

    import audit_heap
    audit_heap.install()        # before the application starts

Constructors of the application are replaced by ones that collect and note gc.mem_alloc() before
and after: what stays in use belongs to the component that ran. Each frame is followed by a line
`@kept <component>=<bytes> …`; what no constructor made is `rest` (tasks, sockets, TLS, caches).
"""

import gc

gc.collect()
names = ["interpreter", "code and names", "rest", "text buffer"]
kept_b = [gc.mem_alloc(), 0, 0, 0]
_now = [1, kept_b[0]]

from copepod import arena  # noqa: E402
from copepod.access import Access  # noqa: E402
from copepod.bus import Bus  # noqa: E402
from copepod.supervisor import Gateway  # noqa: E402
from copepod.net.http import Client  # noqa: E402
from copepod.telegram.channel import Channel  # noqa: E402
from copepod.telegram.updates import UpdateReader  # noqa: E402
from copepod.telemetry import Telemetry  # noqa: E402
from copepod.text.markdown import Formatter  # noqa: E402

PLACES = (
    ("access", Access),
    ("bus", Bus),
    ("gateway", Gateway),
    ("connection", Client),
    ("channel", Channel),
    ("update reading", UpdateReader),
    ("telemetry", Telemetry),
    ("formatter", Formatter),
)


def _enter(slot):
    gc.collect()
    at_b = gc.mem_alloc()
    before = _now[0]
    kept_b[before] += at_b - _now[1]
    _now[0] = slot
    _now[1] = at_b
    return before


def _wrap(owner, slot):
    original = getattr(owner, "__init__", None)  # a class may have none

    def init(self, *args):
        before = _enter(slot)
        if original:
            original(self, *args)
        _enter(before)

    owner.__init__ = init


def _wrap_frame():
    original = Telemetry.frame

    def frame(self, phase, keep=False):
        _enter(_now[0])
        original(self, phase, keep)
        print("@kept", phase, end="")
        for index in range(len(names)):
            print(";", names[index], "=", kept_b[index], sep="", end="")
        print()
        _enter(2)  # what comes between the constructors

    Telemetry.frame = frame


def install():
    """Replace the constructors of PLACES."""
    for name, owner in PLACES:
        names.append(name)
        kept_b.append(0)
        _wrap(owner, len(names) - 1)
    _wrap_frame()
    _enter(1)  # this module's own, until the first frame, is code too
    kept_b[3] = len(arena.buffer)  # made at the import
    kept_b[1] -= kept_b[3]

"""Garbage of the running gateway by component. Memory: two lists; the collector must be off.

    import audit_path
    audit_path.install()        # before the application starts

Public functions of the application are replaced by ones that note gc.mem_alloc() when they are
entered and left. What was allocated since the last note belongs to the component that ran. The
wrappers have a fixed number of parameters, because *args would allocate. Each frame is followed by
a line `@path <received> <component>=<bytes so far> …`.
"""

import gc

from copepod.access import Access
from copepod.bus import Queue
from copepod.messages import OutboundMessage
from copepod.net.http import Client
from copepod.supervisor import Gateway
from copepod.telegram.channel import Channel
from copepod.telegram.updates import UpdateReader
from copepod.telemetry import Telemetry
from copepod.text.markdown import Formatter
from copepod.worker import Worker

# component, class, {method: parameters besides self}; a private method may have another name in a
# build for a board's file system, and then counts to the component that calls it.
PLACES = (
    ("update reading", UpdateReader, {"begin": 1, "feed": 3, "finish": 0}),
    ("message", UpdateReader, {"_fill": 2}),
    ("message", OutboundMessage, {"__init__": 4}),
    ("bus", Queue, {"put": 1, "get": 0}),
    ("access", Access, {"admits": 1}),
    ("formatter", Formatter, {"begin": 0, "feed": 2, "finish": 0, "ready": 0, "drop": 0, "write": 1}),
    ("request", Client, {"begin": 2, "write": 1, "write_int": 1, "write_json": 3}),
    ("connection", Client, {"flush": 0, "response": 1, "fill": 0, "__next__": 0}),
    ("telemetry", Telemetry, {"event": 2}),
)
TASKS = (("handler", Worker, "run"), ("supervisor", Gateway, "main"))  # coroutines, noted per step
names = ["scheduler"]
used_b = [0]
_now = [0, 0]  # component that runs, gc.mem_alloc() when it began


def _enter(slot):
    # Charge what ran until now, and let `slot` run; returns what ran.
    at_b = gc.mem_alloc()
    before = _now[0]
    used_b[before] += at_b - _now[1]
    _now[0] = slot
    _now[1] = at_b
    return before


def _slot(name):
    if name not in names:
        names.append(name)
        used_b.append(0)
    return names.index(name)


def _wrap(original, slot, count):
    if count == 0:

        def noted_0(self):
            before = _enter(slot)
            try:
                return original(self)
            finally:
                _enter(before)

        return noted_0
    if count == 1:

        def noted_1(self, a=None):
            before = _enter(slot)
            try:
                return original(self, a)
            finally:
                _enter(before)

        return noted_1
    if count == 2:

        def noted_2(self, a, b=0):
            before = _enter(slot)
            try:
                return original(self, a, b)
            finally:
                _enter(before)

        return noted_2
    if count == 3:

        def noted_3(self, a, b, c):
            before = _enter(slot)
            try:
                return original(self, a, b, c)
            finally:
                _enter(before)

        return noted_3

    def noted_4(self, a, b, c=None, d=None):
        before = _enter(slot)
        try:
            return original(self, a, b, c, d)
        finally:
            _enter(before)

    return noted_4


class _Task:
    """Stands before a coroutine and notes each of its steps."""

    def __init__(self, coroutine, slot):
        self.coroutine = coroutine
        self.slot = slot

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        return self.send(None)

    def send(self, value):
        before = _enter(self.slot)
        try:
            return self.coroutine.send(value)
        finally:
            _enter(before)

    def throw(self, error):
        return self.coroutine.throw(error)

    def close(self):
        return self.coroutine.close()


def _wrap_task(owner, name, slot):
    original = getattr(owner, name)

    def started(self):
        return _Task(original(self), slot)

    setattr(owner, name, started)


def _wrap_frame(owner, slot):
    original = owner.frame

    def frame(self, phase, keep=False):
        before = _enter(slot)
        original(self, phase, keep)
        _enter(before)
        print("@path", self.stats.received, end="")
        for index in range(len(names)):
            print(";", names[index], "=", used_b[index], sep="", end="")
        print()
        _now[1] = gc.mem_alloc()  # printing this is nobody's

    owner.frame = frame


def install():
    """Replace the functions of PLACES; AttributeError if one is no longer there."""
    for name, owner, methods in PLACES:
        slot = _slot(name)
        for method in methods:
            if method[0] != "_" or method[1] == "_" or hasattr(owner, method):
                setattr(owner, method, _wrap(getattr(owner, method), slot, methods[method]))
    for name, owner, method in TASKS:
        _wrap_task(owner, method, _slot(name))
    _wrap_task(Channel, "run", _slot("channel"))
    _wrap_frame(Telemetry, _slot("telemetry"))
    _now[1] = gc.mem_alloc()

"""What a KeepIOQueue (wait.py) does for asyncio's streams and when a task is cancelled. Memory: kept once needed."""

from micropython import const

from copepod.net.wait import READ, WRITE

_URGENT = const(2)  # POLLPRI, which newer asyncio has a queue for


def complete(kind, name):
    """Give the class `kind` the functions of this file as methods; AttributeError when `name` is none of them."""
    kind.queue_read = queue_read
    kind.queue_write = queue_write
    kind.queue_pri = queue_pri
    kind.remove = remove
    if name not in ("queue_read", "queue_write", "queue_pri", "remove"):
        raise AttributeError(name)


def queue_read(self, stream, events=READ):
    entry = self.map.get(id(stream))
    if entry is None:
        from copepod.net.waiter import new_waiter  # which remove() alone does without

        entry = self.map[id(stream)] = new_waiter(stream, self)
    entry.park(events, 0)


def queue_write(self, stream):
    self.queue_read(stream, WRITE)


def queue_pri(self, stream):
    self.queue_read(stream, _URGENT)


def remove(self, task):
    """Forget a task that is being cancelled."""
    for key in self.map:
        entry = self.map[key]
        if entry.read is task or entry.write is task:
            if entry.read is task:
                entry.read = None
            else:
                entry.write = None
            if not entry.kept:
                self.settle(entry)
            return

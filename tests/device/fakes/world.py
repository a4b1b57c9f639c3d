"""What the fake modules share: a clock that only moves when told to, and lists of what was done.

The fakes stand in for `network`, `machine`, `esp32` and `ntptime` of the ESP32 port, so that
device code which asks for a board can be run without one. install() puts them before the real
modules and gives every test a world of its own; `network` has the Wi-Fi driver's oddities.
"""

import sys


class Reset(BaseException):
    """machine.reset(): the board restarts here. Not an Exception, so that nobody catches it."""


class World:
    """The state behind the fakes."""

    def __init__(self):
        self.now_ms = 0  # since power-on
        self.waiters = []  # called with the milliseconds that pass
        self.interrupt_at_ms = None  # a Ctrl-C arrives then

    def pass_ms(self, duration_ms):
        """Let time pass in steps of at most 10 ms; raises KeyboardInterrupt where one is due."""
        end_ms = self.now_ms + duration_ms
        while self.now_ms < end_ms:
            step_ms = min(10, end_ms - self.now_ms)
            self.now_ms += step_ms
            for waiter in self.waiters:
                waiter(step_ms)
            if self.interrupt_at_ms is not None and self.now_ms >= self.interrupt_at_ms:
                self.interrupt_at_ms = None
                raise KeyboardInterrupt

    async def sleep_ms(self, duration_ms):
        """Stand in for asyncio.sleep_ms."""
        self.pass_ms(duration_ms)

    def run(self, coroutine):
        """Run a coroutine that waits for nothing but sleep_ms, and return what it returns."""
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the coroutine waits for something that is not in this world")


world = World()

FAKES = ("network", "machine", "esp32", "ntptime")
DEVICE = ("copepod.platform", "copepod.net", "copepod.boot", "copepod.crash")


def install():
    """Begin a new world: fakes in place of the board's modules, device modules imported anew.

    Returns (world, the ESP32 port). After a call, `import copepod.net.link` and the like give
    fresh modules that believe to be on an ESP32.
    """
    forget()
    world.__init__()
    for name in FAKES:
        sys.modules[name] = getattr(__import__("fakes." + name), name)
        sys.modules[name].power_on()
    import copepod.platform

    # `sys.platform` can't be set, so the choice that platform/__init__.py makes is made again.
    from copepod.platform import esp32 as port

    copepod.platform.port = port
    port.ticks_ms = port.record.ticks_ms = lambda: world.now_ms
    return world, port


def reboot():
    """Restart the board as its reset would: the Python heap is lost, RTC memory is not."""
    kept = {name: sys.modules[name] for name in FAKES}
    forget()
    for name in kept:
        sys.modules[name] = kept[name]
    import copepod.platform
    from copepod.platform import esp32 as port

    copepod.platform.port = port
    port.record.ticks_ms = lambda: world.now_ms
    return port


def forget():
    """Forget the fakes and every device module."""
    for name in list(sys.modules):
        if (
            name in FAKES
            or name in DEVICE
            or name.startswith(("copepod.platform.", "copepod.net."))
        ):
            del sys.modules[name]

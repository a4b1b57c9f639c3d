"""`neopixel`, pretended: a strip of coloured lights. On no board; see pretended/line.py."""

from pretended.line import tell


class NeoPixel:
    """NeoPixel(Pin(4), 8): strip[0] = (255, 0, 0), then write()."""

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self._lights = [(0,) * bpp] * n

    def __len__(self):
        return self.n

    def __setitem__(self, i, v):
        if len(v) != self.bpp:
            raise ValueError("a colour has %d parts" % self.bpp)
        self._lights[i] = tuple(v)

    def __getitem__(self, i):
        return self._lights[i]

    def fill(self, v):
        """All of them in one colour."""
        for i in range(self.n):
            self[i] = v

    def write(self):
        """Show it."""
        tell("neopixel", self.pin.id, ",".join([bytes(light).hex() for light in self._lights]))

"""I2C as on an ESP32: an empty bus, or devices of 256 registers that are set from outside. On no board."""

import errno

from pretended.line import look, take, tell

_devices = {}  # address -> bytearray of its registers
_at = {}  # address -> register that is read next: a device keeps it, whoever asks


class I2C:
    """I2C(0, scl=Pin(22), sda=Pin(21)). `:i2c 0x76 0xd0 0x60` puts a device there, its register 0xd0 holding 0x60."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        pass

    def init(self, **more):
        """Change what can't be seen here."""

    def deinit(self):
        """Do nothing."""

    def scan(self):
        """Addresses of the devices."""
        look()
        return sorted(_devices)

    def writeto(self, addr, buf, stop=True):
        """Write: the first byte names a register, the others go into it and what follows."""
        registers = self._device(addr)
        data = bytes(buf)
        tell("i2c", "0x%02x" % addr, data.hex() if data else "-")
        if data:
            _at[addr] = data[0]
            self._put(registers, data[0], data[1:])
        return len(data)

    def writevto(self, addr, vector, stop=True):
        """Write several buffers as one."""
        return self.writeto(addr, b"".join([bytes(part) for part in vector]), stop)

    def readfrom(self, addr, nbytes, stop=True):
        """Read from the register that was named last."""
        return self.readfrom_mem(addr, _at.get(addr, 0), nbytes)

    def readfrom_into(self, addr, buf, stop=True):
        """The same into a buffer."""
        self.readfrom_mem_into(addr, _at.get(addr, 0), buf)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        """Read registers."""
        registers = self._device(addr)
        return bytes([registers[(memaddr + at) & 255] for at in range(nbytes)])

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        """The same into a buffer."""
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf))

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        """Write registers."""
        registers = self._device(addr)
        data = bytes(buf)
        tell("i2c", "0x%02x" % addr, "%02x%s" % (memaddr, data.hex()))
        self._put(registers, memaddr, data)

    def _device(self, addr):
        look()
        if addr not in _devices:
            raise OSError(errno.ENODEV)
        return _devices[addr]

    def _put(self, registers, at, data):
        for byte in data:
            registers[at & 255] = byte
            at += 1


class SoftI2C(I2C):
    """The same on any two pins."""

    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        super().__init__(0, scl=scl, sda=sda)


def _set(address, register="0", *values):
    at = int(register)
    registers = _devices.setdefault(int(address), bytearray(256))
    for value in values:
        registers[at & 255] = int(value)
        at += 1


take("i2c", _set)

"""Fake `network`: the station interface of the ESP32 port, oddities included.

Written after MicroPython's ports/esp32/network_wlan.c. What it does that a plain mock would not:

- anything but active() raises OSError("Wifi Not Started") before active(True);
- an attempt takes time; connect() and config(key=…) during one raise OSError("Wifi Internal
  Error"), and disconnect() needs a moment until they don't;
- after a failed attempt the driver tries again by itself, `reconnects` times or for ever; the
  count starts anew with connect() and with active(True), not with success;
- status() follows the order of the driver's tests: some reasons show at once, others only when the
  driver has given up; a reason stays until an address arrives; after disconnect() it is 1000;
- isconnected() means "has an IP address" and stays true when the address is lost;
- a stuck driver (`air.stuck`) works again only after active(False), time, active(True).
"""

from fakes.world import world

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
_SHOWN_AT_ONCE = (201, 202, 210, 211, 212)
_LEFT = 8  # WIFI_REASON_ASSOC_LEAVE
_FLUSH_MS = 120  # until a disconnect() has taken effect
_OFF_MS = 200  # until the radio is really off


class AccessPoint:
    """A network in the air."""

    def __init__(self, password=None, dhcp_ms=800, refuse=None, weak=False):
        self.password = password  # None: open
        self.dhcp_ms = dhcp_ms  # None: no DHCP server
        self.refuse = refuse  # reason to fail with, whatever the password
        self.weak = weak  # only reached with reduced transmission power
        self.wrong_password_reason = 15


class Air:
    """All that is outside the chip, and how long things take."""

    def __init__(self):
        self.points = {}
        self.associate_ms = 2400
        self.stuck = False
        self.strict = False  # disconnect() raises when there is nothing to end


air = Air()
_host = "mpy-esp32"


class WLAN:
    """The station interface: one per chip, like the driver's static variables."""

    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    _the_one = None

    def __new__(cls, interface=0):
        """Return the one object there is."""
        if cls._the_one is None:
            cls._the_one = super().__new__(cls)
            cls._the_one.begin()
        return cls._the_one

    def __init__(self, interface=0):
        assert interface == self.IF_STA

    def begin(self):
        """Power-on."""
        self.calls = []
        self.on = False
        self.off_since_ms = -_OFF_MS
        self.requested = False
        self.has_ip = False
        self.associated = False
        self.reason = 0
        self.limit = 0  # conf_wifi_sta_reconnects: 0 is for ever, n + 1 is n
        self.count = 0
        self.ssid = ""
        self.key = None
        self.pm = self.PM_PERFORMANCE
        self.txpower = 20
        self.host = None
        self.left_ms = 0  # of the attempt that is going on
        self.dhcp_left_ms = None
        self.flush_ms = 0  # of a disconnect()
        world.waiters.append(self.step)

    # What the world does to it -----------------------------------------------------------------

    def step(self, ms):
        """Let `ms` pass."""
        self.flush_ms = max(0, self.flush_ms - ms)
        if self.left_ms > 0:
            self.left_ms -= ms
            if self.left_ms <= 0:
                self.attempt_ends()
        elif self.dhcp_left_ms is not None:
            self.dhcp_left_ms -= ms
            if self.dhcp_left_ms <= 0:
                self.dhcp_left_ms = None
                self.has_ip = True
                self.reason = 0

    def attempt_ends(self):
        """Associate, or fail with a reason."""
        point = air.points.get(self.ssid)
        if air.stuck:
            self.fail(1)
        elif point is None:
            self.fail(201)
        elif point.refuse:
            self.fail(point.refuse)
        elif point.weak and self.txpower > 10:
            self.fail(2)
        elif point.password is None and self.key is not None:
            self.fail(211)
        elif point.password != self.key:
            self.fail(point.wrong_password_reason)
        else:
            self.associated = True
            self.dhcp_left_ms = point.dhcp_ms

    def fail(self, reason):
        """Take a disconnect event; the driver may try again by itself."""
        self.reason = reason
        self.associated = self.has_ip = False
        self.left_ms = 0
        self.dhcp_left_ms = None
        if self.requested and self.on:
            if self.limit:
                self.count += 1
                if self.count >= self.limit:
                    return
            self.left_ms = air.associate_ms

    # What MicroPython offers -------------------------------------------------------------------

    def need_on(self):
        """Raise what the driver raises before it is started."""
        if not self.on:
            raise OSError("Wifi Not Started")

    def need_still(self):
        """Raise what the driver raises while it is at something."""
        if self.left_ms > 0 or self.dhcp_left_ms is not None or self.flush_ms > 0:
            raise OSError("Wifi Internal Error")

    def active(self, on=None):
        """Switch on or off, or ask."""
        if on is None:
            return self.on
        self.calls.append("on" if on else "off")
        if on and not self.on:
            if world.now_ms - self.off_since_ms >= _OFF_MS and self.calls[-2:] == ["off", "on"]:
                air.stuck = False
            self.count = 0
        if not on and self.on:
            self.off_since_ms = world.now_ms
            if self.left_ms > 0 or self.associated:
                self.requested, was = False, self.requested
                self.fail(_LEFT)
                self.requested = was
        self.on = on
        return on

    def connect(self, ssid, key=None):
        """Begin an attempt."""
        self.need_on()
        self.need_still()
        self.calls.append("connect")
        self.ssid = ssid
        self.key = key
        self.host = _host
        self.count = 0
        self.requested = True
        self.left_ms = air.associate_ms

    def disconnect(self):
        """End whatever there is."""
        self.need_on()
        self.calls.append("disconnect")
        self.requested = False
        if self.left_ms > 0 or self.associated:
            self.flush_ms = _FLUSH_MS
            self.fail(_LEFT)
        elif air.strict:
            raise OSError("Wifi Not Connected")

    def status(self, what=None):
        """Return the status as the driver derives it."""
        if what is not None:
            assert what == "rssi"
            if not self.associated:
                raise OSError("Wifi Not Connected")
            return -61
        if self.has_ip:
            return STAT_GOT_IP
        if self.reason in _SHOWN_AT_ONCE:
            return self.reason
        if self.reason == _LEFT:
            return STAT_IDLE
        if self.requested and (self.limit == 0 or self.count < self.limit):
            return STAT_CONNECTING
        return self.reason or STAT_IDLE

    def isconnected(self):
        """Return whether there is an IP address."""
        return self.has_ip

    def config(self, *query, **changes):
        """Ask for one parameter, or set some."""
        self.need_on()
        if query:
            assert query == ("ssid",), query
            return self.ssid
        self.need_still()
        for name in changes:
            if name == "reconnects":
                self.limit = 0 if changes[name] == -1 else changes[name] + 1
            elif name in ("pm", "txpower"):
                setattr(self, name, changes[name])
            else:
                raise ValueError("unknown config param")
        return None

    def ifconfig(self):
        """Return the address and what belongs to it."""
        if self.has_ip:
            return ("192.168.4.7", "255.255.255.0", "192.168.4.1", "192.168.4.1")
        return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")


def hostname(name=None):
    """Ask for the host name, or set it: it counts when the interface connects."""
    global _host
    if name is None:
        return _host
    if len(name) > 32:
        raise ValueError
    _host = name
    return None


def power_on():
    """Begin anew."""
    global _host
    WLAN._the_one = None
    air.__init__()
    _host = "mpy-esp32"

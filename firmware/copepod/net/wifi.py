"""Wi-Fi on ESP32: bring-up and reconnect. Memory: one WLAN object; this file is loaded while there is no link.

The driver's oddities, as MicroPython 1.26 to 1.29 have them (ports/esp32/network_wlan.c):

- nothing may be asked of the interface before active(True), and the host name counts from then
  on;
- it tries again by itself, for ever unless `reconnects` is set, and then status() says
  "connecting" whatever went wrong; the count of those tries is not set back when one succeeds,
  so it can't be left to hold the link for months;
- connect() and config() while it connects, by itself or by us, raise "Wifi Internal Error", and so
  they do right after disconnect(), which takes a moment;
- status() keeps the last failure until there is an IP address, so at the start of a try it may
  speak of the try before, or say idle (1000) between connecting (1001) and done (1010): only what
  it still says after a while is believed;
- some failures last until the interface has been switched off and on, and some until a reset.
"""

from asyncio import sleep_ms

from micropython import const

from copepod.log import log
from copepod.platform import port

_STEP_MS = const(100)
_TRY_STEPS = const(150)  # a try has 15 s: scan, association and DHCP take 2 to 6 s
_BELIEVE_STEPS = const(60)  # and status() is believed after 6 s
_SETTLE_MS = const(250)  # what disconnect() and active(False) need to take effect
_TRIES = const(3)  # then the interface is switched off and on
_RESTARTS = const(4)  # then the board is reset
_DRIVER_TRIES = const(2)
_CONNECTING = const(1001)
_IDLE = const(1000)
_TX_FULL_DBM = 20
_TX_WEAK_DBM = 8.5  # some C3 boards' antennas drown in their own full power: status 201 or 2

_REMEDIES = {
    2: "authentication expired: wrong wifi.password, or a weak signal",
    15: "wrong wifi.password",
    200: "the access point went silent",
    201: "no access point of this name (wifi.ssid; 2.4 GHz only)",
    202: "wrong wifi.password",
    203: "the access point refuses: full, or filtering addresses",
    204: "wrong wifi.password, or a weak signal",
    210: "the access point's security is not one that this board knows",
    211: "the access point asks for no password or a weaker security than expected",
    212: "no access point near enough",
    _IDLE: "the driver did nothing",
    _CONNECTING: "no answer from the access point",
}

_wlan = None
_distrusted = False


def switch_on(config):
    """Switch the interface on, which takes 38 kB of the IDF heap, and leave connecting to up(). OSError.

    Returns whether it is connected to another access point, from before a soft reset.
    """
    if config.wifi_ssid:
        _interface(config.wifi_ssid)
    return _distrusted


async def up(config):
    """Return when there is an IP address; at once when there was one all along.

    Tries for ever, in ever rougher ways, the last of which is to reset the board (which is then
    not counted as a crash). `config` has wifi_ssid and wifi_password; without an ssid the board
    has a cable, or somebody else sees to it, and this returns at once.
    """
    if not config.wifi_ssid:
        return
    global _distrusted
    wlan = _interface(config.wifi_ssid)
    failures = 0
    if _distrusted:
        _distrusted = False
        await _restart(wlan)
    while not wlan.isconnected():
        reason = await _try(wlan, config.wifi_ssid, config.wifi_password, failures // _TRIES)
        if not reason:
            log("wifi", "connected to ", config.wifi_ssid, ", address ", wlan.ifconfig()[0])
            return
        failures += 1
        log("wifi", "not connected to ", config.wifi_ssid, ": ", reason, ", try ", failures)
        await sleep_ms(min(failures, 10) * 1000)
        if failures > _TRIES * _RESTARTS:
            log("wifi", "nothing helped, resetting the board")
            port.reset()
        if failures % _TRIES == 0:
            await _restart(wlan)


def distrust():
    """Let the next up() switch the interface off and on, even if it says that it is connected.

    For whoever finds that nothing gets through: the driver does not notice a lost address.
    """
    global _distrusted
    _distrusted = True


def signal_dbm():
    """Return the signal strength, or None without Wi-Fi or while it is down."""
    try:
        return _wlan.status("rssi") if _wlan else None
    except OSError:
        return None


def _interface(ssid):
    # The one WLAN object, switched on: this is all that allocates. After a soft reset the driver
    # goes on with what it was told before it.
    global _wlan, _distrusted
    if _wlan is None:
        import network

        network.hostname("copepod")
        _wlan = network.WLAN(network.WLAN.IF_STA)
        _wlan.active(True)
        _distrusted = _wlan.isconnected() and _wlan.config("ssid") != ssid
    return _wlan


async def _restart(wlan):
    log("wifi", "switching the interface off and on")
    wlan.active(False)
    await sleep_ms(_SETTLE_MS)
    wlan.active(True)


async def _try(wlan, ssid, password, restarts):
    """Try once; None when there is an address, else what went wrong, to be printed."""
    try:
        wlan.disconnect()  # whatever the driver is at: config() and connect() would raise
    except OSError:
        pass  # there was nothing to end
    try:
        await sleep_ms(_SETTLE_MS)
        wlan.config(reconnects=_DRIVER_TRIES)
        wlan.config(pm=wlan.PM_NONE)  # power saving adds up to a second to every answer
        if restarts:
            wlan.config(txpower=_TX_WEAK_DBM if restarts & 1 else _TX_FULL_DBM)
        wlan.connect(ssid, password or None)  # None: an open network
    except OSError as error:
        return error
    for step in range(_TRY_STEPS):
        await sleep_ms(_STEP_MS)
        if wlan.isconnected():
            return None
        if step >= _BELIEVE_STEPS and wlan.status() < _IDLE and signal_dbm() is None:
            break
    if signal_dbm() is not None:
        return "associated, but no IP address (DHCP)"
    status = wlan.status()
    return _REMEDIES.get(status) or "driver status %d" % status

"""The link below the sockets: Wi-Fi, where the port has it. Memory: two flags; wifi.py is loaded without a link."""

from copepod.once import forget
from copepod.platform import port

_wireless = False  # Wi-Fi is configured, and there is some
_distrusted = False


def switch_on(config):
    """Let the link take the memory that it needs, without waiting for it. OSError when there is none."""
    global _wireless, _distrusted
    if port.has_wifi:
        _wireless = config.wifi_ssid != ""
        _distrusted = _wifi().switch_on(config)
    else:
        port.network_on()


async def up(config):
    """Return when there is a link; where there is no Wi-Fi the system has it."""
    global _distrusted
    if not _wireless:
        port.network_up()
        return
    if not _distrusted and port.wifi_is_up():
        return
    wifi = _wifi()
    if _distrusted:
        _distrusted = False
        wifi.distrust()
    await wifi.up(config)


def distrust():
    """Let the next up() begin from scratch, because nothing gets through."""
    global _distrusted
    _distrusted = True


def signal_dbm():
    """Return the signal strength in dBm, or None without Wi-Fi or while it is down."""
    return port.wifi_dbm() if _wireless else None


def _wifi():
    from copepod.net import wifi

    forget("copepod.net.wifi")
    return wifi

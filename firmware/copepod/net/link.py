"""The link below the sockets: Wi-Fi where the port has it. Memory: wifi.py, there only."""

from copepod.platform import port

if port.has_wifi:
    from copepod.net.wifi import distrust, signal_dbm, switch_on, up  # noqa: F401
else:

    def switch_on(config):
        """Let the link take the memory that it needs."""
        port.network_up()

    async def up(config):
        """Return when there is a link; here the system has it."""

    def distrust():
        """Let the next up() begin from scratch, because nothing gets through."""

    def signal_dbm() -> int | None:
        """Return the signal strength, or None without Wi-Fi or while it is down."""
        return None

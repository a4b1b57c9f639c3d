"""The commands every Copepod knows: /start /help /status /mem /ping. Memory: loaded when asked, dropped after it."""

from copepod import commands, registry
from copepod.once import forget

forget("copepod.commands")


def answer(msg):
    """The answer to a command that the bot does not have; False when its text handlers should see it."""
    command = msg.command
    if command not in commands.BUILT_IN:
        if msg.chat_type != "private" or registry.texts:
            return False
        return "I don't know /" + command + ". /help lists what I do."
    if command == "help":
        return "".join(["- /%s %s\n" % line for line in commands.listed()])
    if command == "ping":
        return "pong"
    if command == "status":
        return _status(msg.gateway)
    if command == "mem":
        return _memory(msg.gateway)
    return "Hello, I am a Copepod: a Telegram gateway on a chip. /help lists what I do."


def duration(seconds):
    """`93784` as `1 d 02:03:04`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return "%d d %02d:%02d:%02d" % (days, hours, minutes, seconds)


def _status(gateway):
    from copepod.net import link

    stats = gateway.stats
    bus = gateway.bus
    rows = [
        "**up** " + duration(gateway.seconds),
        "**updates** %d, answered %d, without a handler %d"
        % (stats.received, stats.answered, stats.ignored),
        "**errors** %d, back-offs %d, flood waits %d"
        % (stats.errors, stats.backoffs, stats.flood_waits),
        "**sent once more** %d, as plain text %d, refused %d"
        % (stats.repeated, stats.fallbacks, stats.dropped),
        "**strangers turned away** %d" % stats.strangers,
        "**queue** at most %d of %d messages" % (bus.inbound.high_water, bus.inbound.capacity),
        "**connections** %d" % gateway.telemetry.connections,
    ]
    signal_dbm = link.signal_dbm()
    if signal_dbm is not None:
        rows.append("**link** %d dBm" % signal_dbm)
    return "\n".join(rows)


def _memory(gateway):
    from copepod import memory

    reading = memory.read(True)
    rows = ["| bytes | now |", "| --- | ---: |"]
    for index, field in enumerate(memory.FIELDS):
        if reading[index] is not None:
            rows.append("| %s | %d |" % (field, reading[index]))
    rows.append("")
    rows.append("| phase | used | live |")
    rows.append("| --- | ---: | ---: |")
    for phase, used, live, _ in gateway.telemetry.phases:
        rows.append("| %s | %d | %s |" % (phase, used, "-" if live is None else live))
    return "\n".join(rows)

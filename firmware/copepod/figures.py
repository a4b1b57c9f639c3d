"""What /status and /mem answer. Memory: loaded when asked, dropped after it."""


def duration(seconds):
    """`93784` as `1 d 02:03:04`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return "%d d %02d:%02d:%02d" % (days, hours, minutes, seconds)


def status(gateway):
    """The answer to /status: what the gateway has done."""
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


def of_memory(gateway):
    """The answer to /mem: both heaps now, and Python's in each phase."""
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

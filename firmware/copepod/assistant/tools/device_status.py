"""The tool device_status. Memory: dropped after use."""

import gc


def run(gateway):
    """Tell how the board is: uptime, free memory, messages, Wi-Fi signal."""
    from copepod.net import link

    stats = gateway.stats
    rows = [
        "up %d s" % gateway.seconds,
        "Python heap: %d B used, %d B free" % (gc.mem_alloc(), gc.mem_free()),
        "updates %d, answered %d, errors %d" % (stats.received, stats.answered, stats.errors),
    ]
    signal_dbm = link.signal_dbm()
    if signal_dbm is not None:
        rows.append("Wi-Fi signal %d dBm" % signal_dbm)
    return "\n".join(rows)

"""The tool get_time. Memory: dropped after use."""

from time import gmtime


def run(gateway):
    """Tell the date and the time, in UTC."""
    now = gmtime()
    if now[0] < 2024:
        return "the clock is not set"
    return "%04d-%02d-%02d %02d:%02d:%02d UTC" % now[:6]

"""Fake `esp32`: heap regions as a board without PSRAM reports them."""

HEAP_EXEC = 1
HEAP_DATA = 4

# (total, free, largest free block, least ever free): MicroPython's documentation's own example,
# with the second region made fragmented.
DATA = [
    (240, 0, 0, 0),
    (7288, 4000, 1500, 900),
    (16648, 4, 4, 4),
    (79912, 35712, 35512, 35108),
    (15072, 15036, 15036, 15036),
    (113840, 0, 0, 0),
]
# Memory that can be executed: some of it is the same again, some can't hold bytes at all.
EXEC = DATA[3:4] + [(31000, 31000, 31000, 31000)]


def idf_heap_info(capabilities):
    """Return the regions that have these capabilities, in new objects as the port does."""
    return [tuple(list(region)) for region in (DATA if capabilities == HEAP_DATA else EXEC)]


def power_on():
    """Begin anew: nothing to forget."""

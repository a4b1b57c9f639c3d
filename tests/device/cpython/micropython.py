"""CPython stand-in for the `micropython` module: what pure device code needs to be imported."""


def const(value):
    """Return the value: on the device this is folded by the compiler."""
    return value

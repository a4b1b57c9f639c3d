"""The pins that the config has names for, and no others. Memory: dropped after use."""


def number(gateway, name, *modes):
    """The number of the pin and its mode; ValueError unless it has one of `modes`."""
    pins = gateway.config.model.pins
    if name not in pins:
        raise ValueError("there is no pin of this name; there are: " + ", ".join(sorted(pins)))
    found = pins[name]
    if found[1] not in modes:
        raise ValueError(
            "the owner has given this pin the mode %s, which is not for that" % found[1]
        )
    return found


def machine():
    """MicroPython's `machine`, or ValueError where there are no pins."""
    try:
        import machine as found
    except ImportError:
        found = None
    if not hasattr(found, "Pin"):
        raise ValueError("this computer has no pins")
    return found

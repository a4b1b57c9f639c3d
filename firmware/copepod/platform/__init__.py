"""Which machine this is: `port` is the module that knows. Memory: one of the three is imported.

Every port has the same functions; unix.py describes them. No file outside this room asks
sys.platform.
"""

import sys

port: "Any"  # what a port has beyond unix.py is asked for only where it is

if sys.platform == "esp32":
    from copepod.platform import esp32 as port
elif sys.platform == "qemu":
    from copepod.platform import rv32 as port
else:
    from copepod.platform import unix as port

__all__ = ("port",)

"""`micropython -m copepod --config PATH`. Memory: nothing kept."""

import sys

from copepod import arena  # noqa: F401  before anything else takes a part of the heap

if ".frozen" not in sys.path:  # MICROPYPATH takes the place of the Unix port's own path, asyncio's place included
    sys.path.append(".frozen")

from copepod.startup import run


def _main():
    arguments = sys.argv[1:]
    if len(arguments) != 2 or arguments[0] != "--config":
        print("usage: micropython -m copepod --config PATH")
        sys.exit(2)
    sys.exit(run(arguments[1]))


_main()

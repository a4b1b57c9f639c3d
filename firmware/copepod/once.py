"""Modules that serve once are dropped after use, and their memory with them. Memory: nothing kept."""

import sys


def forget(name):
    """Drop the module `name` ("copepod.config"), so that its code can be collected.

    Its package refers to it, too. Whatever else still does keeps it alive.
    """
    del sys.modules[name]
    package, _, last = name.rpartition(".")
    delattr(sys.modules[package], last)

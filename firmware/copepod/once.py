"""Modules that serve once are dropped after use, and their memory with them. Memory: nothing kept."""

import sys


def forget(name):
    """Drop the module `name` ("copepod.config"), if it is there, so that its code can be collected.

    Its package refers to it, too. Whatever else still does keeps it alive. A deleted slot of a dict
    keeps its value until another takes the place (py/map.c), hence None first.
    """
    if name not in sys.modules:
        return
    sys.modules[name] = None  # pyright: ignore[reportArgumentType]
    del sys.modules[name]
    package, _, last = name.rpartition(".")
    if package:
        package = sys.modules[package]
        setattr(package, last, None)
        delattr(package, last)

"""Modules that serve once are dropped after use, and their memory with them. Memory: nothing kept."""

import sys


def forget(name):
    """Drop the module `name` ("copepod.config"), if it is there, so that its code can be collected.

    Its package refers to it, too. Whatever else still does keeps it alive. A deleted slot of a dict
    keeps its value until another takes the place (py/map.c), hence None first: also for what is not there,
    since a module whose loading failed for want of memory was deleted from there by the import.
    """
    loaded = name in sys.modules
    sys.modules[name] = None  # pyright: ignore[reportArgumentType]
    del sys.modules[name]
    if not loaded:
        return
    package, _, last = name.rpartition(".")
    if package:
        package = sys.modules[package]
        setattr(package, last, None)
        delattr(package, last)

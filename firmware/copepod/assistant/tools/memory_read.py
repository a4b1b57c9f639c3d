"""The tool memory_read. Memory: dropped after use."""

from copepod.assistant import places


def run(gateway):
    """Read what you have been asked to remember (memory/MEMORY.md)."""
    return places.read(gateway, "memory/MEMORY.md", 0)

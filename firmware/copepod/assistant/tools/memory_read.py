"""The tool memory_read. Memory: dropped after use."""

from copepod.assistant import workspace_files


def run(gateway):
    """Read what you have been asked to remember (memory/MEMORY.md)."""
    return workspace_files.read(gateway, "memory/MEMORY.md", 0)

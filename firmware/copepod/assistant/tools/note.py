"""The tool note. Memory: dropped after use."""

from copepod.assistant import places


def run(gateway, text: str):
    """Add a line to memory/NOTES.md, which you can read with read_file.

    text: the line
    """
    return places.write(gateway, "memory/NOTES.md", text + "\n", True)

"""The tool note. Memory: dropped after use."""

from copepod.assistant import workspace_files


def run(gateway, text: str):
    """Add a line to memory/NOTES.md, which you can read with read_file.

    text: the line
    """
    return workspace_files.write(gateway, "memory/NOTES.md", text + "\n", True)

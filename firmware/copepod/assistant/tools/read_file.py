"""The tool read_file. Memory: dropped after use."""

from copepod.assistant import workspace_files


def run(gateway, path: str, offset: int = 0):
    """Read up to 900 bytes of a file in the workspace.

    path: such as notes/plants.md
    offset: the byte to begin at
    """
    if type(offset) is not int or offset < 0:
        raise ValueError("offset: a whole number")
    return workspace_files.read(gateway, path, offset)

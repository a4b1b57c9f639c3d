"""The tool memory_write. Memory: dropped after use."""

from copepod.assistant import workspace_files


def run(gateway, text: str, replace: bool = False):
    """Remember something for good: adds a line to memory/MEMORY.md, which you are told at each turn.

    text: what to remember, in one line
    replace: true to have nothing but this text from now on
    """
    if type(replace) is not bool:
        raise ValueError("replace: true or false")
    return workspace_files.write(gateway, "memory/MEMORY.md", text + "\n", not replace)

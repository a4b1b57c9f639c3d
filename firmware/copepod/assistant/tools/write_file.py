"""The tool write_file. Memory: dropped after use."""

from copepod.assistant import workspace_files


def run(gateway, path: str, content: str, append: bool = False):
    """Write a text file in the workspace.

    path: such as notes/plants.md
    content: the text, at most 1 kB with all else
    append: true to add it at the end of what is there
    """
    if type(append) is not bool:
        raise ValueError("append: true or false")
    return workspace_files.write(gateway, path, content, append)

"""The tool list_dir. Memory: dropped after use."""

import os

from copepod.assistant import workspace_files


def run(gateway, path: str = ""):
    """List a folder of the workspace, with the files' sizes in bytes.

    path: the folder; nothing for the workspace itself
    """
    folder = workspace_files.place(gateway, path) if path else gateway.config.model.workspace
    rows = []
    for entry in sorted(os.ilistdir(folder)):
        name = entry[0]
        if entry[1] & 0x4000:
            rows.append(name + "/")
        else:
            rows.append("%s %d" % (name, os.stat(folder + "/" + name)[6]))
    return "\n".join(rows) or "empty"

"""Replaces a file so that a crash can't leave half of it. Memory: imported only to write the config."""

import os


def write_atomic(path, data):
    """Replace the file at `path` by `data`, bytes or what yields them: whatever happens, it holds the old or the new.

    OSError when it can't be done; the old file is then unharmed. On Unix the new one can be read
    by its owner only, since the config holds the token.
    """
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        if hasattr(os, "putenv"):  # Unix: MicroPython has no chmod
            os.putenv("COPEPOD_FILE", temporary)
            os.system('chmod 600 "$COPEPOD_FILE"')
        for part in data if hasattr(data, "send") else (data,):
            file.write(part)
        file.flush()  # fsync() on Unix; littlefs commits at close
    if hasattr(os, "sync"):
        os.sync()
    os.rename(temporary, path)  # atomic on littlefs, too

"""Files that tests write: in a folder of a test's own, or in build/."""

import binascii
import os


def scratch(test):
    """Decorate a test: it is called with the path of an empty folder that goes away afterwards."""

    def run():
        name = "copepod-" + binascii.hexlify(os.urandom(6)).decode()
        folder = (os.getenv("TMPDIR") or "/tmp") + "/" + name
        os.mkdir(folder)
        try:
            test(folder)
        finally:
            for name in os.listdir(folder):
                os.remove(folder + "/" + name)
            os.rmdir(folder)

    return run


def written(path, content):
    """Write a file below build/, which a fresh clone does not have."""
    try:
        os.stat("build")
    except OSError:
        os.mkdir("build")
    with open(path, "wb") as file:
        file.write(content)

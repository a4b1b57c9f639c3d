"""Runs one device test file under MicroPython: micropython tests/device/run.py tests/device/test_x.py [name].

Every function test_* is called; the last line counts them. An exception is printed and ends with status 1.
"""

import sys


def main(path, only):
    module = {"__name__": path, "__file__": path}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), module)
    names = sorted(name for name in module if name.startswith("test_") and only in name)
    for name in names:
        print(name)
        module[name]()
    print("%d passed" % len(names))


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")

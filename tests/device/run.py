"""Runs one device test file under MicroPython: micropython tests/device/run.py tests/device/test_x.py [part of a name].

Each function test_* is called with a fresh event loop; the last line counts them. Ends with status 1 if one failed.
A test named in its file's SOURCE_ONLY is left out on the tree for boards: it loads anew what is joined there, or has
names in strings.
"""

import asyncio
import gc
import os
import sys


def main(path, part=""):
    folder, file = path.rsplit("/", 1)
    sys.path.insert(0, folder)
    module = __import__(file.split(".")[0])
    gc.threshold(-1)  # arena.py, which a joined file loads, sets it for loading
    passed = failed = 0
    left_out = getattr(module, "SOURCE_ONLY", ()) if os.getenv("COPEPOD_TREE") == "shipped" else ()
    for name in sorted(dir(module)):
        if name.startswith("test_") and part in name and name not in left_out:
            print(name)
            asyncio.new_event_loop()
            gc.collect()  # what the test before left is no load of this one
            try:
                getattr(module, name)()
                passed += 1
            except Exception as error:
                sys.print_exception(error)
                failed += 1
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


main(*sys.argv[1:])

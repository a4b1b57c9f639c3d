"""Under CPython pytest runs the device tests marked PURE = True, from the same files; the others need MicroPython."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

for folder in (HERE, HERE.parents[1] / "firmware", HERE / "cpython"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_ignore_collect(collection_path, config):
    if (
        collection_path.name.startswith("test_")
        and "\nPURE = True\n" not in collection_path.read_text()
    ):
        return True
    return None

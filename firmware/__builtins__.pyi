"""For the type check only: names that annotations use without import, since MicroPython has no typing.

Quote them ("Any"): CPython, which runs the pure modules' tests, evaluates annotations.
"""

from typing import Any as Any

"""The device's end of the fuzzing: cases from stdin, one verdict for all. Memory: the largest case.

Each case is its length in four bytes, then itself. A fault is a line, "FAULT <number> <what>"; the
last line is "done <number of cases> <how many were good>".
"""

import sys


def run(check):
    """check(data, number) for every case: whether it was a good one; what it raises is a fault."""
    stdin = sys.stdin.buffer
    number = good = 0
    while True:
        head = stdin.read(4)
        if not head:
            break
        data = stdin.read(int.from_bytes(head, "big"))
        if number % 100 == 0:
            print("at", number)
        try:
            good += bool(check(data, number))
        except Exception as error:
            print("FAULT", number, type(error).__name__, repr(str(error)))
            sys.print_exception(error)
        number += 1
    print("done", number, good)

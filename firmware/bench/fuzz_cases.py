"""The device's end of the fuzzing: cases from stdin, one verdict for all. Memory: room for the largest case, made once.

Each case is its length in four bytes, then itself. A fault is a line, "FAULT <number> <what>"; the
last line is "done <number of cases> <how many were good>".
"""

import sys


ROOM_B = 1 << 20  # a larger case is cut


def run(check):
    """check(data, number) for every case: whether it was a good one; what it raises is a fault."""
    stdin = sys.stdin.buffer
    room = memoryview(bytearray(ROOM_B))
    number = good = 0
    while True:
        head = stdin.read(4)
        if not head:
            break
        data = room[: min(ROOM_B, int.from_bytes(head, "big"))]
        at = 0
        while at < len(data):
            at += stdin.readinto(data[at:]) or 0
        if number % 100 == 0:
            print("at", number)
        try:
            good += bool(check(data, number))
        except Exception as error:
            print("FAULT", number, type(error).__name__, repr(str(error)))
            sys.print_exception(error)
        number += 1
    print("done", number, good)

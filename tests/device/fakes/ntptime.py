"""Fake `ntptime`: servers that answer, stay silent, answer nonsense or the wrong day.

Like the real one it blocks, has `host` and `timeout` as module variables and raises OSError.
`answers` maps a host to seconds in the port's epoch, or to an exception.
"""

from fakes.world import world

host = "pool.ntp.org"
timeout = 1
answers = {}
asked = []


def time():
    """Ask `host`."""
    asked.append(host)
    answer = answers.get(host)
    if answer is None:
        world.pass_ms(timeout * 1000)
        raise OSError(116)  # ETIMEDOUT
    world.pass_ms(40)
    if isinstance(answer, Exception):
        raise answer
    return answer


def settime():
    """Set the clock to whatever `host` answers: unchecked, so nobody should use this."""
    raise AssertionError("settime() sets the clock before anyone can look at the answer")


def power_on():
    """Begin anew."""
    global host, timeout
    host = "pool.ntp.org"
    timeout = 1
    answers.clear()
    asked.clear()

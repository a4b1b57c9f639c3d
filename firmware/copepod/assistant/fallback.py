"""When a model fails: which other one is asked in its place. Memory: dropped after use.

Only while nothing of an answer has come, and before a tool was run in the turn: nothing is paid for twice. A model that
has failed is passed over for a while, as PicoClaw does.
"""

from time import time

from micropython import const

from copepod.log import log

_REST_S = const(300)


def begin(asking):
    """A turn begins with the first of its models that has not just failed."""
    first = asking.endpoint
    for endpoint in (first,) + first.fallbacks:
        if not rests(endpoint):
            if endpoint is not first:
                asking.endpoint = endpoint
                asking.instead = "%s has just failed." % first.label
            return


def other(asking, said):
    """The model has failed, `said` says how: True when another one is asked now."""
    failed = asking.endpoint
    asking.tried.append(failed)
    first = asking.model.endpoint
    left = [each for each in (first,) + first.fallbacks if each not in asking.tried]
    awake = [each for each in left if not rests(each)]
    failed.failed_s = int(time()) or 1
    if not left:
        return False
    asking.release()
    asking.http = None  # it was for another host
    asking.endpoint = (awake or left)[0]
    before = asking.instead + " " if asking.instead else ""
    asking.instead = "%s%s: %s" % (before, failed.label, said)
    log("model", failed.label, " has failed, asking ", asking.endpoint.label)
    return True


def rests(endpoint):
    """Whether it has just failed."""
    return bool(endpoint.failed_s) and 0 <= int(time()) - endpoint.failed_s < _REST_S

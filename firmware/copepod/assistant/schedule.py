"""The jobs of the tool cron, in PicoClaw's file and form, and when each is due. Memory: dropped after use; one job.

cron/jobs.json is `{"version":1,"jobs":[`, then a job on each line. One that was brought from elsewhere is written so
once. Times in it are ms of Unix's epoch; here seconds of it, where the name ends in unix_s.
"""

import json
import os
from binascii import crc32
from time import gmtime, time

from micropython import const

from copepod.log import log
from copepod.net import clock
from copepod.once import forget
from copepod.received import Received

JOBS = const(16)
_HEAD = '{"version":1,"jobs":['
_EPOCH_2000_S = const(946684800)
_LATE_S = const(3600)  # what comes again is passed over then
_TRIES = const(2)
_LOOK_S = const(600)  # at least so often: the clock may be set
_BUSY_S = const(10)
_IDS_FROM = const(1 << 40)  # no update of Telegram's has such a number
_FILE_B = const(2000)


def look(gateway, ticker):
    """Put the first thing that is due into the queue of messages; returns when to look again, in ms."""
    if time() < clock.earliest_s():
        forget("copepod.net.clock")
        return _BUSY_S * 1000
    forget("copepod.net.clock")
    model = gateway.config.model
    now_s = unix_s()
    first = None
    first_s = now_s + _LOOK_S
    for job in jobs(model):
        if job.get("enabled"):
            at_s = _due(gateway, job, now_s)
            if at_s is not None and at_s < first_s:
                first_s = at_s
                first = job
    if first is not None and first_s <= now_s:
        return _begin(gateway, ticker, first, first_s, now_s)
    if model.heartbeat_s:
        if ticker.beat_s is None:
            ticker.beat_s = now_s + model.heartbeat_s
        if ticker.beat_s <= now_s:
            if is_busy(gateway, ticker.current):
                return _BUSY_S * 1000
            ticker.beat_s = now_s + model.heartbeat_s
            if gateway.access.ids and unchecked(model):
                ticker.current = _message(gateway.access.ids[0], "", _IDS_FROM + now_s)
                gateway.bus.inbound.put(ticker.current)
        first_s = min(first_s, ticker.beat_s)
    return max(first_s - now_s, 1) * 1000


def _begin(gateway, ticker, job, at_s, now_s):
    # A job is due. It is tried twice, if a crash cuts it; what was paid for then is not asked for again.
    model = gateway.config.model
    state = job["state"]
    tries = state.get("tries", 0)
    if tries >= _TRIES:
        log("assistant", "job ", job["id"], " has failed twice")
        ended(gateway, job, "error")
        return 0
    if now_s - at_s > _LATE_S and job["schedule"].get("kind") != "at":
        state["nextRunAtMs"] = _ms(_next(gateway, job, now_s))
        change(model, job["id"], job)
        return 0
    if is_busy(gateway, ticker.current) or not gateway.bus.inbound.room():
        return _BUSY_S * 1000
    state["nextRunAtMs"] = at_s * 1000
    state["tries"] = tries + 1
    change(model, job["id"], job)
    chat_id = chat_of(gateway, job)
    if chat_id is None:
        return 0
    number = _IDS_FROM + ((crc32(job["id"].encode()) ^ at_s) & 0x7FFFFFFF)
    ticker.current = _message(chat_id, job["id"], number)
    gateway.bus.inbound.put(ticker.current)
    return _LOOK_S * 1000


def _message(chat_id, job_id, number):
    made = Received()
    made.update_id = number
    made.kind = "callback"  # clock.py has its handler
    made.text = "scheduled:" + job_id
    made.chat_id = chat_id
    made.sender_id = 0
    made.acknowledged = True
    return made


def is_busy(gateway, msg):
    """Whether `msg` is on its way, or being worked on."""
    if msg is None:
        return False
    worker = gateway.worker
    if worker.msg is msg or msg in gateway.bus.inbound.ring:
        return True
    for entry in worker.asides:
        if entry[0] is msg:
            return True
    return False


def chat_of(gateway, job):
    """The chat that a job is for: its own, else the owner's; None if there is none."""
    payload = job["payload"]
    ids = gateway.access.ids
    try:
        chat_id = int(payload.get("to"))
        if payload.get("channel") == "telegram" and (
            chat_id < 0 or gateway.access.open or chat_id in ids
        ):
            return chat_id
    except (TypeError, ValueError):
        pass
    return ids[0] if ids else None


def ended(gateway, job, status):
    """A job was done: it is due again as it says, or never."""
    now_s = unix_s()
    state = job["state"]
    state.pop("tries", None)
    state["lastRunAtMs"] = now_s * 1000
    state["lastStatus"] = status
    if job["schedule"].get("kind") == "at":
        job["enabled"] = False
        state["nextRunAtMs"] = None
        if job.get("deleteAfterRun"):
            change(gateway.config.model, job["id"], None)
            return
    else:
        state["nextRunAtMs"] = _ms(_next(gateway, job, now_s))
    change(gateway.config.model, job["id"], job)


# Times -------------------------------------------------------------------------------------------


def unix_s():
    """Now, in seconds of Unix's epoch."""
    return int(time()) + _epoch_s()


def _epoch_s():
    return _EPOCH_2000_S if gmtime(0)[0] == 2000 else 0


def _ms(at_s):
    return None if at_s is None else at_s * 1000


def local(gateway, at_s):
    """That time by the clock of the config's `tz`, as text."""
    at_s -= _epoch_s()
    found = gmtime(at_s + _offset(gateway, at_s))
    return "%04d-%02d-%02d %02d:%02d:%02d" % found[:6]


def _offset(gateway, at_s):
    zone = gateway.config.tz
    if zone is None:
        return 0
    from copepod import tz

    found = tz.span(zone, at_s)[2]
    forget("copepod.tz")
    return found


def _due(gateway, job, now_s):
    # When it is due; None: never.
    at = job["state"].get("nextRunAtMs")
    if type(at) is int:
        return at // 1000
    at_s = _next(gateway, job, now_s)
    if at_s is not None:
        job["state"]["nextRunAtMs"] = at_s * 1000
        change(gateway.config.model, job["id"], job)
    return at_s


def _next(gateway, job, now_s):
    # When it is due after now; None: never, which is logged.
    schedule = job["schedule"]
    try:
        kind = schedule.get("kind")
        if kind == "at":
            return schedule["atMs"] // 1000
        if kind == "every":
            every_s = max(schedule["everyMs"] // 1000, 1)
            last = job["state"].get("nextRunAtMs")
            at_s = (last // 1000 if type(last) is int else now_s) + every_s
            return at_s if at_s > now_s else now_s + every_s
        return cron_next(gateway, schedule["expr"], now_s)
    except (KeyError, TypeError, ValueError) as error:
        log("assistant", "job ", job["id"], " is never due: ", error)
        return None


def cron_next(gateway, expression, now_s):
    """When five fields are met next; ValueError when they are wrong, or never met."""
    from copepod import crontab

    forget("copepod.crontab")
    now_s -= _epoch_s()
    before_s = _offset(gateway, now_s)
    minute = crontab.following(crontab.cron(expression), (now_s + before_s) // 60)
    at_s = minute * 60 - before_s
    after_s = _offset(gateway, at_s)
    if (
        after_s != before_s
    ):  # daylight saving begins or ends till then; a time that it skips is in the hour after it
        other_s = minute * 60 - after_s
        if other_s > now_s and _offset(gateway, other_s) == after_s:
            at_s = other_s
    return at_s + _epoch_s()


# The file ----------------------------------------------------------------------------------------


def path(model):
    """Where the jobs are."""
    return model.workspace + "/cron/jobs.json"


def jobs(model):
    """Generator: one job after the other, each with a state."""
    try:
        file = open(path(model))
    except OSError:
        return
    with file:
        own = file.readline().strip() == _HEAD
        if own:
            for line in file:
                job = _job(line)
                if job is not None:
                    yield job
    if not own:
        for job in _adopt(model):
            yield job


def _job(line):
    line = line.strip()
    if line[:1] != "{":
        return None
    try:
        return json.loads(line[:-1] if line[-1] == "," else line)
    except ValueError:
        return None


def _adopt(model):
    # PicoClaw's own file: what of it can be used, written as ours.
    with open(path(model)) as file:
        found = json.load(file)
    kept = []
    for job in (
        found.get("jobs") if type(found) is dict and type(found.get("jobs")) is list else ()
    ):
        try:
            job["id"] = str(job["id"])
            if type(job["schedule"]) is dict and type(job["payload"]["message"]) is str:
                job["state"] = {}
                kept.append(job)
        except (KeyError, TypeError):
            pass
    _write(model, iter(kept[:JOBS]))
    return kept[:JOBS]


def change(model, job_id, job):
    """Replace the job of this id, or drop it when `job` is None; True if there was one."""
    found = [False]
    _write(model, _changed(model, job_id, job, found))
    return found[0]


def _changed(model, job_id, job, found):
    for each in jobs(model):
        if each["id"] != job_id:
            yield each
        else:
            found[0] = True
            if job is not None:
                yield job


def add(model, job):
    """Add a job; its number, as text, or ValueError when there are too many."""
    taken = [each["id"] for each in jobs(model)]
    if len(taken) >= JOBS:
        raise ValueError("there are %d jobs, which is the most" % JOBS)
    number = 1
    while str(number) in taken:
        number += 1
    job["id"] = str(number)
    for folder in (model.workspace, model.workspace + "/cron"):
        try:
            os.mkdir(folder)
        except OSError:
            pass
    _write(model, _added(model, job))
    return job["id"]


def _added(model, job):
    for each in jobs(model):
        yield each
    yield job


def _write(model, found):
    from copepod.platform import files

    forget("copepod.platform.files")
    files.write_atomic(path(model), _lines(found))


def _lines(found):
    yield _HEAD.encode()
    comma = b"\n"
    for job in found:
        yield comma
        yield json.dumps(job).encode()
        comma = b",\n"
    yield b"\n]}\n"


# The heartbeat -----------------------------------------------------------------------------------


def unchecked(model):
    """What HEARTBEAT.md says, if anything in it is to be done, else "".

    That is an item of a list that is not checked: `- [ ] water`, `- water`. Where a line ends in "below this line:",
    as PicoClaw's template has it, only what follows counts.
    """
    try:
        with open(model.workspace + "/HEARTBEAT.md", "rb") as file:
            data = file.read(_FILE_B)
    except OSError:
        return ""
    from copepod.net import json_text

    text = json_text.text(data, 0, len(data), len(data), True)
    at = text.find("below this line:")
    for line in text[max(at, 0) :].split("\n"):
        line = line.strip()
        mark, _, item = line.partition(" ")
        if not (mark in ("-", "*", "+") or mark[-1:] in (".", ")") and mark[:-1].isdigit()):
            continue
        item = item.strip()
        if item[:3] in ("[x]", "[X]"):
            continue
        if item[3:].strip() if item[:3] == "[ ]" else item:
            return text
    return ""

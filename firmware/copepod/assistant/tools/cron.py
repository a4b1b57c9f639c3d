"""The tool cron. Memory: dropped after use."""

from copepod.assistant import schedule

_MESSAGE_B = 500
_LONGEST_S = 31622400


def run(
    gateway,
    action: str,
    message: str = "",
    at_seconds: int = 0,
    every_seconds: int = 0,
    cron_expr: str = "",
    job_id: str = "",
    deliver: bool = True,
):
    """Schedule reminders and tasks. You must call this when somebody wants to be reminded, or something done later.

    action: add, list, remove, enable or disable
    message: with add, the reminder or the task, at most 500 bytes
    at_seconds: with add, once, so many seconds from now, such as 600 for in 10 minutes
    every_seconds: with add, again and again, such as 7200 for every 2 hours
    cron_expr: with add, by the clock: minute hour day-of-month month day-of-week, such as 0 9 * * 1-5
    job_id: with remove, enable and disable
    deliver: true sends the message as it is; false gives it to you as a task when it is due
    """
    model = gateway.config.model
    if action == "list":
        rows = []
        for job in schedule.jobs(model):
            if _is_mine(gateway, job):
                rows.append(_told(gateway, job))
        return "\n".join(rows) or "there are no jobs"
    if action == "add":
        return _add(gateway, message, at_seconds, every_seconds, cron_expr, deliver)
    if action not in ("remove", "enable", "disable"):
        raise ValueError("action: add, list, remove, enable or disable")
    job_id = str(job_id)
    job: "Any" = None
    for each in schedule.jobs(model):
        if each["id"] == job_id and _is_mine(gateway, each):
            job = each
    if job is None:
        raise ValueError("there is no job %s" % job_id)
    if action == "remove":
        schedule.change(model, job_id, None)
        return "job %s is removed" % job_id
    job["enabled"] = action == "enable"
    job["state"]["nextRunAtMs"] = None
    schedule.change(model, job_id, job)
    _wake()
    return "job %s is %sd" % (job_id, action)


def _is_mine(gateway, job):
    # Another chat's jobs are nobody's business but the owner's.
    chat_id = gateway.worker.msg.chat_id
    return schedule.chat_of(gateway, job) == chat_id or gateway.access.ids[:1] == [chat_id]


def _add(gateway, message, at_seconds, every_seconds, cron_expr, deliver):
    if type(message) is not str or not 0 < len(message.encode()) <= _MESSAGE_B:
        raise ValueError("message: a text of at most %d bytes" % _MESSAGE_B)
    if type(deliver) is not bool:
        raise ValueError("deliver: true or false")
    now_s = schedule.unix_s()
    if at_seconds:  # models fill in what they do not mean, with zeros
        at_s = now_s + _seconds("at_seconds", at_seconds, 1)
        planned = {"kind": "at", "atMs": at_s * 1000}
    elif every_seconds:
        every_s = _seconds("every_seconds", every_seconds, 60)
        at_s = now_s + every_s
        planned = {"kind": "every", "everyMs": every_s * 1000}
    elif cron_expr:
        at_s = schedule.cron_next(gateway, str(cron_expr), now_s)
        planned = {"kind": "cron", "expr": cron_expr}
    else:
        raise ValueError("one of at_seconds, every_seconds and cron_expr is needed")
    payload = {"kind": "agent_turn", "message": message, "deliver": deliver}
    payload["channel"] = "telegram"
    payload["to"] = str(gateway.worker.msg.chat_id)
    job = {
        "id": "",
        "name": message[:30],
        "enabled": True,
        "schedule": planned,
        "payload": payload,
    }
    job["state"] = {"nextRunAtMs": at_s * 1000}
    job["createdAtMs"] = job["updatedAtMs"] = now_s * 1000
    job["deleteAfterRun"] = planned["kind"] == "at"
    number = schedule.add(gateway.config.model, job)
    _wake()
    return "job %s is added, first due %s" % (number, schedule.local(gateway, at_s))


def _seconds(name, value, least):
    if type(value) is not int or not least <= value <= _LONGEST_S:
        raise ValueError("%s: a whole number from %d on, a year at most" % (name, least))
    return value


def _told(gateway, job):
    planned = job["schedule"]
    kind = planned.get("kind")
    when = planned.get("expr", "") if kind == "cron" else "once"
    if kind == "every":
        when = "every %d s" % (planned.get("everyMs", 0) // 1000)
    at = job["state"].get("nextRunAtMs")
    return "%s: %s (%s, %s%s)" % (
        job["id"],
        job["payload"]["message"][:60],
        when,
        "next " + schedule.local(gateway, at // 1000) if at else "not due",
        "" if job.get("enabled") else ", disabled",
    )


def _wake():
    from copepod.assistant import clock

    clock.wake()

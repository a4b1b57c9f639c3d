"""Does what is due: a job's text is sent, or the model is asked. Memory: dropped after use, as a turn is.

A model that has nothing to tell says HEARTBEAT_OK, as PicoClaw's does, and then nothing is sent.
"""

from copepod.assistant import forget_asking
from copepod.log import log
from copepod.once import forget

_SILENT = "HEARTBEAT_OK"
_JOB = (
    "[The job %s is due: %s. Nobody has written this now. Do what it says and tell what came of it."
    " If there is nothing to tell, answer HEARTBEAT_OK and nothing else.]\n\n%s"
)
_BEAT = (
    "[This is a heartbeat, at %s. Nobody has written this now. These are the tasks in HEARTBEAT.md: do what is to be"
    " done now, and check off what is done for good. If there is nothing to tell, answer HEARTBEAT_OK and nothing"
    " else.]\n\n%s"
)


async def run(msg, ticker):
    """Do what `msg` stands for; what a clock has put into the queue."""
    gateway = msg.gateway
    job_id = msg.args
    if not job_id:
        question = _question_of_heartbeat(gateway)
        if question:
            msg.text = question
            await _ask(msg, "heartbeat")
        return
    job = _job(gateway, job_id)
    if job is None:
        return  # it was removed meanwhile
    payload = job["payload"]
    if payload.get("deliver"):
        await msg.answer(payload["message"])
    else:
        name = job.get("name") or job_id
        msg.text = _JOB % (name, _now(gateway), payload["message"])
        payload = None
        job = None  # while the model talks
        await _ask(msg, None)
        job = _job(gateway, job_id)
    if job is not None:
        _schedule().ended(gateway, job, "ok")


async def _ask(msg, key):
    answer: "Any" = await _turn(msg, key)
    forget_asking()
    if isinstance(answer, tuple):  # a question and its buttons: the press goes on
        await msg.answer(answer[0], answer[1])
        return
    if isinstance(answer, str):  # there was no turn
        log("assistant", "not done: ", answer)
        if key is None:
            await msg.answer(answer)
        return
    try:
        if key is not None and answer.failed:
            log("assistant", "the heartbeat has failed: ", answer.failed)
        elif not await _is_silent(answer):
            await msg.answer(answer)
    finally:
        answer.close()


async def _is_silent(answer):
    # Whether that is all it says. What was read is read again, unless it is.
    said = ""
    async for part in answer:
        said += part
        if len(said) > 2 * len(_SILENT):
            break
    answer.again()
    return said.strip(" \n*_`.") == _SILENT


def _turn(msg, key):
    from copepod.assistant import turn

    forget("copepod.assistant.turn")
    return turn.run(msg, key)


def _schedule():
    from copepod.assistant import schedule

    forget("copepod.assistant.schedule")
    return schedule


def _job(gateway, job_id):
    for job in _schedule().jobs(gateway.config.model):
        if job["id"] == job_id:
            return job
    return None


def _now(gateway):
    schedule = _schedule()
    return schedule.local(gateway, schedule.unix_s())


def _question_of_heartbeat(gateway):
    text = _schedule().unchecked(gateway.config.model)
    return _BEAT % (_now(gateway), text) if text else ""

"""Who am I: the first call after start, and what the record says. Memory: dropped after it."""

import asyncio

from micropython import const

from copepod import messages
from copepod.log import log
from copepod.once import forget
from copepod.platform import record
from copepod.telegram import methods

_ID = const(5)  # places of the values of telegram/schema.py
_USERNAME = const(6)
_STEP_S = const(1)
_BESIDE = const(112)  # place in the record, see kept_offsets.py
_BESIDE_CHECK = const(126)


async def greet(channel):
    """Ask getMe and go on where this bot stopped.

    Stop when the token is refused; otherwise only what a new connection may mend is raised.
    """
    call = channel.api
    http = call.http
    call.begin(methods.GET_ME)
    call.text(b"{}")
    await http.flush()
    call.answered(await http.response(methods.ANSWER_MS))
    while await http.fill():
        call.read()
    if not call.result():
        raise OSError("flood limit on the first call")
    bot_id = call.reader.values[_ID]  # the reader's fields are the next answer's soon
    gateway = channel.gateway
    call.reader.bot_id = bot_id
    call.reader.at_name = "@" + (call.reader.values[_USERNAME] or "").lower()
    log("telegram", "I am @", call.reader.values[_USERNAME])
    gateway.telemetry.frame("connected", True)
    channel.offsets.answered = record.last_id_load(bot_id)
    if record.good(_BESIDE, _BESIDE_CHECK, _BESIDE_CHECK):  # a path in a string leaves no name to the others
        __import__("copepod.telegram.beside", None, None, ("load",)).load(channel)
    gate = gateway.access
    if gate.open:
        log("access", 'allow_from is ["*"]: anyone may talk to this bot')
    if not gate.allow:
        from copepod.pairing import Pairing

        channel.pairing = Pairing(gate, gateway.config.path, gateway.telemetry)
    from copepod.platform import last_error

    problem = last_error.load()
    owner = gate.ids[0] if gate.ids else None
    if problem is not None and owner is not None:
        asyncio.create_task(_report(gateway, owner, problem))
    else:
        forget("copepod.platform.last_error")


async def _report(gateway, owner, problem):
    # Through the queue like any answer; forgotten once it was said, or can't be.
    from copepod.platform import last_error

    while not gateway.channel.steady:
        await asyncio.sleep(_STEP_S)
    try:
        await gateway.send(owner, "I was restarted after an error:\n```\n%s\n```" % problem)
    except messages.AnswerRefused as error:
        log("telegram", "the owner can't be told: ", error)
    last_error.store("")
    forget("copepod.platform.last_error")

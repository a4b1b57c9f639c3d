"""What is said once after start: who am I, the commands for the menu, the last error. Memory: dropped after it."""

from copepod import commands
from copepod.log import log
from copepod.once import forget
from copepod.platform import record
from copepod.telegram import api


async def greet(channel):
    """Make the first calls for `channel`; returns the id of the last answered update, or None.

    Stop when the token is refused; otherwise only what a new connection may mend is raised.
    """
    call = channel.api
    call.begin(api.GET_ME)
    call.text(b"{}")
    if not await _finish(call):
        raise OSError("flood limit on the first call")
    answer = call.reader
    call.reader.bot(answer.id, answer.username)
    log("telegram", "I am @", answer.username)
    channel.gateway.telemetry.frame("connected", True)
    await _set_commands(call)
    gate = channel.gateway.access
    if gate.open:
        log("access", 'allow_from is ["*"]: anyone may talk to this bot')
    await _report(call, gate.owner())
    return record.last_id_load(answer.id)


async def _finish(call):
    # What the channel does without a coroutine for it.
    http = call.http
    await http.flush()
    call.answered(await http.response(api.ANSWER_MS))
    while await http.fill():
        call.read()
    return call.result()


def _escaped(call, text):
    data = memoryview(text)
    call.run(data, 0, len(data))


async def _set_commands(call):
    call.begin(api.SET_COMMANDS)
    call.text('{"commands":[')
    first = True
    for name, line in commands.listed():
        call.text('{"command":"' if first else ',{"command":"')
        call.text(name)
        call.text('","description":"')
        _escaped(call, line or name)
        call.text('"}')
        first = False
    forget("copepod.commands")
    call.text("]}")
    try:
        await _finish(call)
    except api.Refused as error:
        log("telegram", "setMyCommands: ", error)


async def _report(call, owner):
    from copepod.platform import last_error

    problem = last_error.load()
    if problem is None or owner is None:
        forget("copepod.platform.last_error")
        return
    call.begin(api.SEND_MESSAGE)
    call.text('{"chat_id":')
    call.number(owner)
    call.text(',"text":"')
    _escaped(call, "I was restarted after an error: " + problem)
    call.text('"}')
    try:
        await _finish(call)
    except api.Refused as error:
        log("telegram", "the owner can't be told: ", error)
    last_error.store("")
    forget("copepod.platform.last_error")

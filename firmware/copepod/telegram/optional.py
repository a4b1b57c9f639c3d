"""Calls that only decorate: the chat action, the answer to a pressed button, the menu. Memory: dropped after each."""

from time import ticks_add, ticks_ms

from micropython import const

from copepod.once import forget
from copepod.telegram import api

_TYPING_AGAIN_MS = const(4000)


def write(channel, method):
    """Write the request of such a call."""
    call = channel.api
    call.begin(method)
    if method == api.SEND_ACTION:
        channel.typing_at = ticks_add(ticks_ms(), _TYPING_AGAIN_MS)
        msg = channel.gateway.worker.msg
        call.text(b'{"action":"typing","chat_id":')
        call.number(msg.chat_id)
        if msg.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(msg.thread_id)
        call.text(b"}")
    elif method == api.ANSWER_CALLBACK:
        call.text(b'{"callback_query_id":"')
        call.escaped(channel.callbacks[0])
        call.text(b'"}')
    else:
        _write_commands(call)


def _write_commands(call):
    from copepod import commands

    call.text('{"commands":[')
    first = True
    for name, line in commands.listed():
        call.text('{"command":"' if first else ',{"command":"')
        call.text(name)
        call.text('","description":"')
        call.escaped(line or name)
        call.text('"}')
        first = False
    call.text("]}")
    forget("copepod.commands")

"""Calls that only decorate: a chat action, a draft, the answer to a press, the menu. Memory: dropped after it."""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.once import forget
from copepod.telegram import methods

_TYPING_AGAIN_MS = const(4000)
_MENU_TRIES = const(5)
_MENU_S = const(60)  # after the first try; twice as long each time


def next_method(channel):
    """Such a call that may be made now, or None; channel.wait_ms is no longer than until the next one may."""
    for method, due_ms in (
        (methods.ANSWER_CALLBACK, _presses().due_ms(channel) if channel.callbacks else None),
        (methods.SEND_DRAFT, _draft_due(channel)),
        (methods.SEND_ACTION, _typing_due(channel)),
        (methods.SET_COMMANDS, _menu_due(channel)),
    ):
        if due_ms is not None:
            due_ms = max(due_ms, channel.api.held_ms(methods.METHODS[method]))
            channel.wait_ms = min(channel.wait_ms, due_ms)
            if not due_ms:
                return method
    return None


def _typing_due(channel):
    # ms until the next chat action is due, None when no handler is at work.
    worker = channel.gateway.worker
    msg = worker.msg
    if msg is None or msg.kind == "callback" or not worker.handling:
        return None
    if _draft(channel) is not None:
        return None  # which says as much
    if channel.typing_since != worker.since_ms:  # what is noted is of the message before
        channel.typing_since = worker.since_ms
        channel.typing_at = ticks_add(worker.since_ms, channel.TYPING_MS)
    if channel.typing_at is None:
        return None
    return max(0, ticks_diff(channel.typing_at, ticks_ms()))


def _draft(channel):
    # What the assistant's answer is so far, where there are drafts: see assistant/drafts.py.
    model = channel.gateway.config.model
    return None if model is None else model.draft


def _draft_due(channel):
    # ms until the next draft, None when there is none. None goes while a flood limit holds its chat.
    draft = _draft(channel)
    if not draft or not channel.gateway.worker.handling:
        return None
    return max(draft.due_ms(), channel.api.held_ms(draft.msg.chat_id))


def _menu_due(channel):
    # ms until the menu of commands may be set, None when it is, or was tried often enough.
    if channel.menu_at is None:
        return None
    return max(0, ticks_diff(channel.menu_at, ticks_ms()))


def accepted(channel, method):
    """Telegram has accepted such a call, or refused it for good, see refused()."""
    if method == methods.ANSWER_CALLBACK:
        channel.callbacks.pop(0)
    elif method == methods.SET_COMMANDS:
        channel.menu_at = None
    elif method == methods.SEND_DRAFT and _draft(channel):
        _draft(channel).shown_ms = ticks_ms()  # a slow server is given its time


def failed(channel, method):
    """Such a call did not work out: it is tried again later, or never."""
    if method == methods.SET_COMMANDS:
        channel.menu_tries += 1
        channel.menu_at = None
        if channel.menu_tries < _MENU_TRIES:
            channel.menu_at = ticks_add(ticks_ms(), (_MENU_S << channel.menu_tries - 1) * 1000)
    elif method == methods.SEND_ACTION:
        channel.typing_at = None
    elif method == methods.SEND_DRAFT:
        channel.gateway.config.model.draft = None  # in this turn
    else:
        channel.callbacks.pop(0)


def refused(channel, method, error):
    """Telegram refuses such a call for good."""
    if method == methods.SEND_DRAFT:
        log("telegram", "sendMessageDraft: ", error)
        channel.gateway.config.model.draft = None
        channel.gateway.config.model.drafts = False
        return
    if method == methods.SET_COMMANDS:
        log("telegram", "setMyCommands: ", error)
    accepted(channel, method)


def write(channel, method):
    """Write the request of such a call."""
    call = channel.api
    call.begin(method)
    if method == methods.SEND_ACTION:
        channel.typing_at = ticks_add(ticks_ms(), _TYPING_AGAIN_MS)
        msg = channel.gateway.worker.msg
        call.text(b'{"action":"typing","chat_id":')
        call.number(msg.chat_id)
        if msg.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(msg.thread_id)
        call.text(b"}")
    elif method == methods.SEND_DRAFT:
        _draft(channel).write(call)
    elif method == methods.ANSWER_CALLBACK:
        _presses().write(call, channel.callbacks[0])
    else:
        _write_commands(call)


def _presses():
    # Loaded for a press: it drops itself.
    from copepod.telegram import presses

    return presses


def _escaped(call, text):
    # A str inside a JSON string.
    data = memoryview(text)
    call.run(data, 0, len(data))


def _write_commands(call):
    from copepod import commands

    call.text(b'{"commands":[')
    first = True
    for name, line in commands.listed():
        call.text(b'{"command":"' if first else b',{"command":"')
        call.text(name)
        call.text(b'","description":"')
        _escaped(call, line or name)
        call.text(b'"}')
        first = False
    call.text(b"]}")
    forget("copepod.commands")

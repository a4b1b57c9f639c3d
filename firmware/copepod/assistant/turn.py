"""One turn: a question, rounds with the model and its tools, the answer. Memory: dropped after use, with all it loads.

The session's file is the state: each finished message is a line of it before anything else happens. A turn that a
crash has cut is taken up from there when its update comes again, and an answer that is complete is sent as it is.
"""

import os
import sys

from copepod.once import forget

_FOLDERS = ("", "/sessions", "/state", "/memory")


async def run(msg):
    """The answer to `msg`: a sentence, or an Answer, which is to be closed."""
    gateway = msg.gateway
    session = open_session(gateway, msg.chat_id)
    place = session.turn(msg.update_id)
    if place is None:
        said = _limit(gateway.config.model)
        if said is not None:
            return said
        place = session.end, session.end
        session.begin_turn(msg.update_id, gateway.config.model.history_tokens * 3)
    if place[0] == place[1]:
        place = session.end, session.end  # compacting moves it
        _write_question(session, msg)
        at = None
    else:
        at = _state(session, place)
    msg.discard()
    if at is None or at[1]:
        answer_at = await _rounds(gateway, msg, session, place[0], at)
    else:
        answer_at = at[0]
    from copepod.assistant.answer import Answer

    forget("copepod.assistant.answer")
    return Answer(session.path, answer_at)


def _limit(model):
    # The sentence to say in place of a turn, if there may be none. Like the others a function of its own, so that no
    # frame of a turn keeps a module.
    from copepod.assistant import limits

    forget("copepod.assistant.limits")
    return limits.begin(model)


def open_session(gateway, chat_id):
    """The Session of a chat; the workspace's folders are made if they are not there."""
    workspace = gateway.config.model.workspace
    for name in _FOLDERS:
        try:
            os.mkdir(workspace + name)
        except OSError:
            pass
    from copepod.assistant.session import Session

    forget("copepod.assistant.session")
    return Session(workspace + "/sessions", chat_id)


def _write_question(session, msg):
    # Out of the buffer, if it lies there: it is never a str then.
    line = session.line()
    line.write(b'{"role":"user","content":"')
    buffer = msg.buffer
    if buffer is None:
        data = memoryview(msg.text)
        line.write_json(data, 0, len(data))
    else:
        line.write_json(buffer.data, 0, buffer.size_b)
    line.write(b'"}')
    session.complete(line)


def _state(session, place):
    # What a turn has come to: (where the model's last line is, its calls, how many were answered, rounds); or None.
    from copepod.assistant.calls import Calls

    calls = Calls()
    last = None
    count = results = rounds = 0
    at, end = place
    with open(session.path, "rb") as file:
        while at < end:
            after = calls.at(file, at)
            if calls.role == "assistant":
                last = at
                count = calls.count
                results = 0
                rounds += 1
            elif calls.role == "tool":
                results += 1
            at = after
    forget("copepod.assistant.calls")
    return None if last is None else (last, count, results, rounds)


async def _rounds(gateway, msg, session, turn_at, state):
    # Ask and do what is asked for, until there is an answer; returns where its line is.
    asking = _asking(gateway, msg, session, turn_at)
    watch = []
    model = gateway.config.model
    lost = state is not None
    at, count, results, rounds = state or (0, 0, 0, 0)
    dropped = 0
    note = None
    try:
        while True:
            if count > results:
                if model.tls and "copepod.tools" in sys.modules:
                    asking.release()  # a tool of the bot's may send something
                if not await _run_tools(gateway, session, at, results, lost, dropped, watch):
                    note = "I have stopped: the model made the same call three times in a row."
            lost = False
            last = note is not None or rounds + 1 >= model.max_tool_iterations or asking.spent
            if last and note is None:
                if asking.spent:
                    note = "Today's %d tokens are used up." % model.tokens_per_day
                elif rounds > 1:
                    note = "I have stopped after %d rounds of tools." % rounds
            rounds += 1
            at = session.end
            if not await asking.round(not last, note):
                return at
            count = asking.stream.calls
            dropped = asking.stream.dropped
            results = 0
    finally:
        asking.release()


def _asking(gateway, msg, session, turn_at):
    from copepod.assistant.asking import Asking

    forget("copepod.assistant.asking")
    forget("copepod.assistant.stream")
    return Asking(gateway, msg, session, turn_at)


def _run_tools(gateway, session, at, first, lost, dropped, watch):
    from copepod.assistant import run_tools

    forget("copepod.assistant.run_tools")
    forget("copepod.assistant.calls")
    return run_tools.run(gateway, session, at, first, lost, dropped, watch)

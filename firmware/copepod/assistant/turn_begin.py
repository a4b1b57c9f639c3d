"""How a turn begins: whether it may, the question's line, or where a crash has cut it. Memory: dropped after use."""

import os

from copepod.assistant import history
from copepod.once import forget

forget("copepod.assistant.history")

_FOLDERS = ("", "/sessions", "/state", "/memory")


async def begin(msg, key):
    """(session, where the turn begins, what it has come to, what was decided: see confirming.pressed()).

    A sentence or None: there is no turn.
    """
    if msg.callback_id is not None and msg.text.startswith("confirm:"):
        return await _pressed(msg)
    session, turn_at, state = turn(msg, key)
    if session is None:
        return state
    msg.discard()
    return session, turn_at, state, (None, False)


def turn(msg, key=None):
    """(session, where the turn begins in it, what it has come to), or (None, None, a sentence): there is no turn.

    What it has come to: None, or (where the model's last line is, its calls, how many were answered, rounds).
    """
    model = msg.gateway.config.model
    session = open_session(model, key or msg.chat_id)
    place = history.turn(session, msg.update_id)
    if place is None:
        said = _limit(model)
        if said is not None:
            return None, None, said
        session.asks = key is None
        if key is not None:
            history.clear(session)
        else:
            _end_last(session, model)
        history.begin_turn(
            session, msg.update_id, model.history_tokens * 3, model.summarize_message_threshold
        )
        place = session.end, session.end
    if place[0] == place[1]:
        place = session.end, session.end
        _write_question(session, msg)
        return session, place[0], None
    return session, place[0], state_of(session, place)


def open_session(model, chat_id):
    """The Session of a chat, or of that name; the workspace's folders are made if they are not there."""
    for name in _FOLDERS:
        try:
            os.mkdir(model.workspace + name)
        except OSError:
            pass
    return history.session(model.workspace + "/sessions", chat_id)


async def _pressed(msg):
    # The turn goes on with a button.
    from copepod.assistant import confirming

    forget("copepod.assistant.confirming")
    session = open_session(msg.gateway.config.model, msg.chat_id)
    decision = await confirming.pressed(msg, session, history, state_of)
    if decision is None:
        return None
    place = session.turns[-1][1], session.end
    return session, place[0], state_of(session, place), decision


def _end_last(session, model):
    # The last turn may have failed in the middle: a model must not find calls without results, nor no answer.
    place = session.turns and history.turn(session, session.turns[-1][0])
    if not place or place[0] == place[1]:
        return
    state = state_of(session, place)
    if state is not None and not state[1]:
        return
    if state is not None:
        from copepod.assistant import run_tools
        from copepod.assistant.calls import Calls

        forget("copepod.assistant.run_tools")
        forget("copepod.assistant.calls")
        calls = Calls()
        for index in range(state[2], state[1]):
            with open(session.path, "rb") as file:
                calls.at(file, state[0], index)
            line = session.line()
            line.write(b'{"role":"tool","tool_call_id":"')
            call_id: "Any" = calls.call_id
            data = memoryview(call_id)
            line.write_json(data, 0, len(data))
            line.write(b'","content":"')
            said = b"error: cut short"
            if run_tools.asks_first(model, calls.name):
                said = b"declined by the user: something else was said"
            line.write(said)
            line.write(b'"}')
            session.complete(line)
    line = session.line()
    line.write(b'{"role":"assistant","content":"(I could not answer that.)"}')
    session.complete(line)


def _limit(model):
    from copepod.assistant import limits

    forget("copepod.assistant.limits")
    return limits.begin(model)


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


def state_of(session, place):
    """What the turn at `place` has come to, see turn()."""
    from copepod.assistant.calls import Calls

    forget("copepod.assistant.calls")
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
    return None if last is None else (last, count, results, rounds)

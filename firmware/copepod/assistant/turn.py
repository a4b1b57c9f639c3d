"""One turn: a question, rounds with the model and its tools, the answer. Memory: dropped after use, with all it loads.

The session's file is the state: each finished message is a line of it before anything else happens. A turn that a
crash has cut is taken up from there when its update comes again, and an answer that is complete is sent as it is.
"""

from copepod.once import forget


async def run(msg, key=None):
    """The answer to `msg`: a sentence, an Answer, which is to be closed, or a question and its buttons.

    `key`: a session that is no chat's. For the press of a button the turn goes on; None when there is nothing to say.
    """
    decision = None, False
    if msg.callback_id is not None and msg.text.startswith("confirm:"):
        begun = await _pressed(msg)
        if begun is None:
            return None
        session, turn_at, state, decision = begun
    else:
        session, turn_at, state = _begun(msg, key)
        if session is None:
            return state
        msg.discard()
    if state is None or state[1]:
        answer_at = await _rounds(msg.gateway, msg, session, turn_at, state, decision)
        if type(answer_at) is tuple:
            return answer_at
    else:
        answer_at = state[0]
    from copepod.assistant.answer import Answer

    forget("copepod.assistant.answer")
    made = Answer(session.path, answer_at)
    made.failed = session.failed
    return made


def _pressed(msg):
    from copepod.assistant import turn_begin

    forget("copepod.assistant.turn_begin")
    return turn_begin.pressed(msg, turn_begin)


def _begun(msg, key):
    # Like others a function of its own, so that no frame of the turn keeps the module.
    from copepod.assistant import turn_begin

    forget("copepod.assistant.turn_begin")
    return turn_begin.turn(msg, key)


async def _rounds(gateway, msg, session, turn_at, state, decision):
    # Ask and do what is asked for, until there is an answer; returns where its line is. Or a question and its buttons,
    # when a call is to be confirmed. `decision` is about the first call; see confirming.py.
    asking = _asking(gateway, msg, session, turn_at)
    watch = []
    model = gateway.config.model
    yes, again = decision
    lost = state is not None and (yes is None or again)
    at, count, results, rounds = state or (0, 0, 0, 0)
    dropped = 0
    note = None
    try:
        while True:
            if count > results:
                fine = await _run_tools(asking, at, results, lost, yes, dropped, watch)
                if type(fine) is tuple:
                    return fine
                if not fine:
                    note = "I have stopped: the model made the same call three times in a row."
            lost = False
            yes = None
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


def _run_tools(asking, at, first, lost, yes, dropped, watch):
    from copepod.assistant import run_tools

    forget("copepod.assistant.run_tools")
    forget("copepod.assistant.calls")
    return run_tools.run(asking, at, first, lost, yes, dropped, watch)

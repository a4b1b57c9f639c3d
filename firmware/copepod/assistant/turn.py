"""One turn: a question, rounds with the model and its tools, the answer. Memory: dropped after use, with all it loads.

The session's file is the state: each finished message is a line of it before anything else happens. A turn that a
crash has cut is taken up from there when its update comes again, and an answer that is complete is sent as it is.
"""

from copepod.once import forget


async def run(msg, key=None):
    """The answer to `msg`: a sentence, an Answer, which is to be closed, or a question and its buttons.

    `key`: a session that is no chat's. For the press of a button the turn goes on; None when there is nothing to say.
    """
    wanting = _fresh("room_to_ask").wanting()
    if wanting is not None:
        return wanting
    begun = await _fresh("turn_begin").begin(msg, key)
    if type(begun) is not tuple:
        return begun
    session, turn_at, state, decision = begun
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


async def _rounds(gateway, msg, session, turn_at, state, decision):
    # Ask and do what is asked for, until there is an answer; returns where its line is. Or a question and its buttons,
    # when a call is to be confirmed. `decision` is about the first call; see confirming.py.
    asking = _asking(gateway, msg, session, turn_at)
    watch = []
    model = gateway.config.model
    yes, again = decision
    asking.called = state is not None
    lost = state is not None and (yes is None or again)
    at, count, results, rounds = state or (0, 0, 0, 0)
    dropped = 0
    note = None
    try:
        if session.summed < session.first and state is None:
            await _fresh("summing").sum_up(asking)
        while True:
            if count > results:
                fine = await _fresh("run_tools").run(
                    asking, at, results, lost, yes, dropped, watch
                )
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
        model.draft = False if model.draft else None
        asking.release()


def _asking(gateway, msg, session, turn_at):
    from copepod.assistant.asking import Asking

    forget("copepod.assistant.asking")
    forget("copepod.assistant.stream")
    asking = Asking(gateway, msg, session, turn_at)
    if asking.endpoint.failed_s:
        _fresh("fallback").begin(asking)
    # Drafts need Telegram's connection, and somebody who looks on.
    if asking.model.drafts and not asking.endpoint.tls:
        if msg.kind == "message" and msg.chat_type == "private" and msg.message_id:
            try:
                _fresh("drafts").begin(asking)
            except MemoryError:
                pass
    return asking


def _fresh(name):
    # A module that goes when what is called in it has come to its end: no frame of the turn, and no name, keeps it.
    name = "copepod.assistant." + name
    module: "Any" = __import__(name, None, None, ("x",))
    forget(name)
    return module

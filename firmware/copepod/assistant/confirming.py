"""Asks a person before a tool is called, and reads what they have pressed. Memory: dropped after use.

The turn ends with the question: nothing waits in memory. What its buttons carry says which call is meant, by the
session's end: who may press, the last turn's update, that end, and when it was asked. The press goes on with the turn.
"""

from time import time

from micropython import const

from copepod.log import log
from copepod.messages import AnswerRefused
from copepod.once import forget

_ANSWER_S = const(600)  # later than that a press counts as no
_SHOWN = const(300)  # characters of the arguments


def question(asking, name, given):
    """What to say and the buttons below it."""
    msg = asking.msg
    session = asking.session
    person = msg.sender_id or msg.chat_id
    ids = asking.gateway.access.ids
    if person < 0 and ids:  # a job in a group
        person = ids[0]
    rest = ":%d:%d:%d:%d" % (person, session.turns[-1][0], session.end, int(time()))
    buttons = [[("Yes", "confirm:y" + rest), ("No", "confirm:n" + rest)]]
    return "Shall I? " + _shown(name, given), buttons


def _shown(name, given):
    # The call, as people read it; what is cut is marked, so that nobody agrees to what they do not see unawares.
    parts = []
    for key in given:
        value = given[key]
        if type(value) is bool:
            value = "true" if value else "false"
        parts.append("%s: %s" % (key, value))
    text = ", ".join(parts).replace("`", "'").replace("\n", " ").replace("\r", " ")
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + " … (and %d characters more)" % (len(text) - _SHOWN)
    return "**`%s`**" % name + (" with `%s`" % text if text else " without arguments")


async def pressed(msg, session, history, state_of):
    """What was decided about the session's open call: (yes, whether a crash may have cut it).

    `yes` is None when it was settled before, and the turn only has to go on. None alone: the press is somebody else's,
    or nothing is open any more. The last two are history.py and turn_state_of(), which are forgotten by now.
    """
    try:
        _, choice, person, update_id, end, asked_s = msg.text.split(":")
        person = int(person)
        update_id = int(update_id)
        end = int(end)
        asked_s = int(asked_s)
    except ValueError:
        return None
    if msg.sender_id != person:
        msg.notice("That question is for somebody else.")
        return None
    known = history.turn(session, msg.update_id) is not None
    open_ = session.turns and session.end == end and session.first <= session.turns[-1][1]
    if not known and not (open_ and session.turns[-1][0] == update_id):
        msg.notice("That question is over.")
        return None
    if known and not open_:
        return None, True
    yes = choice == "y" and 0 <= int(time()) - asked_s <= _ANSWER_S
    said = "yes" if yes else "no" if choice == "n" else "too late, which counts as no"
    msg.notice(said)
    await _settle(msg, session, said, state_of)
    if not known:
        history.go_on(session, msg.update_id)  # from now on the call is as good as made
    return yes, known


async def _settle(msg, session, said, state_of):
    # The question loses its buttons.
    name, given = _call(session, state_of)
    try:
        await msg.edit("%s\n\n**%s**" % (_shown(name, given), said))
    except (AnswerRefused, RuntimeError) as error:
        log("assistant", "the question can't be edited: ", error)


def _call(session, state_of):
    # The name and the arguments of the first call that has no result.
    import json

    from copepod.assistant.calls import Calls

    forget("copepod.assistant.calls")
    state = state_of(session, (session.turns[-1][1], session.end))
    calls = Calls()
    with open(session.path, "rb") as file:
        calls.at(file, state[0], state[2])
    return calls.name, json.loads(bytes(calls.arguments)) if calls.arguments else {}

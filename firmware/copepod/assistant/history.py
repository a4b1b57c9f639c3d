"""A chat's history as PicoClaw keeps it: found again after a crash, made shorter in time. Memory: dropped after use.

`<key>.jsonl` holds the messages, `<key>.meta.json` what is known of them: PicoClaw's `summary` and `skip`, and ours:
`first`, where the history begins that the model is told, and `turns`, which update's turn begins where. With
that a turn that a crash has cut goes on where it was. What such a crash has left of a line is written over.
"""

import json
import os

from micropython import const

from copepod.assistant.session import Session

_TURNS = const(5)  # remembered: the last one, and those whose answer a flood limit may hold
_SCAN_B = const(256)
_COMPACT_B = const(65536)  # of lines that no model is told any more


def session(folder, chat_id):
    """The Session of a chat, or of a name, as the last life has left it."""
    name = folder + "/" + (chat_id if type(chat_id) is str else "telegram_%d" % chat_id)
    made = Session()
    made.path = name + ".jsonl"
    made.meta = name + ".meta.json"
    found = {}
    try:
        with open(made.meta) as file:
            found = json.load(file)
    except (OSError, ValueError):
        pass
    if type(found) is not dict:
        found = {}
    skip = found.get("skip")
    made.skip = skip if type(skip) is int and skip > 0 else 0
    summary = found.get("summary")
    made.summary = summary if type(summary) is str else ""
    turns = found.get("turns")
    made.turns = turns if type(turns) is list else []
    if found.get("moving"):
        _move(made)
    _mend(made)
    first = found.get("first")
    made.first = first if type(first) is int and 0 <= first <= made.end else _skipped(made)
    summed = found.get("summed")
    made.summed = summed if type(summed) is int and 0 <= summed <= made.first else made.first
    return made


def turn(session, update_id):
    """Where the turn of `update_id` begins and ends; None if it has not begun."""
    turns = session.turns
    for index in range(len(turns)):
        at = turns[index][1]
        if turns[index][0] == update_id and at <= session.end:
            for _, later in turns[index + 1 :]:
                if later > at:
                    return at, later
            return at, session.end
    return None


def go_on(session, update_id):
    """The last turn goes on with another update, the press of a button; on the disk before anything is done."""
    session.turns = session.turns[1 - _TURNS :]
    session.turns.append((update_id, session.turns[-1][1]))
    _store(session, False)


def begin_turn(session, update_id, history_b, most=0):
    """A turn begins at the end: the history gets shorter where it is too long; on the disk before any line.

    `most` lines, if that is not 0: what is left out then is to be summed up.
    """
    size_b = session.end - session.first
    if size_b > history_b or most and size_b and _has_more(session, most):
        _advance(session, session.end - min(size_b, history_b) // 2, session.end)
    if not most or session.first - session.summed > 2 * history_b:
        session.summed = session.first
    if session.first > (_COMPACT_B if session.summed == session.first else 2 * _COMPACT_B):
        _compact(session)
    session.turns = session.turns[1 - _TURNS :]
    session.turns.append((update_id, session.end))
    _store(session, False)


def halve(session, turn_at):
    """Begin the history later; False when nothing is left to leave out."""
    if session.first >= turn_at:
        return False
    _advance(session, session.first + (turn_at - session.first) // 2 + 1, turn_at)
    _store(session, False)
    return True


def clear(session):
    """Begin a history anew; the file keeps the old one."""
    _advance(session, session.end, session.end)
    session.summed = session.first
    session.summary = ""
    _store(session, False)


def store(session):
    """Keep what is known of it."""
    _store(session, False)


def _has_more(session, most):
    # Whether a model would be told of more lines.
    window = bytearray(_SCAN_B)
    at = session.first
    with open(session.path, "rb") as file:
        file.seek(at)
        while at < session.end and most >= 0:
            n = min(file.readinto(window), session.end - at)
            for index in range(n):
                if window[index] == 10:
                    most -= 1
            at += n
    return most < 0


def _after(file, at, window):
    # Where the line after the one at `at` begins (None when that one has no end), and whether it is a question.
    file.seek(at)
    n = file.readinto(window)
    is_user = window.startswith(b'{"role":"user"')
    while n:
        found = window.find(b"\n", 0, n)
        if found >= 0:
            return at + found + 1, is_user
        at += n
        n = file.readinto(window)
    return None, False


def _mend(session):
    # The end is after the last line that has one.
    session.old_end = session.end = 0
    try:
        session.old_end = os.stat(session.path)[6]
        file = open(session.path, "rb")
    except OSError:
        return
    with file:
        at = session.old_end
        window = bytearray(_SCAN_B)
        while at > 0:
            at = max(0, at - _SCAN_B)
            file.seek(at)
            found = window.rfind(b"\n", 0, file.readinto(window))
            if found >= 0:
                session.end = at + found + 1
                break


def _skipped(session):
    # PicoClaw counts lines.
    at = 0
    if session.skip and session.end:
        window = bytearray(_SCAN_B)
        with open(session.path, "rb") as file:
            for _ in range(session.skip):
                if at < session.end:
                    at = _after(file, at, window)[0] or session.end
    return at


def _advance(session, least, most):
    # Begin the history with the first question from `least` on, at `most` if there is none before.
    at = session.first
    try:
        file = open(session.path, "rb")
    except OSError:
        return
    window = bytearray(_SCAN_B)
    with file:
        while at < most:
            after, is_user = _after(file, at, window)
            if after is None or at >= least and is_user:
                break
            at = after
            session.skip += 1
    session.first = at


def _compact(session):
    # Three steps, each of which may be the last before a crash: see _move().
    window = bytearray(_SCAN_B)
    view = memoryview(window)
    with open(session.path, "rb") as source, open(session.path + ".new", "wb") as file:
        source.seek(session.first)
        left = session.end - session.first
        while left:
            n = source.readinto(view[: min(left, _SCAN_B)])
            file.write(view[:n])
            left -= n
    moved = session.first
    session.turns = [(known, at - moved) for known, at in session.turns if at >= moved]
    session.end = session.old_end = session.end - moved
    session.first = session.skip = session.summed = 0
    _store(session, True)
    _move(session)


def _move(session):
    try:
        os.rename(session.path + ".new", session.path)
    except OSError:
        pass  # done before


def _store(session, moving):
    new = session.meta + ".new"
    with open(new, "w") as file:
        kept = {"summary": session.summary, "skip": session.skip, "first": session.first}
        if session.summed < session.first:
            kept["summed"] = session.summed
        kept["turns"] = session.turns
        if moving:
            kept["moving"] = True
        json.dump(kept, file)
    os.rename(new, session.meta)

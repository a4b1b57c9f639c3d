"""A chat's history: finished messages, one a line, as PicoClaw keeps it. Memory: small ints; no line is held.

`<key>.jsonl` holds the messages, `<key>.meta.json` what is known of them: PicoClaw's `summary` and `skip`, and ours:
`first`, where the history begins that the model is told, and `turns`, which update's turn begins where. With
that a turn that a crash has cut goes on where it was. What such a crash has left of a line is written over.
"""

import json
import os

from micropython import const

from copepod.assistant.window import Line

_TURNS = const(5)  # remembered: the last one, and those whose answer a flood limit may hold
_SCAN_B = const(256)
_COMPACT_B = const(65536)  # of lines that no model is told any more


class Session:
    """The session of one chat; `end` is where the next line begins."""

    def __init__(self, folder, chat_id):
        self.path = "%s/telegram_%d.jsonl" % (folder, chat_id)
        self._meta = "%s/telegram_%d.meta.json" % (folder, chat_id)
        found = {}
        try:
            with open(self._meta) as file:
                found = json.load(file)
        except (OSError, ValueError):
            pass
        if type(found) is not dict:
            found = {}
        self.skip = _whole(found.get("skip"))
        summary = found.get("summary")
        self.summary = summary if type(summary) is str else ""
        turns = found.get("turns")
        self.turns = turns if type(turns) is list else []
        if found.get("moving"):
            self._move()
        self._window = bytearray(_SCAN_B)
        self.is_user = False  # the line that after() has passed
        self._mend()
        first = found.get("first")
        self.first = first if type(first) is int and 0 <= first <= self.end else self._skipped()

    # A turn ---------------------------------------------------------------------------------

    def turn(self, update_id):
        """Where the turn of `update_id` begins and ends; None if it has not begun."""
        turns = self.turns
        for index in range(len(turns)):
            if turns[index][0] == update_id and turns[index][1] <= self.end:
                later = index + 1 < len(turns)
                return turns[index][1], turns[index + 1][1] if later else self.end
        return None

    def begin_turn(self, update_id, history_b):
        """A turn begins at the end: the history gets shorter where it is too long; on the disk before any line."""
        if self.end - self.first > history_b:
            self._advance(self.end - history_b // 2, self.end)
            if self.first > _COMPACT_B:
                self._compact()
        self.turns = self.turns[1 - _TURNS :]
        self.turns.append((update_id, self.end))
        self._store(False)

    def halve(self, turn_at):
        """The model has no room for the history: begin it later. False when nothing is left to leave out."""
        if self.first >= turn_at:
            return False
        self._advance(self.first + (turn_at - self.first) // 2 + 1, turn_at)
        self._store(False)
        return True

    def clear(self):
        """Begin a history anew; the file keeps the old one."""
        self._advance(self.end, self.end)
        self.summary = ""
        self._store(False)

    # Lines ----------------------------------------------------------------------------------

    def line(self):
        """A Line to be written at the end; complete(line) makes it one."""
        return Line(self.path, self.end, self._old_end)

    def complete(self, line):
        """The line is whole."""
        line.complete()
        self.end = self._old_end = line.end

    def after(self, file, at):
        """Where the line after the one at `at` begins, None when that one has no end."""
        window = self._window
        file.seek(at)
        self.is_user = None
        while True:
            n = file.readinto(window)
            if self.is_user is None:
                self.is_user = window.startswith(b'{"role":"user"')
            if not n:
                return None
            found = window.find(b"\n", 0, n)
            if found >= 0:
                return at + found + 1
            at += n

    # Below ----------------------------------------------------------------------------------

    def _mend(self):
        # The end is after the last line that has one.
        self._old_end = self.end = 0
        try:
            self._old_end = os.stat(self.path)[6]
            file = open(self.path, "rb")
        except OSError:
            return
        with file:
            at = self._old_end
            window = self._window
            while at > 0:
                at = max(0, at - _SCAN_B)
                file.seek(at)
                found = window.rfind(b"\n", 0, file.readinto(window))
                if found >= 0:
                    self.end = at + found + 1
                    break

    def _skipped(self):
        # PicoClaw counts lines.
        at = 0
        if self.skip and self.end:
            with open(self.path, "rb") as file:
                for _ in range(self.skip):
                    if at < self.end:
                        at = self.after(file, at) or self.end
        return at

    def _advance(self, least, most):
        # Begin the history with the first question from `least` on, at `most` if there is none before.
        at = self.first
        try:
            file = open(self.path, "rb")
        except OSError:
            return
        with file:
            while at < most:
                after = self.after(file, at)
                if after is None or at >= least and self.is_user:
                    break
                at = after
                self.skip += 1
        self.first = at

    def _compact(self):
        # Three steps, each of which may be the last before a crash: see _move().
        new = self.path + ".new"
        window = self._window
        view = memoryview(window)
        with open(self.path, "rb") as source, open(new, "wb") as file:
            source.seek(self.first)
            left = self.end - self.first
            while left:
                n = source.readinto(view[: min(left, _SCAN_B)])
                file.write(view[:n])
                left -= n
        moved = self.first
        self.turns = [(known, at - moved) for known, at in self.turns if at >= moved]
        self.end = self._old_end = self.end - moved
        self.first = self.skip = 0
        self._store(True)
        self._move()

    def _move(self):
        try:
            os.rename(self.path + ".new", self.path)
        except OSError:
            pass  # done before

    def _store(self, moving):
        new = self._meta + ".new"
        with open(new, "w") as file:
            kept = {"summary": self.summary, "skip": self.skip, "first": self.first}
            kept["turns"] = self.turns
            if moving:
                kept["moving"] = True
            json.dump(kept, file)
        os.rename(new, self._meta)


def _whole(value):
    return value if type(value) is int and value > 0 else 0

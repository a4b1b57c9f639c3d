"""Calls to the Bot API over the one connection: request text, answers, flood limits. Memory: small ints.

A call is written in pieces straight into the connection's window:

    api.begin(SEND_MESSAGE); api.text(b'{"chat_id":'); api.number(7); api.text(b"}")
    await api.http.flush()
    api.answered(await api.http.response(ANSWER_MS))
    while await api.http.fill():
        api.read()
    accepted = api.result()

What an answer means that is not ok stands in refusals.py.
"""

from time import ticks_diff, ticks_ms

from copepod.once import forget
from copepod.telegram.methods import GET_UPDATES, METHODS
from copepod.telegram.updates import UpdateReader  # noqa: F401  its part: see assembly.py


class Api:
    """One call at a time over `http`; holds the token, which goes nowhere but into requests."""

    http: "Any"
    reader: "Any"
    stats: "Any"
    polls: int  # that succeeded
    conflict: bool  # another instance is polling: wait longer
    doubted: bool  # the token was refused, but not by getMe
    method: int
    status: int  # of the answer; 0 while none has come
    key: "Any"  # whom a flood limit on this call would hold: a chat's id or a method's name
    holds: list  # [key, until ticks_ms], see refusals.py
    path: bytes
    json: bool  # so far the answer is JSON
    begun: bool  # something of the answer's body has come
    text: "Any"  # a piece of JSON as it is, bytes or ASCII
    number: "Any"  # an int of any size
    run: "Any"  # (buffer, start, end): UTF-8 inside a JSON string

    # Flood limits ---------------------------------------------------------------------------

    def held_ms(self, key):
        """ms until a call for `key`, a chat's id or a method's name, may be made; 0: now."""
        for entry in self.holds:
            if entry[0] == key:
                left_ms = ticks_diff(entry[1], ticks_ms())
                if left_ms > 0:
                    return left_ms
                self.holds.remove(entry)
                break
        return 0

    # Calls ----------------------------------------------------------------------------------

    def begin(self, method, key=None):
        """Start a call: POST with a JSON body that the caller writes."""
        self.method = method
        self.status = 0
        self.key = METHODS[method] if key is None else key
        self.http.begin(self.path, METHODS[method])

    def answered(self, status, sink=None):
        """The head of the answer has come; `sink(msg)` will take its updates."""
        self.status = status
        self.json = True
        self.begun = False
        self.reader.begin(sink)

    def read(self):
        """Take the window of the answer that http.fill() has found. What comes with a failure may be anything."""
        http = self.http
        self.begun = True
        if self.json:
            try:
                self.reader.feed(http.buffer, http.start, http.end)
            except ValueError:
                if self.status == 200:
                    raise
                self.json = False

    def result(self):
        """The answer is complete: True when Telegram accepted the call, False when a flood limit holds it.

        Raises Refused for a 4xx that concerns this call, Stop for a refused token, OSError or
        ValueError for anything that a new connection may mend.
        """
        reader = self.reader
        if self.status == 200:
            reader.finish()
            if reader.ok:
                return True
        from copepod.telegram import refusals

        try:
            return refusals.refused(self)
        finally:
            forget("copepod.telegram.refusals")

    def write_poll(self, offset, limit, timeout_s):
        """Write a getUpdates call.

        Bot API, getUpdates: an update is confirmed once a poll has an offset higher than its id;
        without `allowed_updates` the server goes on with the last ones.
        """
        self.begin(GET_UPDATES)
        self.text(b'{"limit":')
        self.number(limit)
        self.text(b',"timeout":')
        self.number(timeout_s)
        if offset is not None:
            self.text(b',"offset":')
            self.number(offset)
        if not self.polls:
            from copepod.telegram import connect

            connect.write_allowed(self)
            forget("copepod.telegram.connect")
        self.text(b"}")

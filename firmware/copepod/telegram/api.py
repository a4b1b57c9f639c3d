"""Calls to the Bot API over the one connection: request text, answers, flood limits. Memory: small ints.

A call is written in pieces straight into the connection's window:

    api.begin(SEND_MESSAGE); api.text(b'{"chat_id":'); api.number(7); api.text(b"}")
    await api.http.flush()
    api.answered(await api.http.response(ANSWER_MS))
    while await api.http.fill():
        api.read()
    accepted = api.result()

What an answer means that is not ok stands in trouble.py.
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import handlers
from copepod.once import forget
from copepod.telegram.updates import UpdateReader

GET_ME = const(0)
GET_UPDATES = const(1)
SEND_MESSAGE = const(2)
SEND_RICH = const(3)
SEND_ACTION = const(4)
ANSWER_CALLBACK = const(5)
SET_COMMANDS = const(6)

METHODS = (
    b"getMe",
    b"getUpdates",
    b"sendMessage",
    b"sendRichMessage",
    b"sendChatAction",
    b"answerCallbackQuery",
    b"setMyCommands",
)
ANSWER_MS = const(20000)  # longest an answer may take beside a long poll's own time
_HOLDS = const(8)  # flood limits that are kept at a time


class Stop(Exception):
    """Telegram refuses the token: nothing to retry. The text is one line for the console."""


class Refused(Exception):
    """Telegram refuses this one call for good (4xx); the connection and the bot are fine."""


class Api:
    """One call at a time over `http`; holds the token, which goes nowhere but into requests."""

    def __init__(self, http, token, buffer, stats):
        self.http = http
        self.stats = stats
        self.reader = UpdateReader(buffer)
        self.polls = 0  # polls that succeeded
        self.conflict = False  # another instance is polling: wait longer
        self.doubted = False  # the token was refused, but not by getMe
        self.method = 0
        self.status = 0  # of the answer; 0 while none has come
        self.key = (
            None  # whom a flood limit on this call would hold: a chat's id or a method's name
        )
        self._path = b"/bot" + token.encode() + b"/"
        self._holds: list = []  # [key, until ticks_ms]
        self._json = True  # what has come of the body
        self._begun = False  # something of it has
        self.text = http.write  # a piece of JSON as it is, bytes or ASCII
        self.number = http.write_int  # an int of any size
        self.run = http.write_json  # (buffer, start, end): UTF-8 inside a JSON string

    # Flood limits ---------------------------------------------------------------------------

    def hold(self, key, wait_ms):
        """No call for `key` for so long."""
        if len(self._holds) == _HOLDS:
            self._holds.pop(0)
        self._holds.append([key, ticks_add(ticks_ms(), wait_ms)])

    def held_ms(self, key):
        """ms until a call for `key`, a chat's id or a method's name, may be made; 0: now."""
        for entry in self._holds:
            if entry[0] == key:
                left_ms = ticks_diff(entry[1], ticks_ms())
                if left_ms > 0:
                    return left_ms
                self._holds.remove(entry)
                break
        return 0

    # Calls ----------------------------------------------------------------------------------

    def begin(self, method, key=None):
        """Start a call: POST with a JSON body that the caller writes."""
        self.method = method
        self.status = 0
        self.key = METHODS[method] if key is None else key
        self.http.begin(self._path, METHODS[method])

    def escaped(self, text):
        """Write a str inside a JSON string."""
        data = memoryview(text)
        self.run(data, 0, len(data))

    def answered(self, status, sink=None):
        """The head of the answer has come; `sink(msg)` will take its updates."""
        self.status = status
        self._json = True
        self._begun = False
        self.reader.begin(sink)

    def read(self):
        """Take the window of the answer that http.fill() has found. What comes with a failure may be anything."""
        http = self.http
        self._begun = True
        if self._json:
            try:
                self.reader.feed(http.buffer, http.start, http.end)
            except ValueError:
                if self.status == 200:
                    raise
                self._json = False

    def lost(self):
        """The answer broke off; True when it can only have said that the message was accepted."""
        self.http.close()
        said = self.reader.values[0] is True or not self._begun
        return said and self.status == 200 and self.method >= SEND_MESSAGE

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
        from copepod.telegram import trouble

        try:
            return trouble.refused(self)
        finally:
            forget("copepod.telegram.trouble")

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
            self.text(b',"allowed_updates":["message","callback_query"')
            self.text(b',"edited_message"]' if handlers.edits else b"]")
        self.text(b"}")

"""Calls to the Bot API over the one connection: request text, answers, refusals, flood limits. Memory: small ints.

A call is written in pieces straight into the connection's window:

    api.begin(SEND_MESSAGE); api.text(b'{"chat_id":'); api.number(7); api.text(b"}")
    await api.http.flush()
    api.answered(await api.http.response(ANSWER_MS))
    while await api.http.fill():
        api.read()
    accepted = api.result()
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.telegram.updates import UpdateReader

GET_ME = const(0)
GET_UPDATES = const(1)
SEND_MESSAGE = const(2)
SEND_RICH = const(3)
SEND_ACTION = const(4)
ANSWER_CALLBACK = const(5)
SET_COMMANDS = const(6)

_METHODS = (
    b"getMe",
    b"getUpdates",
    b"sendMessage",
    b"sendRichMessage",
    b"sendChatAction",
    b"answerCallbackQuery",
    b"setMyCommands",
)
ANSWER_MS = const(20000)  # longest an answer may take beside a long poll's own time


class Stop(Exception):
    """Telegram refuses the token: nothing to retry. The text is one line for the console."""


class Refused(Exception):
    """Telegram refuses this one call for good (4xx); the connection and the bot are fine."""


class Api:
    """One call at a time over `http`; holds the token, which goes nowhere but into requests."""

    def __init__(self, http, token, buffer):
        self._set_up(http, token, buffer)

    def _set_up(self, http, token, buffer):
        self.http = http
        self.reader = UpdateReader(buffer)
        self.polls = 0  # polls that succeeded
        self.conflict = False  # another instance is polling: wait longer
        self._path = b"/bot" + token.encode() + b"/"
        self._method = self._status = 0
        self._free_at: list = [None] * len(_METHODS)
        self.text = http.write  # a piece of JSON as it is, bytes or ASCII
        self.number = http.write_int  # an int of any size
        self.run = http.write_json  # (buffer, start, end): UTF-8 inside a JSON string

    # Flood limits ---------------------------------------------------------------------------

    def held_ms(self, method):
        """ms until `method` may be called again; 0 when it may be called now."""
        free_at = self._free_at[method]
        if free_at is None:
            return 0
        left_ms = ticks_diff(free_at, ticks_ms())
        if left_ms <= 0:
            self._free_at[method] = None
            return 0
        return left_ms

    def free(self, method):
        """True when no flood limit holds `method`."""
        return self._free_at[method] is None or self.held_ms(method) == 0

    # Requests -------------------------------------------------------------------------------

    def begin(self, method):
        """Start a call: POST with a JSON body that the caller writes."""
        self._method = method
        self.http.begin(self._path, _METHODS[method])

    def escaped(self, text):
        """Write a str inside a JSON string."""
        data = memoryview(text)
        self.run(data, 0, len(data))

    def answered(self, status, sink=None):
        """The head of the answer has come; `sink(msg)` will take its updates. OSError for a 5xx."""
        self._status = status
        if status >= 500:
            self._failed(status, None)
        self.reader.begin(sink)

    def read(self):
        """Take the window of the answer that http.fill() has found."""
        http = self.http
        self.reader.feed(http.buffer, http.start, http.end)

    def lost(self):
        """The answer broke off; True when it can only have said that the message was accepted."""
        self.http.close()
        return self._status == 200 and self._method >= SEND_MESSAGE

    def result(self):
        """The answer is complete: True when Telegram accepted the call, False when a flood limit holds it.

        Raises Refused for a 4xx that concerns this call, Stop for a refused token, OSError or
        ValueError for anything that a new connection may mend.
        """
        reader = self.reader
        reader.finish()
        if reader.ok:
            return True
        return self._failed(reader.error_code or self._status, reader.description)

    def _failed(self, code, description):
        # What an answer means that is not ok: see result().
        name = _METHODS[self._method].decode()
        if code == 429:
            seconds = self.reader.retry_after or 1
            # A second of Telegram's is over when its clock says so: half of one more, to be sure.
            self._free_at[self._method] = ticks_add(ticks_ms(), seconds * 1000 + 500)
            log("telegram", "flood limit on ", name, ": waiting ", seconds, " s")
            return False
        description = description or "without a reason"
        if code == 401 or (code == 404 and self._method == GET_ME):
            raise Stop(
                "the token is refused (%d %s): check channels.telegram.token" % (code, description)
            )
        if code == 409:
            self.conflict = True
            raise OSError(
                "another instance is polling with this token (409): stop it, or the webhook"
            )
        if code >= 500:
            raise OSError("the server answers %d to %s" % (code, name))
        raise Refused("%d %s" % (code, description))

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
            self._write_allowed()
        self.text(b"}")

    def _write_allowed(self):
        self.text(b',"allowed_updates":["message","edited_message","callback_query"]')

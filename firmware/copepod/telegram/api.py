"""Calls to the Bot API over the one connection: request text, answers, refusals, flood limits. Memory: small ints.

A call is written in pieces straight into the connection's window:

    api.begin(SEND_MESSAGE); api.text(b'{"chat_id":'); api.number(7); api.text(b"}")
    accepted = await api.finish()
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
_ALLOWED = b'"allowed_updates":["message","edited_message","callback_query"]'
_ANSWER_MS = const(20000)  # longest an answer may take beside a long poll's own time


class Stop(Exception):
    """Telegram refuses the token: nothing to retry. The text is one line for the console."""


class Refused(Exception):
    """Telegram refuses this one call for good (4xx); the connection and the bot are fine."""

    def __init__(self, code, description):
        super().__init__("%d %s" % (code, description))
        self.code = code
        self.about_entities = "parse entities" in description


class Api:
    """One call at a time over `http`; holds the token, which goes nowhere but into requests."""

    def __init__(self, http, token, buffer):
        self.http = http
        self.reader = UpdateReader(buffer)
        self.polls = 0  # polls that succeeded
        self.conflict = False  # another instance is polling: wait longer
        self._path = b"/bot" + token.encode() + b"/"
        self._method = 0
        self._free_at: list = [None] * len(_METHODS)
        self._filtered = False  # allowed_updates was sent on this connection

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

    def text(self, text):
        """Write a piece of JSON as it is."""
        self.http.write(text)

    def number(self, value):
        """Write an int of any size."""
        self.http.write_int(value)

    def escaped(self, text):
        """Write a str inside a JSON string."""
        data = memoryview(text)
        self.http.write_json(data, 0, len(data))

    def run(self, buffer, start, end):
        """Write UTF-8 bytes inside a JSON string: the formatter's sink."""
        self.http.write_json(buffer, start, end)

    async def finish(self, timeout_ms=_ANSWER_MS, sink=None):
        """Send what was written and read the answer into `reader`.

        True when Telegram accepted it, False when a flood limit holds the method. Raises Refused
        for a 4xx that concerns this call, Stop for a refused token, OSError or ValueError for
        anything that a new connection may mend.
        """
        http = self.http
        reader = self.reader
        await http.flush()
        status = await http.response(timeout_ms)
        if status >= 500:
            raise OSError("the server answers %d to %s" % (status, _METHODS[self._method].decode()))
        reader.begin(sink)
        try:
            while await http.fill():
                reader.feed(http.buffer, http.start, http.end)
            reader.finish()
        except (OSError, ValueError):
            if status != 200 or self._method < SEND_MESSAGE:
                raise
            http.close()  # the rest of the answer is lost, but 200 means accepted: never send it twice
            return True
        if reader.ok:
            return True
        return self._failed(reader.error_code or status, reader.description or "without a reason")

    def _failed(self, code, description):
        name = _METHODS[self._method].decode()
        if code == 429:
            seconds = self.reader.retry_after or 1
            # A second of Telegram's is over when its clock says so: half of one more, to be sure.
            self._free_at[self._method] = ticks_add(ticks_ms(), seconds * 1000 + 500)
            log("telegram", "flood limit on ", name, ": waiting ", seconds, " s")
            return False
        if code == 401 or (code == 404 and self._method == GET_ME):
            raise Stop("the token is refused (%d %s): check channels.telegram.token" % (code, description))
        if code == 409:
            self.conflict = True
            raise OSError("another instance is polling with this token (409): stop it, or the webhook")
        if code >= 500:
            raise OSError("the server answers %d to %s" % (code, name))
        raise Refused(code, description)

    async def call(self, method):
        """A call without parameters; returns the reader, whose fields are the answer's."""
        self.begin(method)
        self.text(b"{}")
        while not await self.finish():
            raise OSError("flood limit on the first call")
        return self.reader

    async def get_updates(self, offset, limit, timeout_s, sink):
        """Poll once; `sink(msg)` takes each update and returns False to stop. True unless held by a limit.

        Bot API, getUpdates: an update is confirmed once a poll has an offset higher than its id.
        """
        self.begin(GET_UPDATES)
        self.text(b'{"limit":')
        self.number(limit)
        self.text(b',"timeout":')
        self.number(timeout_s)
        if offset is not None:
            self.text(b',"offset":')
            self.number(offset)
        if not self._filtered:
            self.text(b",")
            self.text(_ALLOWED)
        self.text(b"}")
        try:
            if not await self.finish(_ANSWER_MS + timeout_s * 1000, sink):
                return False
        except Refused as error:
            raise OSError("getUpdates: %s" % error)
        self._filtered = True
        self.polls += 1
        return True

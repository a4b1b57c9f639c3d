"""The answer being sent: as formatted text, and as its Markdown where there is no memory to format it."""

from copepod import assembly, parts
from copepod.messages import OutboundMessage
from copepod.signal import Signal
from copepod.stats import Stats
from copepod.telegram import asides, methods, refusals
from copepod.textbuffer import TextBuffer

WORDS = "**bold** and `code` "

SOURCE_ONLY = (  # methods named by strings
    "test_no_memory_while_a_rich_piece_is_written",
    "test_no_memory_for_a_piece_that_is_longer_than_a_message_as_markdown",
)


class Call:
    """Takes the requests as text, and what the formatter gives as it is."""

    def __init__(self):
        self.sent = []

    def begin(self, method, key):
        self.sent.append(b"")

    def text(self, data):
        self.sent[-1] += data

    def number(self, value):
        self.sent[-1] += str(value).encode()

    def run(self, data, start, end):
        self.sent[-1] += bytes(data[start:end])


class Full:
    """Stands before the formatter's methods: the heap is full whenever `name` is called, `times` times."""

    def __init__(self, formatter, name, times):
        self.formatter = formatter
        self.name = name
        self.times = times
        self.fed = False  # without a text no memory is needed

    def __getattr__(self, name):
        self.fed |= name == "feed"
        if name == self.name and self.times and self.fed:
            self.times -= 1
            raise MemoryError
        return getattr(self.formatter, name)


def box(text, name, times, rich=False):
    refusals.log = lambda *parts: None
    queue = parts.queue(2, 1000)
    made = assembly.outbox(queue, Stats(), TextBuffer(bytearray(12320)), rich, lambda chat_id: 0)
    made.formatter = Full(made.formatter, name, times)
    message = OutboundMessage(7, text)
    message.signal = Signal()
    queue.put(message)
    return made, message


def due(made):
    """The call that would bring the message on, after all that can be done without one."""
    made.advance()
    return made.method()


def refused(made, error, method):
    """Telegram refuses the piece."""
    refusals.refused_piece(made, error, method)


def sent(made):
    """What is sent, as the channel does it: the text of each request, and whether it was formatted."""
    call = Call()
    pieces = []
    for _ in range(30):
        try:
            method = due(made)
            if method is None:
                return pieces
            made.write(call, method)
        except MemoryError:
            if not made.short_of_memory():  # all of it is sent
                made.formatter.times = 0
            continue
        body = call.sent[-1].decode()
        formatted = body.endswith('","parse_mode":"HTML"}')
        end = len(body) - (len('","parse_mode":"HTML"}') if formatted else 2)
        pieces.append((body[body.index('"text":"') + 8 : end], formatted))
        made.accepted()
    raise AssertionError("no end")


def test_formatted():
    made, message = box(WORDS, "", 0)
    assert sent(made) == [("<b>bold</b> and <code>code</code>", True)], sent(made)
    assert message.state == 1


def test_what_shows_nothing_is_refused_to_who_says_it():
    for text in ("", " \n\n ", "\u202a" * 9000, "\u200b"):
        made, message = box(text, "", 0)
        assert sent(made) == []
        assert (message.state, message.reason) == (2, "it shows nothing"), text
        assert made.stats.dropped == 1
    made, message = box("\u202a" * 9000 + "\n\nhello", "", 0)
    assert [piece.strip("\u202a\n") for piece, _ in sent(made)][-1] == "hello"
    assert message.state == 1 and made.stats.dropped == 0


def test_no_memory_to_choose_a_piece():
    for times in (1, 50):
        made, message = box(WORDS, "ready", times)
        assert sent(made) == [(WORDS, False)]
        assert message.state == 1 and made.stats.fallbacks == 1


def test_what_would_need_a_module_that_has_no_room_is_plain():
    def need(size_b):
        asked.append(size_b)
        raise MemoryError

    for text in ("- one\n- two", "> said\n\nthen", "# head\n\n[there](https://ex.example)"):
        asked = []
        made, message = box(text, "", 0)
        made.formatter.formatter.forget_modules()
        made.formatter.formatter.state.need = need
        assert sent(made) == [(text, False)], sent(made)
        assert asked and message.state == 1 and made.stats.fallbacks == 1
    asked = []
    made, message = box("It is on.", "", 0)  # which needs none
    made.formatter.formatter.state.need = need
    assert sent(made) == [("It is on.", True)]
    assert not asked


def test_what_a_new_connection_has_had_forgotten_is_there_before_the_request_begins():
    asked = []
    for text in (WORDS, "- one\n- two"):
        made, message = box(text, "", 0)
        formatter = made.formatter.formatter
        due(made)
        formatter.forget_modules()  # see channel.py
        formatter.state.need = asked.append
        due(made)
        assert len(asked) > 0
        del asked[:]
        call = Call()
        made.write(call, methods.SEND_MESSAGE)
        assert call.sent[-1].endswith(b"HTML\"}") and not asked


def test_no_memory_while_a_request_is_written():
    made, message = box(WORDS, "write", 1)
    (piece,) = sent(made)
    assert piece[0].strip() == WORDS.strip() and not piece[1]
    assert message.state == 1


def test_a_long_text_is_cut_between_words_and_characters():
    for text in (WORDS * 450, "é" * 5000, "😀" * 2500, "漢字" * 1500):
        made, message = box(text, "ready", 50)
        pieces = sent(made)
        assert "".join([piece for piece, _ in pieces]) == text
        assert len(pieces) > 1 and not any([formatted for _, formatted in pieces])
        assert max([len(piece.encode()) for piece, _ in pieces]) <= 4096


def test_memory_comes_back():
    made, message = box(WORDS * 450, "ready", 1)
    pieces = sent(made)
    assert not pieces[0][1] and pieces[-1][1]
    assert message.state == 1


def test_when_that_is_no_help():
    made, _ = box(WORDS, "", 0)
    assert not made.short_of_memory()  # nothing is being sent
    assert due(made) == methods.SEND_MESSAGE
    assert made.short_of_memory()
    assert not made.short_of_memory()  # it is plain already


CODE = "```py\n" + "x = 1\n" * 1500 + "```\n\nafter"


def one(made, start):
    """The text of the request that is due, which has `start` before it."""
    call = Call()
    made.write(call, due(made))
    body = call.sent[-1].decode()
    return body[body.index(start) + len(start) :]


def test_rich_pieces_stand_alone():
    made, message = box(CODE, "", 0, True)
    first = one(made, '"rich_message":{"markdown":"')
    assert first.startswith("```py\nx = 1\n") and first.endswith('\nx = 1\n```"}}'), first[-20:]
    assert one(made, '"rich_message":{"markdown":"') == first  # sent again
    made.accepted()
    last = first
    while due(made) is not None:
        last = one(made, '"rich_message":{"markdown":"')
        assert last.startswith("```py\nx = 1\n")
        made.accepted()
    assert last.endswith('\nx = 1\n```\n\nafter"}}')
    assert message.state == 1


def test_html_goes_on_where_a_rich_piece_was_refused():
    made, message = box(CODE, "", 0, True)
    one(made, '"rich_message":{"markdown":"')
    made.accepted()
    one(made, '"rich_message":{"markdown":"')
    refused(made, "404 Not Found: method not found", methods.SEND_RICH)
    text = one(made, '"text":"')
    assert text.startswith('<pre><code class="language-py">x = 1\n'), text[:40]
    refused(made, "can't parse entities", methods.SEND_MESSAGE)
    text = one(made, '"text":"')  # as it was given: nobody parses it, and it may not grow
    assert text.startswith("x = 1\n") and len(text) < 4096
    made.accepted()
    sent(made)
    assert message.state == 1


def test_no_memory_while_a_rich_piece_is_written():
    made, message = box(WORDS, "write_markdown", 1, True)
    assert sent(made) == [(WORDS, False)]
    assert message.state == 1 and made.stats.fallbacks == 1


def test_no_memory_for_a_piece_that_is_longer_than_a_message_as_markdown():
    text = "- a\n  - b\n\n    ```\n" + "    x = 1\n" * 900
    for name, rich in (("write", False), ("write_markdown", True)):
        made, message = box(text, name, 50, rich)
        pieces = sent(made)
        assert message.state == 1
        assert "".join([piece for piece, _ in pieces]) == text
        assert max([len(piece) for piece, _ in pieces]) <= 4096


def test_a_rich_piece_that_was_refused_goes_as_html_and_the_next_is_rich_again():
    made, message = box(CODE, "", 0, True)
    due(made)
    refused(made, "400 Bad Request: can't parse rich message", methods.SEND_RICH)
    assert one(made, '"text":"').startswith('<pre><code class="language-py">x = 1\n')
    made.accepted()
    assert due(made) == methods.SEND_RICH
    refused(made, "400 Bad Request", methods.SEND_RICH)
    refused(made, "400 Bad Request: can't parse entities", due(made))
    assert one(made, '"text":"').startswith("x = 1\n")
    made.accepted()
    due(made)
    refused(made, "404 Not Found: method not found", methods.SEND_RICH)
    assert due(made) == methods.SEND_MESSAGE
    made.accepted()
    while due(made) is not None:
        assert due(made) == methods.SEND_MESSAGE  # until the next start
        made.accepted()
    assert message.state == 1 and made.stats.dropped == 0


def test_plain_pieces_are_no_longer_than_a_message_and_nothing_is_lost():
    for text in (
        "[a `b c d` e](http://x.co/%s) " % ("y" * 200) * 60,
        "- a\n  - b\n\n    ```\n" + "    x = 1\n" * 900,
        "> \u65e5\u672c\u8a9e `\u65e5 \u672c` [\u8a9e](http://x.co/%s) " % ("y" * 99) * 90,
    ):
        made, message = box(text, "", 0)
        pieces = []
        while True:
            method = due(made)
            if method is None:
                break
            call = Call()
            made.write(call, method)
            if call.sent[-1].endswith(b'"HTML"}'):
                refused(made, "400 Bad Request: can't parse entities", method)
                continue
            body = call.sent[-1].decode()
            pieces.append(body[body.index('"text":"') + 8 : -2])
            made.accepted()
        assert "".join(pieces) == text
        assert max([len(piece) for piece in pieces]) <= 4096
        assert message.state == 1


def test_what_was_begun_is_not_put_aside_and_said_again():
    made, message = box(WORDS * 450, "", 0)
    assert due(made) is not None
    assert asides.put(made) and message.part == WORDS * 450
    made.aside.clear()
    message.aside = False
    made.queue.put(message)
    due(made)
    made.accepted()
    assert due(made) is not None
    assert not asides.put(made)  # its beginning is there already

"""What is done about a refused answer: another form, another place, or given up."""

from copepod.stats import Stats
from copepod.platform import last_error
from copepod.telegram import refusals, trouble
from copepod.telegram.refusals import MIGRATE_TO
from copepod.telegram.methods import AS_EVER, PLAIN, SEND_MESSAGE, Refused

GROUP = -4800001
SUPERGROUP = -1002147483647


class Thing:
    """Whatever has attributes."""


class Box(Thing):
    def __init__(self):
        self.message = Thing()
        self.message.chat_id = GROUP
        self.message.thread_id = 9
        self.message.reply_to = 5
        self.form = AS_EVER
        self.rich = False
        self.stats = Stats()
        self.formatter = self
        self.reason = None

    def give_up(self, markdown):
        pass  # the formatter's

    def end(self, message):
        self.reason = message.reason


def refuse(description, migrate_to=None, box=None):
    refusals.log = lambda *parts: None
    channel = Thing()
    channel.outbox = box = box or Box()
    channel.api = Thing()
    channel.api.reader = Thing()
    channel.api.reader.values = {MIGRATE_TO: migrate_to}
    refusals.refused_for_good(channel, SEND_MESSAGE, Refused(description))
    return box


def test_a_group_that_has_become_a_supergroup_gets_its_answer():
    words = "400 Bad Request: group chat was upgraded to a supergroup chat"
    box = refuse(words, SUPERGROUP)
    assert box.reason is None and box.form == AS_EVER
    message = box.message
    assert (message.chat_id, message.reply_to, message.thread_id) == (SUPERGROUP, None, None)
    refuse(words, SUPERGROUP, box)  # it does not go round in circles
    assert box.reason == words


def test_what_is_wrong_with_the_form_goes_as_plain_text():
    for words in (
        "400 Bad Request: can't parse entities: Unsupported start tag",
        "400 Bad Request: message is too long",
        "400 Bad Request: MESSAGE_TOO_LONG",
        "400 Bad Request: ENTITIES_TOO_LONG",
        "400 Bad Request: too many entities",
    ):
        box = refuse(words)
        assert (box.form, box.reason, box.stats.fallbacks) == (PLAIN, None, 1), words
        refuse(words, None, box)
        assert box.reason == words


def test_a_topic_that_is_gone_is_answered_in_the_chat():
    for words in ("400 Bad Request: message thread not found", "400 Bad Request: TOPIC_DELETED"):
        box = refuse(words)
        assert (box.message.thread_id, box.message.chat_id, box.reason) == (None, GROUP, None)
        refuse(words, None, box)
        assert box.reason == words


def test_what_nothing_can_be_done_about_is_given_up():
    for words in (
        "403 Forbidden: bot was blocked by the user",
        "400 Bad Request: chat not found",
        "400 Bad Request: not enough rights to send text messages to the chat",
    ):
        assert refuse(words).reason == words


class Port:
    """A board whose system heap is a heap of its own, or None where it is the machine's RAM."""

    def __init__(self, free_b):
        self.free_b = free_b
        self.resets = 0

    def heap(self):
        return self.free_b, self.free_b, self.free_b

    def reset(self):
        self.resets += 1


WAITS = []  # milliseconds, of each call of back_off()


def back_off(error, failures, free_b=9000, state="connecting"):
    """How often the board was reset, and what it will say of it."""
    kept = []
    port = Port(free_b)
    trouble.log = lambda *parts: None
    before = trouble.port, last_error.store
    trouble.port = port
    last_error.store = kept.append
    channel = Thing()
    channel.stats = Stats()
    channel.state = state
    channel.poll = Thing()
    channel.api = Thing()
    channel.api.status = 0
    channel.api.conflict = False
    channel.api.key = None
    channel.api.held_ms = lambda key: 0
    channel.gateway = Thing()
    channel.gateway.telemetry = Thing()
    channel.gateway.telemetry.event = lambda name, value: None
    try:
        WAITS.append(trouble.failed(channel, error, failures))
        assert WAITS[-1] > 0
    finally:
        trouble.port, last_error.store = before
    return port.resets, kept


def test_a_board_without_room_for_tls_starts_anew_after_five_failures():
    starved = OSError(-17168, "MBEDTLS_ERR_RSA_PUBLIC_FAILED")
    assert back_off(starved, 4) == (0, [])
    resets, kept = back_off(starved, 5)
    assert resets == 1 and "no memory for TLS" in kept[0]
    assert back_off(starved, 5, free_b=None)[0] == 0  # no reset gives a computer more memory
    assert back_off(OSError(104), 9)[0] == 0
    assert back_off(starved, 5, state="greeting")[0] == 0


def test_after_a_long_outage_the_next_try_is_half_a_minute_away_at_most():
    del WAITS[:]
    for failures in (0, 3, 5, 6, 20, 1000, 100000):
        back_off(OSError(104), failures, free_b=None)
    assert max(WAITS) <= 30000, WAITS
    assert WAITS[0] <= 1000 < WAITS[2], WAITS

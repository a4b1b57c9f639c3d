"""Whatever a handler does, it is noticed, its sender is told, and the next message is worked on.

The supervisor and the worker are the real ones; the channel accepts at once whatever it is given.
"""

import asyncio
import builtins

import copepod.log
import copepod.text.markdown  # noqa: F401  first, since from source its imports go deep
from copepod import assembly, handlers, registry, supervisor, worker
from copepod.messages import TOO_LONG as NO_ROOM
from copepod.platform import record
from copepod.received import Received
from copepod.signal import Signal
from copepod.telegram.channel import Channel as TelegramChannel
from copepod.telegram.offsets import Offsets

TIMEOUT_MS = 50
SORRY = "Sorry, something went wrong while I was working on that."
TOO_LONG = "Sorry, that took too long and I gave it up."


class Timeout:
    """Seconds that pass quickly."""

    def __mul__(self, thousand):
        return TIMEOUT_MS


class Config:
    allow_from = ("7",)
    bus_capacity = 8
    bus_bytes = 4096
    gateway_health = False
    gateway_handler_timeout_s = Timeout()
    telemetry_interval_s = 1000


class Telemetry:
    def __init__(self):
        self.stats = Stats()

    def frame(self, *_):
        pass

    event = frame


class Stats:
    received = errors = handler_errors = 0


class Box:
    def busy(self):
        return False


class Channel:
    """Accepts every answer at once, and lets the supervisor look without a pause."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.state = "waiting"
        self.alive_ms = supervisor.ticks_ms()
        self.steady = True
        self.outbox = Box()
        self.offsets = Offsets()
        self.sent = []
        self.done = []
        self.crash = None

    def finished(self, update_id):
        self.done.append(update_id)
        record.last_id_store(update_id)

    async def run(self):
        queue = self.gateway.bus.outbound
        while True:
            self.alive_ms = supervisor.ticks_ms()
            self.gateway.tick.set()
            message = queue.get()
            if message is None:
                await asyncio.sleep_ms(1)
                continue
            text = ""
            while message.state == 0:
                self.gateway.tick.set()
                if message.part is not None:
                    text += message.part
                    message.part = None
                    message.signal.set()
                if message.complete:
                    message.state = 1
                else:
                    await asyncio.sleep_ms(1)
            if message.state == 1:
                self.sent.append((message.chat_id, text))
            message.signal.set()


class Lines:
    """What was logged."""

    def __init__(self):
        self.text = ""
        copepod.log.log = self

    def __call__(self, area, *parts):
        self.text += area + ": " + "".join([self.shown(part) for part in parts]) + "\n"

    def shown(self, part):
        """A part as the log shows it."""
        try:
            return str(part)
        except BaseException:
            return "(it can't be shown)"


LOG = Lines()


def fresh():
    registry.commands.clear()
    registry.texts.clear()
    LOG.text = ""
    record.data[:] = bytes(len(record.data))
    record.begin(b"", None)


def message(update_id, text):
    msg = Received()
    msg.update_id = update_id
    msg.chat_id = msg.sender_id = 7
    msg.text = text
    if text.startswith("/"):
        msg.command = text[1:]
    return msg


PLAYED = []  # the gateway that was used last


def play(*texts, first=1):
    """Let a gateway have these messages; returns the texts it sent once all are finished."""
    assembly.channel = Channel
    supervisor.port.watchdog_start = lambda ms: None

    async def scene():
        telemetry = Telemetry()
        gateway = assembly.gateway(Config, telemetry)
        task = asyncio.create_task(gateway.main())
        await asyncio.sleep_ms(1)
        for index, text in enumerate(texts):
            gateway.bus.inbound.put(message(first + index, text))
        while len(gateway.channel.done) < len(texts):
            await asyncio.sleep_ms(5)
            if task.done():
                await task  # which raises why
        await asyncio.sleep_ms(5)  # what a task of its own says
        task.cancel()
        return gateway

    gateway = asyncio.run(scene())
    PLAYED[:] = [gateway]
    assert gateway.channel.done == list(range(first, first + len(texts)))
    assert gateway.worker.msg is None
    return [text for _, text in gateway.channel.sent]


def survives(handler, said, logged=""):
    """The handler's message is answered with `said`, and the next one as ever."""
    fresh()
    handlers.on_command("odd")(handler)
    found = play("/odd", "next")
    assert found == ([said] if said else []) + ["next"], (found, LOG.text)
    assert logged in LOG.text, LOG.text


def test_the_echo():
    fresh()
    assert play("one", "two") == ["one", "two"]


def test_built_in_commands_and_the_unknown():
    fresh()
    found = play("/ping", "/nothing")
    assert found[0] == "pong" and "don't know /nothing" in found[1]


def test_texts_in_order_until_one_takes_it():
    fresh()

    @handlers.on_text
    async def first(msg):
        if msg.text == "pass":
            return False
        await msg.answer("first")

    @handlers.on_text
    def second(msg):
        return "second" if msg.text == "pass" else False

    assert play("a", "pass", "/other") == ["first", "second", "first"]


def test_a_str_that_is_returned_is_the_answer():
    survives(lambda msg: "plain", "plain")

    async def handler(msg):
        await asyncio.sleep_ms(1)
        return "async"

    survives(handler, "async")


def test_what_is_yielded_is_the_answer():
    def handler(msg):
        yield "one, "
        yield "two"

    survives(handler, "one, two")

    async def waiting(msg):
        yield "three, "
        await asyncio.sleep_ms(1)
        yield "four"

    survives(waiting, "three, four")


def test_a_generator_that_awaits_is_an_answer():
    async def parts():
        yield "one, "
        await asyncio.sleep_ms(1)
        yield "two"

    async def handler(msg):
        await msg.answer(parts())

    survives(handler, "one, two")


def test_a_yield_that_nothing_comes_back_from():
    async def handler(msg):
        yield

    survives(handler, SORRY, "waits for what never comes")

    async def stubborn(msg):
        while True:
            try:
                yield
            except BaseException:
                pass

    survives(stubborn, SORRY)

    async def nested(msg):
        await handler(msg)

    survives(nested, SORRY)

    def parts():
        yield "one"
        yield

    async def answering(msg):
        await msg.answer(parts())

    survives(answering, SORRY)


def test_what_is_yielded_and_no_str():
    def handler(msg):
        yield 5

    survives(handler, SORRY, "a handler yields str")

    async def answering(msg):
        await msg.answer([5])

    survives(answering, SORRY, "an answer is made of str")


def test_a_handler_without_an_end():
    async def handler(msg):
        while True:
            await asyncio.sleep_ms(1)

    survives(handler, TOO_LONG, "gave up after")

    async def deaf(msg):
        while True:
            try:
                await asyncio.sleep_ms(1)
            except BaseException:
                pass

    survives(deaf, TOO_LONG, "gave up after")

    async def waiting(msg):
        await Signal()

    survives(waiting, TOO_LONG)


def test_a_cancel_that_nobody_asked_for():
    async def handler(msg):
        async def other():
            await asyncio.sleep_ms(1000)

        task = asyncio.create_task(other())
        await asyncio.sleep_ms(1)
        task.cancel()
        await task

    survives(handler, SORRY, "CancelledError")


def test_every_exception():
    class Odd(Exception):
        def __str__(self):
            raise ValueError("no words")

    class Base(BaseException):
        pass

    for error in (
        ValueError("x"),
        SystemExit(3),
        GeneratorExit(),
        Base("y"),
        StopAsyncIteration(),
    ):

        def handler(msg, error=error):
            raise error

        async def waiting(msg, error=error):
            await asyncio.sleep_ms(1)
            raise error

        name = type(error).__name__
        survives(handler, SORRY, name)
        survives(waiting, SORRY, name)

    def unspeakable(msg):
        raise Odd

    survives(unspeakable, SORRY, "Odd: (it can't be shown)")


def test_what_a_handler_does_wrong_is_counted():
    fresh()

    @handlers.on_command("odd")
    def handler(msg):
        raise ValueError

    play("/odd", "next", "/odd")
    assert PLAYED[0].stats.handler_errors == 2


def test_no_memory_for_a_text():
    def handler(msg):
        raise MemoryError("memory allocation failed")

    survives(handler, NO_ROOM)


def test_ctrl_c_ends_the_gateway():
    fresh()

    @handlers.on_command("odd")
    def handler(msg):
        raise KeyboardInterrupt

    try:
        play("/odd")
    except KeyboardInterrupt:
        return
    raise AssertionError


def test_an_update_that_brought_the_process_down_twice_is_left_alone():
    fresh()
    calls = []

    @handlers.on_command("reboot")
    def handler(msg):
        calls.append(1)
        raise KeyboardInterrupt  # as good as a reset: nothing after it runs

    for _ in range(2):
        try:
            play("/reboot", first=41)
        except KeyboardInterrupt:
            kept = bytes(record.data)
            record.begin(kept, None)
    found = play("/reboot", "next", first=41)
    assert len(calls) == 2
    assert "brought me down twice" in found[0] and found[1] == "next", found
    assert "update 41 has brought the gateway down twice" in LOG.text


def test_a_worker_that_fails_outside_of_a_handler_finishes_its_message():
    fresh()

    class Bad(str):
        pass

    found = []
    original = worker.Worker.finish

    def broken(self):
        if self.msg.text == "bad" and not found:
            found.append(self.msg)
            raise ValueError("any fault of our own")
        original(self)

    worker.Worker.finish = broken
    try:
        sent = play("bad", "next")
    finally:
        worker.Worker.finish = original
    assert "next" in sent and SORRY in sent, (sent, LOG.text)


def test_a_task_that_always_fails_is_started_again_later_and_later():
    fresh()
    started = []
    clock = []

    class Failing(Channel):
        async def run(self):
            started.append(clock[0].seconds)
            raise ValueError("always the same")

    assembly.channel = Failing
    supervisor.port.watchdog_start = lambda ms: None

    async def scene():
        gateway = assembly.gateway(Config, Telemetry())
        clock.append(gateway)
        task = asyncio.create_task(gateway.main())
        while not task.done():
            await asyncio.sleep_ms(1)
            gateway.seconds += 1  # time flies
            gateway.tick.set()
        await task

    try:
        asyncio.run(scene())
    except ValueError:
        gaps = [after - before for before, after in zip(started, started[1:])]
        assert len(started) == 5 and gaps[0] >= 2, started
        for before, after in zip(gaps, gaps[1:]):
            assert after > before, gaps
        return
    raise AssertionError


class NoRoomFor:
    """Where the module `name` can't be loaded: the heap is full."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.before = builtins.__import__
        builtins.__import__ = self.load

    def __exit__(self, *raised):
        builtins.__import__ = self.before

    def load(self, *how):
        if len(how) > 3 and how[3] and self.name in how[3]:
            raise MemoryError("no room for it")
        return self.before(*how)


def test_failures_that_nothing_can_be_said_of_are_not_repeated_for_ever():
    channel = TelegramChannel()
    with NoRoomFor("trouble"):
        for failures in range(3):
            assert channel._failed(OSError(104), failures) > 0
        try:
            channel._failed(OSError(104), 3)
            raise AssertionError("in silence, for ever")
        except MemoryError:
            pass


def test_a_task_whose_failure_can_not_be_looked_at_ends_the_gateway():
    fresh()
    looks = []

    class Failing(Channel):
        async def run(self):
            raise MemoryError("the heap is full")

    assembly.channel = Failing
    supervisor.port.watchdog_start = lambda ms: None

    async def scene():
        gateway = assembly.gateway(Config, Telemetry())
        task = asyncio.create_task(gateway.main())
        while not task.done() and len(looks) < 100:
            await asyncio.sleep_ms(1)
            looks.append(1)
            gateway.tick.set()
        assert task.done(), "in silence, for ever"
        await task

    with NoRoomFor("failures"):
        try:
            asyncio.run(scene())
        except MemoryError:
            return
    raise AssertionError


def test_the_watchdog_is_fed_while_both_tasks_show_a_sign_of_life():
    assembly.channel = Channel
    gateway = assembly.gateway(Config, Telemetry())
    assert gateway._alive()
    gateway.worker.stuck = True  # a handler that goes on whatever is done
    assert not gateway._alive()
    gateway.worker.stuck = False
    gateway.channel.alive_ms = supervisor.ticks_add(supervisor.ticks_ms(), -200000)
    assert not gateway._alive()
    gateway.channel.state = "linking"  # which has remedies of its own
    assert gateway._alive()

"""Whatever a handler does, it is noticed, its sender is told, and the next message is worked on (fakes/gateway.py)."""

import asyncio

from copepod import handlers, worker
from copepod.messages import TOO_LONG as NO_ROOM
from copepod.signal import Signal
from fakes.gateway import LOG, PLAYED, SORRY, TOO_LONG, fresh, play


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

"""The queue in asyncio's place: deadlines, kept sockets, other streams, no spinning, no garbage."""

import asyncio
import gc
import socket
from time import ticks_add, ticks_diff, ticks_ms

import asyncio.core as core
from copepod.net import asyncio_queue
from copepod.net.wait import READ, WRITE, KeepIOQueue
from copepod.net.waiter import Until, new_waiter

FIRST_PORT = 21000 + ticks_ms() % 20000


class CountingPoller:
    """Counts how often the loop asks the real poller."""

    def __init__(self, poller):
        self.poller = poller
        self.asked = 0

    def ipoll(self, timeout):
        self.asked += 1
        return self.poller.ipoll(timeout)

    def register(self, stream, events):
        self.poller.register(stream, events)

    def modify(self, stream, events):
        self.poller.modify(stream, events)

    def unregister(self, stream):
        self.poller.unregister(stream)


def pair():
    """Two connected sockets that do not block."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for port in range(FIRST_PORT, FIRST_PORT + 1000):
        address = socket.getaddrinfo("127.0.0.1", port)[0][-1]
        try:
            server.bind(address)
            break
        except OSError:
            pass
    server.listen(1)
    here = socket.socket()
    here.connect(address)
    there = server.accept()[0]
    server.close()
    here.setblocking(False)
    there.setblocking(False)
    return here, there


def run(coroutine, install=True):
    """Run in a fresh loop, with the queue in its place."""
    asyncio.new_event_loop()
    if install:
        assert asyncio_queue.install()
    try:
        return asyncio.run(coroutine)
    finally:
        asyncio.new_event_loop()


def later(ms):
    return ticks_add(ticks_ms(), ms)


async def nap(ms):
    await asyncio.sleep_ms(ms)


async def until(waiter, events, deadline):
    """Wait as the HTTP client does: try, sleep, look at the time."""
    try:
        while True:
            await Until(waiter, events, deadline)
            if waiter.stream.read(1):
                return True
    except OSError:
        return False


def test_bytes_wake_the_task():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)

        async def write():
            await asyncio.sleep_ms(30)
            there.write(b"x")

        task = asyncio.create_task(write())
        started = ticks_ms()
        assert await until(waiter, READ, later(5000))
        assert 20 <= ticks_diff(ticks_ms(), started) < 8000
        await task
        waiter.close()
        here.close()
        there.close()

    run(main())


def test_deadline():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        for others in (False, True):  # alone, and with a task that sleeps longer
            task = asyncio.create_task(nap(400 if others else 0))
            await asyncio.sleep_ms(1)
            started = ticks_ms()
            assert not await until(waiter, READ, later(50))
            assert 45 <= ticks_diff(ticks_ms(), started) < 8000
            await task
        there.write(b"x")  # and it still works afterwards
        assert await until(waiter, READ, later(9000))
        waiter.close()
        here.close()
        there.close()

    run(main())


def test_writable():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        await Until(waiter, WRITE, later(9000))
        while here.write(b"x" * 4096):
            pass

        async def read():
            await asyncio.sleep_ms(30)
            while there.read(65536):
                pass

        task = asyncio.create_task(read())
        started = ticks_ms()
        await Until(waiter, WRITE, later(9000))
        assert 20 <= ticks_diff(ticks_ms(), started) < 8000
        assert here.write(b"y")
        await task
        # Waiting to read now must not be ended by the socket being writable.
        started = ticks_ms()
        assert not await until(waiter, READ, later(60))
        assert 50 <= ticks_diff(ticks_ms(), started) < 8000
        waiter.close()
        here.close()
        there.close()

    run(main())


def test_cancel():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        task = asyncio.create_task(until(waiter, READ, later(5000)))
        await asyncio.sleep_ms(10)
        task.cancel()
        try:
            await task
            raise AssertionError("not cancelled")
        except asyncio.CancelledError:
            pass
        there.write(b"x")
        await asyncio.sleep_ms(20)  # nobody is there for it
        assert await until(waiter, READ, later(9000))
        waiter.close()
        here.close()
        there.close()

    run(main())


def asked_while_asleep(prepare):
    """How often the loop polled during 200 ms of sleep after `prepare(here, there, waiter)`."""

    async def main():
        queue = core._io_queue
        queue.poller = CountingPoller(queue.poller)
        here, there = pair()
        waiter = new_waiter(here)
        await Until(waiter, WRITE, later(9000))
        await until(waiter, READ, later(5))
        prepare(here, there)
        await asyncio.sleep_ms(1)
        before = queue.poller.asked
        await asyncio.sleep_ms(200)
        asked = queue.poller.asked - before
        try:
            await Until(waiter, READ, later(2000))
            got = here.read(1)
        except OSError:
            got = b""
        waiter.close()
        here.close()
        there.close()
        return asked, got

    return run(main())


def test_what_nobody_waits_for_does_not_end_every_sleep():
    asked, got = asked_while_asleep(lambda here, there: there.write(b"x"))
    assert asked < 10 and got == b"x", asked
    asked, got = asked_while_asleep(lambda here, there: there.close())
    assert asked < 10 and got == b"", asked
    asked, _ = asked_while_asleep(lambda here, there: None)
    assert asked < 10, asked


def test_streams_are_served_beside_it():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        served = []

        async def serve(reader, writer):
            line = await reader.readline()
            served.append(line)
            writer.write(b"you said " + line + b"." * 50000)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        port = FIRST_PORT + 1000
        while True:
            try:
                server = await asyncio.start_server(serve, "127.0.0.1", port)
                break
            except OSError:
                port += 1

        async def ask(i):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello %d\n" % i)
            await writer.drain()
            total = 0
            while True:
                data = await reader.read(4096)
                if not data:
                    break
                total += len(data)
            await writer.wait_closed()
            return total

        patient = asyncio.create_task(until(waiter, READ, later(5000)))
        totals = await asyncio.gather(*[ask(i) for i in range(4)])
        assert totals == [50000 + 17] * 4, totals
        assert len(served) == 4
        there.write(b"x")
        assert await patient
        queue = core._io_queue
        assert len(queue.map) == 2, queue.map  # the listening socket and the kept one
        waiter.close()
        assert len(queue.map) == 1
        server.close()
        await server.wait_closed()
        assert not queue.map
        here.close()
        there.close()

    run(main())


def test_waits_make_no_garbage():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        buffer = bytearray(1)
        other = bytearray(b"x")

        async def bounce():
            while True:
                while there.readinto(buffer) is None:
                    await asyncio.sleep_ms(0)
                there.write(other)

        task = asyncio.create_task(bounce())
        window = bytearray(1)

        async def rounds(count):
            for _ in range(count):
                here.write(other)
                while here.readinto(window) is None:
                    parked.wait_until = later(9000)
                    await parked

        class Parked:
            wait_until = 0
            asleep = False

            def __init__(self):
                self.stop = StopIteration()

            def __iter__(self):
                return self

            def __next__(self):
                if self.asleep:
                    self.asleep = False
                    self.stop.__traceback__ = None
                    raise self.stop
                self.asleep = True
                waiter.park(READ, self.wait_until)

        parked = Parked()
        await rounds(20)
        gc.collect()
        gc.disable()
        before_b = gc.mem_alloc()
        await rounds(200)
        grown_b = gc.mem_alloc() - before_b
        gc.enable()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        waiter.close()
        here.close()
        there.close()
        print("  %d B for 200 waits" % grown_b)
        assert grown_b <= 1024

    run(main())


class FakeCore:
    """Takes the place of asyncio.core in the module under test."""


def installed_over(queue, **missing):
    """Whether install() takes over from `queue`, and what is in place after it."""
    saved = asyncio_queue.core
    fake = FakeCore()
    fake._io_queue = queue
    fake._task_queue = saved._task_queue
    fake.cur_task = None
    for name in missing:
        delattr(fake, name)
    asyncio_queue.core = fake
    try:
        return asyncio_queue.install(), fake
    finally:
        asyncio_queue.core = saved


def stock():
    asyncio.new_event_loop()
    return core._io_queue


def test_install_once():
    done, fake = installed_over(stock())
    assert done and isinstance(fake._io_queue, KeepIOQueue)
    done, again = installed_over(fake._io_queue)
    assert done and again._io_queue is fake._io_queue


def test_install_leaves_an_asyncio_that_it_does_not_know():
    class Newer(type(stock())):
        def queue_something(self, stream):
            pass

    class Without:
        map = {}

        def queue_read(self, stream):
            pass

    queue = Newer()
    done, fake = installed_over(queue)
    assert not done and fake._io_queue is queue
    assert not installed_over(Without())[0]
    assert not installed_over(None)[0]
    assert not installed_over(7)[0]
    assert not installed_over(stock(), cur_task=1)[0]
    assert not installed_over(stock(), _task_queue=1)[0]
    busy = stock()
    busy.map[1] = None
    assert not installed_over(busy)[0]


def test_without_the_queue_waits_still_end():
    async def main():
        here, there = pair()
        waiter = new_waiter(here)
        assert waiter.queue is None

        async def write():
            await asyncio.sleep_ms(50)
            there.write(b"x")

        task = asyncio.create_task(write())
        assert await until(waiter, READ, later(9000))
        await task
        started = ticks_ms()
        assert not await until(waiter, READ, later(60))
        assert 50 <= ticks_diff(ticks_ms(), started) < 8000
        waiter.close()
        here.close()
        there.close()

    run(main(), install=False)

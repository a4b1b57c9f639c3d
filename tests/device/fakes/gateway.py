"""A gateway with the real supervisor and worker; its channel accepts at once whatever it is given."""

import asyncio
from time import ticks_ms

import copepod.log
import copepod.text.markdown  # noqa: F401  first, since from source its imports go deep
from copepod import assembly, registry, supervisor
from copepod.platform import record
from copepod.received import Received
from copepod.telegram.offsets import Offsets

TIMEOUT_MS = 50
SORRY = "Sorry, something went wrong while I was working on that."
TOO_LONG = "Sorry, that took too long and I gave it up."


class Config:
    allow_from = ("7",)
    bus_capacity = 16
    bus_bytes = 4096
    gateway_health = False
    gateway_handler_timeout_s = 60
    telemetry_interval_s = 1000


class Timeout:
    """Seconds that pass quickly."""

    def __mul__(self, thousand):
        return TIMEOUT_MS


class Impatient(Config):
    """Its handlers have TIMEOUT_MS."""

    gateway_handler_timeout_s = Timeout()


class Stats:
    received = errors = handler_errors = 0


class Telemetry:
    def __init__(self):
        self.stats = Stats()

    def frame(self, *_):
        pass

    event = frame


class Reader:
    bot_id = 99


class Channel:
    """Accepts every answer at once, and lets the supervisor look without a pause.

    The other half of a real one is tests/host/firmware/test_parallel.py's.
    """

    def __init__(self, gateway):
        self.gateway = gateway
        self.state = "waiting"
        self.alive_ms = ticks_ms()
        self.steady = True
        self.outbox = self.api = self
        self.reader = Reader()
        self.offsets = Offsets()
        self.told = 0  # answers that were accepted
        self.keeps = True  # what they are, and the ids of what is done
        self.sent = []
        self.done = []

    def busy(self):
        return False

    def finished(self, update_id):
        if self.keeps:
            self.done.append(update_id)
        if self.offsets.done(update_id):
            record.last_id_store(self.offsets.answered, Reader.bot_id)

    async def run(self):
        queue = self.gateway.bus.outbound
        while True:
            self.alive_ms = ticks_ms()
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
                self.told += 1
                if self.keeps:
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
    """No handlers, nothing logged, and no record of a run before."""
    registry.commands.clear()
    registry.texts.clear()
    LOG.text = ""
    record.data[:] = bytes(len(record.data))
    record.begin(b"", None)


def made(channel=Channel, config=Impatient):
    """A gateway whose tasks are still to be started."""
    assembly.channel = channel
    supervisor.port.watchdog_start = lambda ms: None
    return assembly.gateway(config, Telemetry())


def message(update_id, text, chat_id=7):
    """A message of somebody's to the bot, in their own chat."""
    msg = Received()
    msg.update_id = update_id
    msg.chat_id = msg.sender_id = chat_id
    msg.text = text
    if text.startswith("/"):
        msg.command = text[1:]
    return msg


PLAYED = []  # the gateway that was used last


def play(*texts, first=1):
    """Let a gateway have these messages; returns the texts it sent once all are finished."""

    async def scene():
        gateway = made()
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

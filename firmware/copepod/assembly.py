"""Makes the gateway and its parts from the config. Memory: dropped after use, once at start.

The classes have no __init__ of their own where each is made once: here is all that they begin with.
"""

import sys
from time import ticks_ms

from copepod import arena, registry
from copepod.messages import OutboundMessage
from copepod.net import http_connect
from copepod.net.asyncio_queue import install
from copepod.net.http import Client
from copepod.once import forget
from copepod.parts import access, bus
from copepod.platform import port
from copepod.signal import Signal
from copepod.supervisor import Gateway, Job
from copepod.telegram.api import Api
from copepod.telegram.channel import Channel
from copepod.telegram.offsets import Offsets
from copepod.telegram.outbox import Outbox
from copepod.telegram.poll import Poll
from copepod.telegram.schema import reader
from copepod.text.markdown import Formatter
from copepod.textbuffer import TextBuffer
from copepod.worker import Worker

forget("copepod.net.http_connect")  # the others are joined with this file and go with it


def gateway(config, telemetry):
    """A Gateway with all its parts; main() runs it."""
    install()
    made: "Any" = Gateway()
    made.config = config
    made.stats = telemetry.stats
    made.telemetry = telemetry
    made.wake_worker = Signal()
    made.wake_channel = Signal()
    made.tick = Signal()
    made.access = access(config.allow_from)
    made.bus = bus(config.bus_capacity, config.bus_bytes, made.wake_worker, made.wake_channel)
    made.seconds = made.frame_s = made.frame_count = made.second_count = 0
    made.tick_ms = ticks_ms()
    made.worker = worker(made)
    made.channel = channel(made)
    made.jobs = (job("channel", made.channel.run), job("worker", made.worker.run))
    registry.gateway = made
    steady = sys.modules.get("copepod.steady")
    if steady is not None:
        steady.begin(made)
    return made


def job(name, run):
    """A Job that has not begun."""
    made = Job()
    made.name = name
    made.run = run
    made.task = made.error = None
    made.crashes = made.crashed_s = made.start_s = 0
    return made


def worker(gateway):
    """The Worker of `gateway`."""
    made = Worker()
    made.gateway = gateway
    made.msg = made.steps = None
    made.since_ms = 0
    made.handling = made.stuck = False
    made.asides = []
    made.own = own = OutboundMessage(0, None)
    own.signal = Signal()
    return made


def channel(gateway):
    """The Channel of `gateway`, with its connection and the formatter."""
    config = gateway.config
    buffer = TextBuffer(arena.buffer)
    made: "Any" = Channel()
    made.gateway = gateway
    made.stats = gateway.stats
    made.state = "linking"
    made.alive_ms = ticks_ms()
    made.steady = made.ready_once = made.greeted = made.sent = False
    made.http = Client()
    http_connect.prepare(made.http, config.server, config.server_port, config.tls_context)
    made.api = api(made.http, config.token, buffer, gateway.stats)
    config.token = None  # one copy, in the api
    queue = gateway.bus.outbound
    made.outbox = outbox(queue, gateway.stats, buffer, config.rich_messages, made.api.held_ms)
    made.offsets = Offsets()
    made.poll = poll(config.poll_timeout_s)
    made.callbacks = []
    made.pairing = made.edits = made.ceiling = made.clock_day = made.menu_at = made.typing_at = None
    made.typing_since = None
    made.menu_tries = made.received = made.wait_ms = 0
    made.pause = Signal()
    return made


def made_once(kind):
    """Drop what makes an object of the class `kind`, now that the one there is has been made."""
    kind.__init__ = None  # a deleted slot of a dict keeps its value (py/map.c)
    del kind.__init__


def poll(longest_s):
    """A Poll before the first one."""
    made = Poll()
    made.longest_s = made.next_s = longest_s
    made.began_ms = ticks_ms()
    made.offset = None
    made.left = False
    made.timeout_s = made.cut_s = made.empty = made.pause_ms = 0
    return made


def outbox(queue, stats, buffer, rich, held_ms):
    """An Outbox that has nothing to send."""
    made: "Any" = Outbox()
    made.message = made.whole = made.view = None
    made.aside = []
    made.stats = stats
    made.formatter = Formatter(buffer.data)
    if not made.formatter.keeps_blocks:  # else there is room, or code takes none
        made.formatter.state.need = port.need
    made.rich = rich
    made.queue = queue
    made.held_ms = held_ms
    made.buffer = buffer
    made.pieces = made.form = made.failures = made.taken = 0
    made.ready = made.repeated = made.suspected = False
    return made


def api(http, token, buffer, stats):
    """An Api that calls over `http`."""
    made: "Any" = Api()
    made.http = http
    made.reader = reader(buffer)
    made.reader.need = port.need
    made.polls = made.method = made.status = 0
    made.conflict = made.doubted = False
    made.key = None
    made.path = b"/bot" + token.encode() + b"/"
    made.stats = stats
    made.holds = []
    made.json = True
    made.begun = False
    made.text = http.write  # a piece of JSON as it is, bytes or ASCII
    made.number = http.write_int  # an int of any size
    made.run = http.write_json  # (buffer, start, end): UTF-8 inside a JSON string
    return made

"""Scenario files: what Telegram sends, what goes wrong, what must come back, which budgets hold.

A scenario is TOML in tests/scenarios/. Every key has a default; an unknown key or a wrong type is
a UserError that names file and key. docs/live.md lists them.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools import text_files
from host_tools.errors import UserError
from host_tools.paths import ROOT
from host_tools.scenarios.corpus import SCRIPTS
from host_tools.simulator.certs import CHAINS, DEFAULT_CHAIN
from host_tools.simulator.faults import KINDS

FOLDER = ROOT / "tests/scenarios"


@dataclass
class Messages:
    """Numbered texts that the gateway must answer with themselves."""

    count: int = 50
    lengths: list[int] = field(default_factory=lambda: [60])  # UTF-16 units, in turn
    scripts: list[str] = field(default_factory=lambda: list(SCRIPTS))  # in turn
    waiting: int = 0  # most messages unanswered at a time; 0: all are sent at once
    settle: int = 0  # so many are answered first; growth is counted from there
    pad: int = 0  # bytes of padding
    pad_every: int = 1  # of every so many updates
    pad_at: str = "after"
    order: str = "chat-first"


@dataclass
class Update:
    """One other update, and the answer it must get: a regular expression, or none at all."""

    text: str | None = None
    media: str | None = None  # a key of simulator.updates.MEDIA
    callback: str | None = None
    json: dict[str, Any] | None = None
    fields: dict[str, Any] = field(default_factory=dict)  # join the message
    user: int | None = None
    chat: int | None = None
    kind: str = "message"
    times: int = 1
    answer: str | None = None
    waits: bool = False  # its answer comes after the next one's


@dataclass
class FaultPlan:
    """One entry for the simulator's table of faults."""

    kind: str
    method: str = "*"
    count: int = 1  # 0: for ever
    after: int = 0
    every: int = 1
    args: dict[str, Any] = field(default_factory=dict)


@dataclass
class Kills:
    """SIGKILL at random instants, and a restart each time.

    With `on`, methods of the Bot API in turn, the instants are counted from one of the first calls
    of that method in each life; else from its first call.
    """

    count: int = 0
    on: list[str] = field(default_factory=list)
    shortest_s: float = 0.0  # after the gateway's first call
    longest_s: float = 0.06
    seed: int = 1


@dataclass
class Outages:
    """The network is gone for a while, again and again, spread evenly over the messages."""

    count: int = 0
    seconds: float = 5.0


@dataclass
class Place:
    """How the gateway runs."""

    heap: str | None = None
    app: str | None = None  # None: as the target has it, "mpy" or "frozen"
    gc: str = "auto"
    pre: str = ""
    bot: str | None = None


@dataclass
class Server:
    """How the simulator behaves beside its faults."""

    tls: bool = True
    flood_limits: bool = False
    rich: bool = False
    chain: str = DEFAULT_CHAIN  # the certificates, one of simulator.certs.CHAINS
    first_update_id: int = 100_000_001


@dataclass
class Expect:
    """What must come back."""

    lost: int = 0
    duplicates: int = 0
    repeated_by_kill: int = 1  # answers that one kill may lead to a second time
    in_order: bool = True
    rejected: int = 0
    tls_connections: int = 1  # at most; 0: not counted
    exit: int | None = None  # the gateway must end by itself with this status
    log: list[str] = field(default_factory=list)  # found on the console, in this order
    log_absent: list[str] = field(default_factory=lambda: ["Traceback", "MemoryError"])


@dataclass
class Budget:
    """Limits; None is not judged."""

    growth_b: int | None = None  # of live heap between `settle` and the end
    garbage_b: int | None = None  # per message, rule 3a, texts of 60 units
    rss_kb: int | None = None
    median_ms: float | None = None
    live_b: int | None = None  # live heap at the end


@dataclass
class Scenario:
    """A whole scenario file."""

    name: str = ""
    about: str = ""
    timeout_s: float = 60.0
    messages: Messages = field(default_factory=Messages)
    updates: list[Update] = field(default_factory=list)
    faults: list[FaultPlan] = field(default_factory=list)
    kills: Kills = field(default_factory=Kills)
    outages: Outages = field(default_factory=Outages)
    device: Place = field(default_factory=Place)
    server: Server = field(default_factory=Server)
    expect: Expect = field(default_factory=Expect)
    budget: Budget = field(default_factory=Budget)
    config: dict[str, Any] = field(default_factory=dict)  # laid over the gateway's config


_ROOMS: dict[str, type] = {
    "messages": Messages,
    "kills": Kills,
    "outages": Outages,
    "device": Place,
    "server": Server,
    "expect": Expect,
    "budget": Budget,
}
_LISTS: dict[str, type] = {"updates": Update, "faults": FaultPlan}
_PLAIN = ("name", "about", "timeout_s", "config")


def names() -> list[str]:
    """The scenarios that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """The scenario of that name, or in the file of that path."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        data = tomllib.loads(text_files.decode(path.read_bytes(), str(path)))
    except FileNotFoundError:
        raise UserError(f"no scenario {name!r}: there are {', '.join(names())}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from None
    data.setdefault("name", path.stem)
    return parse(data, str(path))


def parse(data: dict[str, Any], place: str) -> Scenario:
    """A scenario from the parsed TOML; UserError names the key that is wrong."""
    scenario = Scenario()
    for key, value in data.items():
        where = f"{place}: {key}"
        if key in _PLAIN:
            setattr(scenario, key, value)
        elif key in _ROOMS:
            setattr(scenario, key, _fill(_ROOMS[key], value, where))
        elif key in _LISTS:
            if not isinstance(value, list):
                raise UserError(f"{where}: expected [[{key}]]")
            setattr(scenario, key, [_fill(_LISTS[key], entry, where) for entry in value])
        else:
            known = [*_PLAIN, *_ROOMS, *_LISTS]
            raise UserError(f"{where}: unknown key, expected one of {', '.join(known)}")
    _check(scenario, place)
    return scenario


def _fill(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a table")
    made = {}
    fields = {f.name: f for f in dataclasses.fields(kind)}
    defaults = kind(**({"kind": ""} if kind is FaultPlan else {}))
    for key, entry in value.items():
        if key not in fields:
            raise UserError(f"{where}.{key}: unknown key, expected one of {', '.join(fields)}")
        sample = getattr(defaults, key)
        accepted = (int, float) if isinstance(sample, float) else type(sample)
        if sample is not None and not isinstance(entry, accepted):
            raise UserError(f"{where}.{key}: {entry!r} is no {type(sample).__name__}")
        made[key] = entry
    try:
        return kind(**made)
    except TypeError as error:
        missing = str(error).partition("argument: ")[2]
        raise UserError(f"{where}: {missing or error} is missing") from None


def _check(scenario: Scenario, place: str) -> None:
    for fault in scenario.faults:
        if fault.kind not in KINDS:
            raise UserError(f"{place}: faults.kind: {fault.kind!r}, expected one of {list(KINDS)}")
    if scenario.server.chain not in CHAINS:
        chain = scenario.server.chain
        raise UserError(f"{place}: server.chain: {chain!r}, expected one of {', '.join(CHAINS)}")
    for script in scenario.messages.scripts:
        if script not in SCRIPTS:
            raise UserError(f"{place}: messages.scripts: {script!r}, expected of {list(SCRIPTS)}")
    for length in scenario.messages.lengths:
        if not 16 <= length <= 4096:
            raise UserError(f"{place}: messages.lengths: {length}, expected 16 to 4096")
    if scenario.messages.count and not (scenario.messages.lengths and scenario.messages.scripts):
        raise UserError(f"{place}: messages: lengths and scripts can't be empty")

"""`copepod compare`: time per message, beside a new TLS connection for every call.

Both answer the same messages from the same kind of server on the same machine, in turns within one
run: firmware/bench/fresh_connections.py works the way that Telegram libraries on MicroPython do,
the gateway keeps its one connection. The gateway verifies the certificate, the other does not.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import time
from pathlib import Path

import click
from rich.table import Table

from host_tools import paths, targets
from host_tools.errors import UserError
from host_tools.scenarios import corpus, results, scenario
from host_tools.scenarios.live import run_once
from host_tools.scenarios.terminal import screen
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.process import ProcessTarget

TIMES = 50  # the gateway must take at most this part of the other's time
ROUNDS = 3
MORE = 5  # so many times the messages for the gateway, whose rounds would be too short

_FRESH = """\
import sys
sys.path.insert(0, {firmware!r})
from bench import fresh_connections
fresh_connections.run("localhost", {port}, {token!r}, {count})
"""


def fresh(target: ProcessTarget, messages: int) -> tuple[float, int]:
    """(ms per message, handshakes) of a new connection for each call."""
    with Simulator() as sim:
        for number in range(messages):
            sim.push_text(corpus.text(number, "ascii", 60)[0], user=USER)
        script = _FRESH.format(
            firmware=str(paths.FIRMWARE), port=sim.port, token=sim.token, count=messages
        )
        command = target.command("-X", "heapsize=1M", "-c", script)
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=30 + messages * 2, check=False
        )
        if run.returncode or len(sim.sent) != messages:
            raise UserError(f"the comparison's bot failed: {(run.stdout + run.stderr)[-300:]}")
        began = min(sim.delivered.values())
        return (sim.sent[-1].at - began) * 1000 / messages, sim.handshakes


def kept(target: ProcessTarget, messages: int, heap: str | None) -> tuple[float, int]:
    """(ms per message, handshakes) of the gateway."""
    plan = scenario.load("live")
    plan.messages.count = messages
    plan.messages.scripts = ["ascii"]
    plan.device.heap = heap
    result = run_once(plan, target)
    if not result.ok:
        raise UserError(f"the gateway failed: {result.failures[0].label}: see `copepod live`")
    return result.tally.per_message_ms, result.figures["tls_connections"]


@click.command("compare")
@click.option("--messages", type=click.IntRange(5), default=40, show_default=True, help="A round.")
@click.option("--target", default="unix", show_default=True, help="unix, unix32, unix64, riscv64.")
@click.option("--heap", help="The gateway's GC heap, like 128k.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def compare_command(messages: int, target: str, heap: str | None, path: Path | None) -> None:
    """Time per message: the gateway, and a new TLS connection for every call."""
    place = targets.get(target)
    if not isinstance(place, ProcessTarget):
        raise UserError(f"--target {target}: expected an interpreter on this machine")
    console = screen()
    rounds = []
    for turn in range(ROUNDS):
        slow, many = fresh(place, messages)
        fast, few = kept(place, messages * MORE, heap)
        rounds.append(
            {
                "fresh_ms": slow,
                "kept_ms": fast,
                "times": slow / fast,
                "fresh_handshakes": many / messages,
                "kept_handshakes": few / (messages * MORE),
            }
        )
        console.print(
            f"round {turn + 1}: {slow:.1f} ms and {many} handshakes, {fast:.2f} ms and {few}"
        )
    table = Table(title=f"time per message, {messages} messages over TLS, {place.name}")
    for heading in ("way of working", "ms per message", "handshakes per message"):
        table.add_column(heading)
    middle = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    for way, name in (("a new connection for every call", "fresh"), ("Copepod", "kept")):
        shakes = f"{middle[name + '_handshakes']:g}"
        table.add_row(way, f"{middle[name + '_ms']:.2f}", shakes)
    console.print(table)
    ratio = middle["times"]
    ok = ratio >= TIMES
    console.print(f"{'PASS' if ok else 'FAIL'}: 1/{ratio:.0f} of the time, limit 1/{TIMES}")
    command = f"copepod compare --target {target} --messages {messages}"
    command += f" --heap {heap}" if heap else ""
    path = results.place(f"compare-{place.name}", path, command)
    data = {
        "command": command,
        "firmware": results.firmware(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.platform(),
        "interpreter": place.interpreter(),
        "word_bits": place.word_bits,
        "messages": messages,
        "rounds": rounds,
        "times": ratio,
        "ok": ok,
    }
    path.write_text(json.dumps(data, indent=2) + "\n")
    if not ok:
        raise SystemExit(1)

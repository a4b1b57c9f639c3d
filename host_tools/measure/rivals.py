"""`copepod rivals`: another gateway, measured the way that Copepod is.

    copepod rivals --picoclaw /path/to/picoclaw

The gateway is a binary named by path, started with a config of its own kind in a folder of its own. Its
Bot API server is the simulator, over TLS; its model repeats what was said (model_server.py). It gets the
texts of the live scenario one after the other with a pause between, and its resident memory is that
of the process whose name was checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from host_tools.errors import UserError
from host_tools.measure.model_server import MODEL, ModelServer
from host_tools.scenarios import corpus, results, scenario
from host_tools.scenarios.terminal import scratch, screen
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.process import ProcessDevice

START_S = 60.0  # until the first poll
ANSWER_S = 20.0  # for one message
SETTINGS = ("GOMEMLIMIT", "GOGC")  # of Go's collector, told in the result where they are set
NEEDED = (
    "name a gateway to measure: `copepod rivals --picoclaw BINARY`, "
    "built from github.com/sipeed/picoclaw (`go build -tags goolm,stdjson ./cmd/picoclaw`)"
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Rival:
    """How a kind of gateway is started."""

    arguments: list[str]
    config: Callable[[Simulator, ModelServer, Path], Json]
    environment: Callable[[Path], dict[str, str]]


def _picoclaw(sim: Simulator, model: ModelServer, home: Path) -> Json:
    # The third version of its config; everything but Telegram is off.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    channel = {
        "enabled": True,
        "type": "telegram",
        "allow_from": [str(USER)],
        "settings": {"token": sim.token, "base_url": sim.base_url},
    }
    return {
        "version": 3,
        "agents": {"defaults": {"workspace": str(home / "workspace"), "model_name": MODEL}},
        "model_list": [
            {
                "model_name": MODEL,
                "model": f"openai/{MODEL}",
                "api_base": model.base_url,
                "api_keys": ["none"],
            }
        ],
        "channel_list": {"telegram": channel},
        "heartbeat": {"enabled": False},
        "gateway": {"host": "127.0.0.1", "port": port},
    }


PICOCLAW = Rival(
    ["gateway"],
    _picoclaw,
    lambda home: {"PICOCLAW_HOME": str(home), "PICOCLAW_CONFIG": str(home / "config.json")},
)


def measure(
    rival: Rival,
    binary: Path,
    messages: int,
    pause_s: float,
    progress: Callable[[str], None] = lambda text: None,
) -> Json:
    """Start it, say `messages` texts to it, end it; returns the result without its command."""
    plan = scenario.load("live").messages
    with scratch() as home, ModelServer() as model, Simulator() as sim:
        sim.know(USER)
        device = _start(rival, binary, sim, model, home)
        try:
            if not sim.wait(lambda: sim.calls_of("getUpdates"), START_S):
                raise UserError(f"{binary} never polled: {_last_words(device)}")
            at_start = device.rss()
            answered = 0
            samples = []
            for number in range(messages):
                text, _ = corpus.text(
                    number, plan.scripts[number % len(plan.scripts)], plan.lengths[0]
                )
                sim.push_text(text)
                answered += _answered(sim, f"m{number} ")
                sample = device.rss()
                if sample is None:
                    raise UserError(
                        f"{binary} ended after {number} messages: {_last_words(device)}"
                    )
                samples.append(sample)
                progress(f"{answered} of {number + 1} answered, RSS {sample['rss_kb']:,} kB")
                time.sleep(pause_s)  # what comes at once it takes for one message
        finally:
            device.stop()
    return {
        "binary": {"name": binary.name, "bytes": binary.stat().st_size, "sha256": _digest(binary)},
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "word_bits": 64 if platform.machine().endswith("64") else 32,
        "messages": {"sent": messages, "answered": answered},
        "pause_s": pause_s,
        "model_asked": model.asked,
        "rss_start": at_start,
        "rss": max(samples, key=lambda sample: sample["rss_kb"]),
        "rss_end": samples[-1],
        "ok": answered == messages,
    }


def _start(
    rival: Rival, binary: Path, sim: Simulator, model: ModelServer, home: Path
) -> ProcessDevice:
    (home / "workspace").mkdir()
    path = home / "config.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(rival.config(sim, model, home), indent=2))
    authority = home / "authority.pem"
    authority.write_text(ssl.DER_cert_to_PEM_cert(sim.ca_der))
    kept = {name: os.environ[name] for name in ("PATH", *SETTINGS) if name in os.environ}
    environment = kept | rival.environment(home)
    environment |= {"HOME": str(home), "SSL_CERT_FILE": str(authority)}
    command = [str(binary), *rival.arguments]
    try:
        return ProcessDevice(command, environment, home, binary.name)
    except OSError as error:
        raise UserError(f"{binary}: {error.strerror}") from error


def _answered(sim: Simulator, tag: str) -> bool:
    # An answer may be a placeholder first, which is edited.
    return bool(sim.wait(lambda: any(tag in sent.text for sent in sim.sent), ANSWER_S))


def _last_words(device: ProcessDevice) -> str:
    lines = [line for line in device.text().splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@click.command("rivals")
@click.option("--picoclaw", type=click.Path(path_type=Path), help="A PicoClaw binary.")
@click.option("--revision", default="", help="What it was built from: told in the result.")
@click.option("--messages", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--pause", "pause_s", type=float, default=0.5, show_default=True, help="Seconds between them."
)
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def rivals_command(
    picoclaw: Path | None, revision: str, messages: int, pause_s: float, path: Path | None
) -> None:
    """Measure another gateway with the live scenario: answers and resident memory."""
    if picoclaw is None:
        raise UserError(NEEDED)
    if not os.access(picoclaw, os.X_OK) or picoclaw.is_dir():
        raise UserError(f"{picoclaw}: no program; {NEEDED}")
    console = screen()
    with console.status("starting") as status:
        found = measure(PICOCLAW, picoclaw.resolve(), messages, pause_s, status.update)
    command = f"copepod rivals --picoclaw BINARY --messages {messages} --pause {pause_s:g}"
    command += f" --revision {shlex.quote(revision)}" if revision else ""
    for name, value in found["settings"].items():
        command = f"{name}={value} {command}"
    setting = "-".join(
        ["picoclaw", *(f"{name}-{value}".lower() for name, value in found["settings"].items())]
    )
    path = results.place(f"rivals-{setting}", path, command)
    data = {
        "command": command,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.platform(),
        "revision": revision,
        **found,
    }
    path.write_text(json.dumps(data, indent=2) + "\n")
    tally, rss = found["messages"], found["rss"]
    console.print(
        f"{tally['answered']} of {tally['sent']} answered; RSS {found['rss_start']['rss_kb']:,} kB at start, "
        f"{rss['rss_kb']:,} kB at most ({rss['anon_kb']:,} anonymous) of process {rss['name']!r}"
    )
    console.print(f"written to {results.shown(path)}")
    if not found["ok"]:
        raise SystemExit(1)

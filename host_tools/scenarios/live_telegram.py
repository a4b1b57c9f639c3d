"""`copepod live` against the real Telegram: you send the messages, the report is the same.

A bot never receives what it sends itself, so a person has to. What the gateway makes of each
message is told by a handler that prints two lines: one when it begins and one when Telegram has
accepted the answer. The connection is the gateway's own, with nothing in between.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from host_tools.console import visible
from host_tools.errors import UserError
from host_tools.install.provision import check_allow, check_token
from host_tools.scenarios.result import Result, Row, Tally
from host_tools.scenarios.scenario import Scenario
from host_tools.scenarios.terminal import scratch
from host_tools.scenarios.verdict import growth, percentile
from host_tools.targets.target import Device, Start, Target

MESSAGES = 5  # asked for when --messages does not say
PATIENCE_S = 300.0
START_S = 60.0

BOT = """\
from time import ticks_diff, ticks_ms
from copepod.handlers import on_text

@on_text
async def echo(msg):
    start = ticks_ms()
    print("@live in", msg.update_id)
    await msg.answer(msg.text)
    print("@live out", msg.update_id, ticks_diff(ticks_ms(), start))
"""

_LINE = re.compile(r"@live (in|out) (\d+)(?: (\d+))?$")


def real_config(environ: dict[str, str]) -> dict[str, Any]:
    """The gateway's config for the real Telegram, from TELEGRAM_TOKEN, ALLOW and BASE_URL."""
    try:
        token = check_token(environ["TELEGRAM_TOKEN"])
    except UserError as error:
        raise UserError(f"TELEGRAM_TOKEN: {error}") from None
    try:
        allow = check_allow(environ.get("ALLOW", ""))
    except UserError as error:
        raise UserError(f"ALLOW: {error}") from None
    telegram: dict[str, Any] = {"enabled": True, "token": token, "allow_from": allow}
    if environ.get("BASE_URL"):
        telegram["base_url"] = environ["BASE_URL"]
    return {"channels": {"telegram": telegram}, "telemetry": {"interval_s": 1}}


class Watch:
    """Follows a device's console for what its handler tells."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.begun: list[int] = []
        self.done: list[int] = []
        self.times_ms: list[float] = []
        self.first_at = self.last_at = 0.0

    def look(self) -> int:
        """Read the console anew; returns how many messages were answered."""
        self.begun, self.done, self.times_ms = [], [], []
        for line in self.device.find(r"^@live "):
            found = _LINE.match(line.text)
            if found is None:
                continue
            if found[1] == "in":
                self.first_at = self.first_at or line.at
                self.begun.append(int(found[2]))
            else:
                self.last_at = line.at
                self.done.append(int(found[2]))
                self.times_ms.append(float(found[3] or 0))
        return len(set(self.done))


def run(plan: Scenario, place: Target, console: Console, messages: int | None = None) -> Result:
    """Start the gateway with the owner's token, wait for messages, and judge."""
    wanted = messages or MESSAGES
    config = real_config(dict(os.environ))
    began = time.monotonic()
    with scratch() as folder:
        device = place.start(
            Start(
                config,
                workdir=Path(folder),
                heap=plan.device.heap,
                app=plan.device.app or place.default_app,
                bot=BOT,
            )
        )
        rss = None
        try:
            watch = Watch(device)
            if device.wait(lambda: device.event("poll"), START_S):
                console.print(
                    f"send {wanted} text messages to your bot now (Ctrl-C ends the wait)"
                )
                rss = _wait(watch, wanted, console)
        finally:
            device.stop()
    return _result(plan, place, watch, rss, time.monotonic() - began)


def _wait(watch: Watch, wanted: int, console: Console) -> dict[str, object] | None:
    """Until that many are answered, time is up or the person has had enough."""
    device = watch.device
    deadline = time.monotonic() + PATIENCE_S
    told = shown = 0
    try:
        while watch.look() < wanted and time.monotonic() < deadline and not device.ended:
            device.wait(lambda: watch.look() > told, 1)  # noqa: B023
            if len(set(watch.done)) > told:
                told = len(set(watch.done))
                console.print(f"{told} of {wanted} answered")
            for line in device.find("pair")[shown:]:
                console.print(Text(visible.line(line.text), style="dim"))
                shown += 1
        seen = len(device.frames.frames)
        device.wait(lambda: len(device.frames.frames) > seen, 3)
    except KeyboardInterrupt:
        console.print("ended by Ctrl-C")
    return device.rss()


def _result(
    plan: Scenario, place: Target, watch: Watch, rss: dict[str, object] | None, seconds: float
) -> Result:
    watch.look()
    device = watch.device
    frames = device.frames.frames
    begun, done = watch.begun, watch.done
    tally = Tally(sent=len(set(begun)), delivered=len(set(begun)), answered=len(set(done)))
    tally.lost = tally.sent - tally.answered
    tally.duplicates = len(done) - len(set(done))
    tally.disordered = sum(1 for a, b in zip(done, done[1:], strict=False) if b < a)
    tally.rejected = len(device.find("refused"))
    tally.latencies_ms = watch.times_ms
    if done:
        tally.per_message_ms = (watch.last_at - watch.first_at) * 1000 / len(done)
    last = frames[-1] if frames else None
    connections = (last["tls"] if last else None) or 0
    times = tally.latencies_ms
    figures = {
        "server": os.environ.get("BASE_URL") or "https://api.telegram.org",
        "word_bits": place.word_bits,
        "heap": plan.device.heap or place.default_heap,
        "app": plan.device.app or place.default_app,
        "tls_connections": connections,
        "median_ms": round(statistics.median(times), 3) if times else None,
        "p95_ms": round(percentile(times, 0.95), 3) if times else None,
        "per_message_ms": round(tally.per_message_ms, 3),
        "gc_low_water_b": device.frames.low_water(),
        "gc_live_b": last["gc_live"] if last else None,
        "growth_b": growth(device.frames.phase("steady"), last),
        "rss": rss,
    }
    rows = [
        Row("delivered", str(tally.delivered)),
        Row("answered", str(tally.answered), "≥ 1", tally.answered > 0),
        Row("lost", str(tally.lost), "≤ 0", tally.lost == 0),
        Row("duplicates", str(tally.duplicates), "≤ 0", tally.duplicates == 0),
        Row("out of order", str(tally.disordered), "≤ 0", tally.disordered == 0),
        Row("rejected by the server", str(tally.rejected), "≤ 0", tally.rejected == 0),
        Row("connections", str(connections)),
        Row(
            "telemetry lines damaged", str(device.frames.damaged), "≤ 0", not device.frames.damaged
        ),
    ]
    return Result("telegram", place.name, tally, rows, frames, figures, device.text(), seconds)

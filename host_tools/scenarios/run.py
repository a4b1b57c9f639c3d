"""One run of a scenario: what is sent, what goes wrong on the way, and what came of it."""

from __future__ import annotations

import random
import re
import time
from bisect import bisect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.console.frames import Frame
from host_tools.scenarios import corpus
from host_tools.scenarios.gateway import files_for, gateway_config
from host_tools.scenarios.result import Tally
from host_tools.scenarios.scenario import FaultPlan, Messages, Scenario
from host_tools.simulator import Simulator
from host_tools.simulator.limits import Limits
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device, Start, Target

START_S = 30.0  # until the first poll, faults on the way included
QUIET_FROM = 20  # messages, from which on a frame after them is worth waiting for
QUIET_FRAMES = 2
KILL_WITHIN = 4  # calls of a method, one of which a kill follows
KILL_PATIENCE_S = 2.0  # how long such a call is waited for
QUIET_S = 6.0  # within which a frame must follow the last answer


class Run:
    """One scenario in progress."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        workdir: Path,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.target = target
        self.workdir = workdir
        self.progress = progress or (lambda text: None)
        server = scenario.server
        self.sim = Simulator(
            tls=server.tls,
            host=target.listen,
            names=[target.address],
            first_update_id=server.first_update_id,
            limits=Limits() if server.flood_limits else None,
            chain=server.chain,
        )
        self.sim.methods.rich = server.rich
        self.tally = Tally()
        self.update_ids: dict[int, int] = {}  # message number -> update id
        self.answers: dict[int, list[int]] = {}  # message number -> indices in sim.sent
        self.pending: set[int] = set()
        self.order: list[int] = []  # numbers as they were first answered
        self.lives: list[int] = []  # how many answers there were when each later life began
        self.others: list[tuple[str, str | None, int]] = []  # label, pattern, message id
        self.frames: list[Frame] = []  # of every life of the device
        self.consoles: list[str] = []
        self.rss: list[dict[str, Any]] = []
        self.damaged = self.missing = 0
        self.good_others = 0
        self.bad_others: list[str] = []
        self.exit_status: int | None = None
        self._seen = 0

    # --- the device

    def start(self) -> Device:
        place = self.scenario.device
        config = gateway_config(self.sim, self.target, self.scenario.config)
        return self.target.start(
            Start(
                config,
                workdir=self.workdir,
                files=files_for(self.sim),
                heap=place.heap,
                app=place.app or self.target.default_app,
                gc=place.gc,
                pre=place.pre,
                bot=place.bot,
            )
        )

    def ended(self, device: Device) -> None:
        """Keep what a device said before it is replaced or stopped."""
        self.frames += device.frames.frames
        self.damaged += device.frames.damaged
        self.missing += device.frames.missing
        self.consoles.append(device.text())

    # --- what happens

    def run(self) -> float:
        """From start to end; returns how long that took, in s."""
        began = time.monotonic()
        scenario = self.scenario
        with self.sim:
            self.sim.know(USER)
            for fault in scenario.faults:
                self._plan(fault)
            device = self.start()
            try:
                self._drive(device)
            finally:
                device = self.device
                self._sample(device)
                if scenario.expect.exit is not None:
                    device.wait(lambda: device.ended, scenario.timeout_s * self.target.patience)
                    self.exit_status = device.exit_status
                device.stop()
                self.ended(device)
        self._count()
        return time.monotonic() - began

    before: Frame | None = None  # quiet after the first `settle` messages
    after: Frame | None = None  # quiet at the end

    def _plan(self, fault: FaultPlan) -> None:
        count = fault.count or None
        self.sim.fault(fault.kind, fault.method, count, fault.after, fault.every, **fault.args)

    def _drive(self, device: Device) -> None:
        self.device = device
        scenario = self.scenario
        patience = self.target.patience
        self.deadline = time.monotonic() + scenario.timeout_s * patience
        self.sim.wait(
            lambda: self.sim.calls_of("getUpdates") or device.ended,
            min(START_S * patience, self._left()),
        )
        if not self.sim.calls_of("getUpdates"):
            return
        self._sample(device)
        self._others()
        messages = scenario.messages
        first = 0
        if messages.settle:
            self._burst(range(messages.settle))
            first = messages.settle
        self._acknowledged()
        self.before = self._quiet(first) if first else None
        self._burst(range(first, messages.count))
        self._finish_kills()
        self._acknowledged()
        self.after = self._quiet(messages.count - first)

    def _acknowledged(self) -> None:
        """Wait until the gateway has confirmed every update."""
        self.sim.wait(
            lambda: not self.sim.queue.pending() or self.device.ended,
            min(5 * self.target.patience, self._left()),
        )

    def _left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def _quiet(self, count: int) -> Frame | None:
        """The next frame once all is answered; None if there is none to expect.

        Where growth is judged it is the leaner of two: the collector takes what looks like a pointer
        for one, so that live heap has a few bytes too many in one frame or another. A leak is in all.
        """
        if count < QUIET_FROM or self.tally.kills or self.device.ended:
            return None
        frames = self.device.frames.frames
        seen = len(frames)
        received = self.tally.sent

        def quiet() -> list[Frame]:
            return [frame for frame in frames[seen:] if (frame["in"] or 0) >= received]

        enough = 1 if self.scenario.budget.growth_b is None else QUIET_FRAMES
        self.device.wait(
            lambda: len(quiet()) >= enough, min(QUIET_S * self.target.patience, self._left())
        )
        return min(quiet(), key=lambda frame: frame["gc_live"] or 0, default=None)

    def _burst(self, numbers: range) -> None:
        """Send these messages, at most `waiting` unanswered at a time; wait for the answers."""
        messages = self.scenario.messages
        waiting = messages.waiting or len(numbers)
        queue = list(numbers)
        kills = self.scenario.kills
        self._kill_plan = random.Random(kills.seed)
        self._kill_at: float | None = None
        self._kill_on: tuple[str, int] | None = None
        if kills.count and numbers.stop == messages.count:
            self._kill_at = self._next_kill(started=True)
        while (self._kill_at or not self._done(queue)) and self._left() and not self.device.ended:
            while queue and len(self.pending) < waiting and queue[0] < self._released():
                self._send(queue.pop(0), messages)
            self._kill_if_due()
            self._outage_if_due()
            limit = min(0.5, self._left())
            if self._kill_at is not None:
                limit = min(limit, max(0.001, self._kill_at - time.monotonic()))
            self.sim.wait(lambda: self._collect() or self._called(), limit)
            self.progress(f"{len(self.answers)} of {messages.count} answered")

    def _done(self, queue: list[int]) -> bool:
        """All is answered, or what is not is acknowledged and expected to be lost."""
        if queue:
            return False
        lost = 0 < len(self.pending) <= self.scenario.expect.lost
        return not self.pending or (lost and not self.sim.queue.pending())

    def _send(self, number: int, messages: Messages) -> None:
        markdown, _ = self._text(number)
        padded = messages.pad and number % messages.pad_every == 0
        self.pending.add(number)
        self.update_ids[number] = self.sim.push_text(
            markdown,
            pad=messages.pad if padded else 0,
            pad_at=messages.pad_at,
            order=messages.order,
        )
        self.tally.sent += 1

    def _text(self, number: int) -> tuple[str, str]:
        messages = self.scenario.messages
        script = messages.scripts[number % len(messages.scripts)]
        turn = number // len(messages.scripts)
        return corpus.text(number, script, messages.lengths[turn % len(messages.lengths)])

    def _collect(self) -> bool:
        """Look at what the bot has sent since; True if something was new."""
        new = self.sim.sent[self._seen :]
        for sent in new:
            number = corpus.number_of(sent.text)
            if number is not None:
                if number not in self.answers:
                    self.order.append(number)
                self.answers.setdefault(number, []).append(self._seen)
                self.pending.discard(number)
            self._seen += 1
        return bool(new)

    # --- kill -9

    def _released(self) -> int:
        """Messages below this number may be sent: each life of the gateway has its share."""
        count, kills = self.scenario.messages.count, self.scenario.kills.count
        if self._kill_at is None:
            return count
        return count * (self.tally.kills + 1) // (kills + 1)

    def _next_kill(self, started: bool = False) -> float | None:
        """A random instant after the gateway's first sign of life, or after a call."""
        kills = self.scenario.kills
        if self.tally.kills >= kills.count:
            return None
        calls = len(self.sim.calls)
        if not started:
            patience_s = START_S * self.target.patience
            self.sim.wait(lambda: len(self.sim.calls) > calls or not self._left(), patience_s)
        self._kill_on = None
        if kills.on:
            method = kills.on[self.tally.kills % len(kills.on)]
            later = self._kill_plan.randint(1, KILL_WITHIN)
            self._kill_on = method, len(self.sim.calls_of(method)) + later
            return time.monotonic() + KILL_PATIENCE_S  # in case there is no such call
        wait = self._kill_plan.uniform(kills.shortest_s, kills.longest_s)
        return time.monotonic() + wait

    def _called(self) -> bool:
        """Whether the call has come that a kill is counted from; the kill is then due."""
        if self._kill_on is None or len(self.sim.calls_of(self._kill_on[0])) < self._kill_on[1]:
            return False
        kills = self.scenario.kills
        self._kill_on = None
        wait = self._kill_plan.uniform(kills.shortest_s, kills.longest_s)
        self._kill_at = time.monotonic() + wait
        return True

    def _kill_if_due(self) -> None:
        if self._kill_at is None or time.monotonic() < self._kill_at:
            return
        self._sample(self.device)
        self.device.kill()
        self.ended(self.device)
        self.tally.kills += 1
        self.device = self.start()
        self.lives.append(len(self.sim.sent))
        self._kill_at = self._next_kill()

    def _finish_kills(self) -> None:
        """After the last answer, one more start must not answer anything again."""
        if self.scenario.kills.count:
            time.sleep(0.3)
            self._collect()

    # --- no network

    def _outage_if_due(self) -> None:
        """Cut the network for a while once the next share of the messages is answered."""
        outages, tally = self.scenario.outages, self.tally
        share = self.scenario.messages.count / (outages.count + 1)
        if tally.outages < outages.count and len(self.answers) >= share * (tally.outages + 1):
            self.device.set_link(False)
            self.device.wait(lambda: False, outages.seconds)
            self.device.set_link(True)
            tally.outages += 1

    # --- other updates

    def _others(self) -> None:
        waiting: list[tuple[str, str | None, int, int]] = []
        for plan in self.scenario.updates:
            for _ in range(plan.times):
                before = len(self.sim.sent)
                label = plan.text or plan.media or plan.callback or "update"
                who: dict[str, Any] = {"user": plan.user or USER, "chat": plan.chat}
                if plan.json is not None:
                    update = self.sim.push(plan.json)
                elif plan.callback is not None:
                    update = self.sim.push_callback(plan.callback, **who)
                elif plan.media is not None:
                    update = self.sim.push_media(plan.media, **who, **plan.fields)
                else:
                    update = self.sim.push_text(
                        plan.text or "", kind=plan.kind, **who, **plan.fields
                    )
                waiting.append((label, plan.answer, update, before))
                if not plan.waits:
                    for asked in reversed(waiting):
                        self._one_answer(*asked)
                    waiting.clear()
        for asked in waiting:
            self._one_answer(*asked)

    def _one_answer(self, label: str, pattern: str | None, update: int, before: int) -> None:
        limit = min(10 * self.target.patience, self._left())
        done = self.sim.wait(lambda: update not in self.sim.queue.pending(), limit)
        texts = [sent.text for sent in self.sim.sent[before:]]
        self.good_others += 1
        if not done:
            self.bad_others.append(f"{label}: never acknowledged")
        elif pattern is None and texts:
            self.bad_others.append(f"{label}: answered with {texts[0][:40]!r}, expected silence")
        elif pattern is not None and not re.search(pattern, "\n".join(texts), re.DOTALL):
            got = texts[0][:60] if texts else "nothing"
            self.bad_others.append(f"{label}: answered with {got!r}, expected /{pattern}/")

    # --- the count

    def _sample(self, device: Device) -> None:
        sample = device.rss()
        if sample:
            taken = device.pages()
            self.rss.append({**sample, "pages": taken.as_dict() if taken else None})

    def _count(self) -> None:
        self._collect()
        tally = self.tally
        numbered = set(self.update_ids)
        tally.answered = len(numbered & set(self.answers))
        tally.lost = len(numbered) - tally.answered
        tally.delivered = sum(
            1 for update in self.update_ids.values() if update in self.sim.delivered
        )
        tally.duplicates = sum(len(found) - 1 for found in self.answers.values())
        tally.repeated = [0] * len(self.lives)
        for found in self.answers.values():
            for again in found[1:]:
                if self.lives:
                    tally.repeated[max(0, bisect(self.lives, again) - 1)] += 1
        tally.disordered = sum(
            1 for a, b in zip(self.order, self.order[1:], strict=False) if b < a
        )
        tally.rejected = len(self.sim.rejected)
        tally.dropped = sum(1 for sent in self.sim.sent if sent.dropped)
        tally.pieces = len(self.sim.sent)
        tally.altered = sum(1 for number in self.answers if not self._same(number))
        self._times()

    def _same(self, number: int) -> bool:
        """Is the answer, over all its pieces, the text that was sent? White space may change."""
        if number not in self.update_ids:
            return False
        first = self.answers[number][0]
        parts = [self.sim.sent[first].text]
        for sent in self.sim.sent[first + 1 :]:
            if corpus.number_of(sent.text) is not None or sent.reply_to:
                break
            parts.append(sent.text)
        return "".join("".join(parts).split()) == "".join(self._text(number)[1].split())

    def _times(self) -> None:
        """Time of each message: from its delivery, or the end of the answer before it, to the
        moment when the last piece of its answer was accepted.
        """
        answers: list[tuple[int | None, float]] = []  # (update id, when its last piece came)
        for sent in self.sim.sent:
            number = corpus.number_of(sent.text)
            if number is not None or not answers or sent.reply_to:
                update = None if number is None else self.update_ids.get(number)
                answers.append((update, sent.at))
            else:
                answers[-1] = (answers[-1][0], sent.at)
        previous = 0.0
        times = []
        for update, accepted in answers:
            if update in self.sim.delivered:
                start = max(self.sim.delivered[update], previous)
                times.append((accepted - start) * 1000)
            previous = accepted
        self.tally.latencies_ms = times
        if times and self.order:
            began = self.sim.delivered[self.update_ids[self.order[0]]]
            last = self.sim.sent[max(found[0] for found in self.answers.values())].at
            self.tally.per_message_ms = (last - began) * 1000 / len(self.order)

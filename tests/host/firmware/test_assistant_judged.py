"""The assistant against llmock, a model's server that nobody here wrote: its faults, and its verdict on the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools import targets
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.target import Start


class Judged:
    """The gateway between the simulator and llmock."""

    def __init__(self, folder: Path, llmock: Any) -> None:
        self.llmock = llmock
        self.sim = Simulator(tls=False)
        self.folder = folder

    def start(self) -> None:
        target = targets.get("unix")
        entry = {"model_name": "m", "model": "gpt-4o", "api_keys": ["sk-x"]}
        entry["api_base"] = self.llmock.base_url("openai")
        extra = {"model_list": [entry], "limits": {"silence_s": 2}}
        config = engine.gateway_config(self.sim, target, extra)
        self.device = target.start(Start(config, self.folder, heap="1M"))

    def ask(self, text: str) -> str:
        before = len(self.sim.sent)
        update_id = self.sim.push_text(text)
        assert self.sim.wait(lambda: self.sim.confirmed >= update_id, 25), self.device.text()
        return "\n".join(sent.text for sent in self.sim.sent[before:])


@pytest.fixture
def judged(tmp_path: Path, llmock: Any) -> Iterator[Judged]:
    made = Judged(tmp_path, llmock)
    with made.sim:
        made.sim.know(USER)
        made.start()
        yield made
        made.device.stop()
        assert "Traceback" not in made.device.text()


FAULTS: dict[str, Callable[[Any], Any]] = {
    "429": lambda llmock: llmock.rate_limit(times=2, retry_after=1.0),
    "503": lambda llmock: llmock.fail(503, times=2),
    "disconnect": lambda llmock: llmock.disconnect(after_chunks=3),
    "truncate": lambda llmock: llmock.truncate(after_chunks=3),
    "malformed": lambda llmock: llmock.corrupt(after_chunks=3),
    "stall": lambda llmock: llmock.stall(after_chunks=2, seconds=8.0),
    "slow": lambda llmock: llmock.slow_first_token(1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_costs_no_answer(judged: Judged, name: str) -> None:
    text = "A whole answer, of more words than the fault lets through at first, and then some."
    judged.llmock.reply(text, times=5)
    FAULTS[name](judged.llmock)
    assert judged.ask("hello") == text
    if name == "malformed":  # it was tried again, but all of the first one had been sent by then
        assert len(judged.llmock.requests) == 2
    judged.llmock.assert_resilient(strict=name != "malformed")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_no_retry_can_mend_is_said_at_once(judged: Judged, status: int) -> None:
    judged.llmock.fail(status, times=1)
    assert f"({status})" in judged.ask("hello")
    judged.llmock.assert_resilient(strict=True)


def test_a_tool_is_called_and_broken_calls_are_answered(judged: Judged) -> None:
    judged.llmock.call_tool("note", {"text": "from llmock"})
    assert judged.ask("note it")
    assert (judged.folder / "workspace/memory/NOTES.md").read_text() == "from llmock\n"
    for kind in ("malformed_arguments", "unknown_tool"):
        judged.llmock.break_tool_call(kind)
        assert judged.ask(f"try {kind}")
    results = [
        message["content"]
        for message in judged.llmock.requests[-1].body["messages"]
        if message["role"] == "tool"
    ]
    assert any("no JSON object" in result for result in results)
    assert any("no tool of this name" in result for result in results)
    judged.llmock.assert_resilient(strict=True)


def test_a_context_that_is_too_long_is_halved(judged: Judged) -> None:
    judged.llmock.reply("one", times=3)
    judged.ask("first")
    judged.ask("second")
    judged.llmock.context_overflow()
    assert judged.ask("third") == "one"
    counts = [len(request.body["messages"]) for request in judged.llmock.requests]
    assert counts[-1] < counts[-2]
    judged.llmock.assert_resilient(strict=True)

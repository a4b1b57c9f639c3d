"""A model in the config of a machine with an ESP32's two heaps. Needs TARGETS to name rv32."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from rv32_machine import (  # noqa: F401
    MARKS,
    TARGET,
    Start,
    _built,
    answered,
    figure,
    sim,
    start,
)

from host_tools.simulator import Simulator
from host_tools.simulator.model import ModelServer, Reply

pytestmark = MARKS


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(lambda body: Reply("The model has *spoken*."), key="k") as server:
        yield server


def config(model: ModelServer) -> dict[str, object]:
    """With a model, over the address by which the machine knows this one."""
    url = f"http://{TARGET.address}:{urlsplit(model.url).port}/v1"
    entry = {"model_name": "m", "model": "mock", "api_base": url, "api_keys": ["k"]}
    return {"model_list": [entry]}


def test_where_a_turn_has_no_room_a_sentence_says_so(
    start: Start,  # noqa: F811
    sim: Simulator,  # noqa: F811
    model: ModelServer,
) -> None:
    """And the heap, which TLS would miss, stays as it is."""
    device = start(config(model), app="mpy")
    for count in (1, 2):
        sim.push_text("what is it like?")
        answered(sim, device, count)
        assert sim.sent[-1].text.startswith("This board has no memory to ask a model"), device.text()
    sim.push_text("/ping")
    answered(sim, device, 3)
    assert sim.sent[-1].text == "pong"
    assert model.requests == []
    totals = {figure(frame, "gc_total") for frame in device.frames.frames[-2:]}
    assert len(totals) == 1


def test_with_the_application_in_the_firmware_there_is_room(
    start: Start,  # noqa: F811
    sim: Simulator,  # noqa: F811
    model: ModelServer,
) -> None:
    device = start(config(model), app="frozen")
    for count in (1, 2):
        sim.push_text("what is it like?")
        answered(sim, device, count)
        assert sim.sent[-1].text == "The model has spoken.", device.text()
    assert len(model.requests) == 2

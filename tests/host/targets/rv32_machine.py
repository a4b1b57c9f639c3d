"""Fixtures of the tests on the bare-metal RV32 machine; they run when $TARGETS names rv32 or all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools.console.frames import Frame
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets import rv32, target

TARGET = rv32.TARGET
START_S = 15.0
Start = Callable[..., rv32.Rv32Device]
Run = Callable[..., list[str]]


def wanted() -> bool:
    """Whether the tests are to run."""
    names = os.environ.get("COPEPOD_TARGETS") or os.environ.get("TARGETS", "unix")
    return bool({"rv32", "all"} & set(names.replace(",", " ").split()))


MARKS = [
    pytest.mark.skipif(not wanted(), reason="needs TARGETS=rv32: a cross compiler and QEMU"),
    pytest.mark.timeout(120, func_only=True),  # the first build takes a minute
]


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    """Build before any test's clock runs."""
    if wanted():
        assert TARGET.elf.exists()
        assert TARGET.frozen_elf.exists()


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Callable[..., rv32.Rv32Device]]:
    """Starts a machine with these files, without the application."""
    devices: list[rv32.Rv32Device] = []

    def go(files: dict[str, bytes], **options: Any) -> rv32.Rv32Device:
        devices.append(TARGET.machine(tmp_path, files, rv32.Options(**options)))
        return devices[-1]

    yield go
    for device in devices:
        device.kill()


@pytest.fixture
def run(boot: Callable[..., rv32.Rv32Device]) -> Run:
    """Runs Python on a machine without the application and gives what it printed."""

    def go(code: str, files: dict[str, bytes] | None = None, **options: Any) -> list[str]:
        text = f"import virt\n{code}\nprint('done')\nvirt.poweroff()\n"
        device = boot({"main.py": text.encode(), **(files or {})}, **options)
        device.wait(lambda: device.ended, 30)
        lines = device.text().splitlines()
        assert lines[-1:] == ["done"], device.text()
        assert device.exit_status == 0
        return lines[:-1]

    return go


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tls=True, names=[TARGET.address]) as server:
        server.know(USER)
        yield server


@pytest.fixture
def start(sim: Simulator, tmp_path: Path) -> Iterator[Start]:
    """Starts the gateway with the application in the firmware, and waits for its first poll."""
    devices: list[rv32.Rv32Device] = []

    def go(
        config: dict[str, Any] | None = None,
        ready: bool = True,
        options: rv32.Options | None = None,
        **more: Any,
    ) -> rv32.Rv32Device:
        whole = engine.gateway_config(sim, TARGET, config or {})
        more.setdefault("app", "frozen")
        device = TARGET.start(
            target.Start(whole, workdir=tmp_path, files=engine.files_for(sim), **more), options
        )
        devices.append(device)
        if ready:
            assert sim.wait(lambda: polls(sim), START_S), device.text()
        return device

    yield go
    for device in devices:
        device.kill()


def figure(frame: Frame, name: str) -> int:
    """A field of a frame that this machine always gives."""
    value = frame[name]
    assert value is not None, name
    return value


def polls(sim: Simulator) -> int:
    """How many times the gateway has asked for updates."""
    return sum(call.method == "getUpdates" for call in sim.calls)


def talk(sim: Simulator, device: rv32.Rv32Device, count: int, timeout: float = 30) -> None:
    """Send `count` messages; each is answered once, in order, or fail with the console."""
    before = len(sim.sent)
    texts = [f"message {before + number}" for number in range(count)]
    for text in texts:
        sim.push_text(text, user=USER)
    answered(sim, device, before + count, timeout)
    assert [sent.text for sent in sim.sent[before:]] == texts, device.text()


def answered(sim: Simulator, device: rv32.Rv32Device, count: int, timeout: float = 30) -> None:
    """There are `count` answers in all, and not one more when all updates are acknowledged."""
    assert sim.wait(lambda: len(sim.sent) >= count, timeout), device.text()
    assert sim.wait(lambda: sim.confirmed == sim.queue.next_id - 1, timeout), device.text()
    assert len(sim.sent) == count
    assert not sim.rejected

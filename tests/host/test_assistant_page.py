"""docs/assistant.md: every command, flag and variable on it exists, and its way to a lamp leads there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from asked import TOKEN, asked, no_variables  # noqa: F401
from scene import Scene, played, wanted

from host_tools import cli
from host_tools.paths import ROOT
from host_tools.simulator.model import ModelServer

PAGE = (ROOT / "docs/assistant.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
# Commands stand in spans of code, and in lines that are indented.
CODE = [
    text.replace("\n", " ").strip()
    for text in re.findall(r"(?<!`)`([^`]+)`(?!`)|^ {4}(\S.*)$", PAGE, re.MULTILINE)
    for text in text
    if text
]
OF_MAKE = re.findall(r"\bmake ([a-z-]+)([^|;]*)", " | ".join(CODE))
OF_COPEPOD = [text for text in CODE if re.search(r"(^|\s)copepod [a-z]", text)]


def options(name: str) -> tuple[set[str], set[str]]:
    """A command's flags, and the variables that answer for them."""
    command = cli.LazyGroup().get_command(click.Context(cli.cli), name)
    assert command is not None, name
    found = [each for each in command.params if isinstance(each, click.Option)]
    variables = {str(each.envvar) for each in found if each.envvar}
    return {flag for each in found for flag in each.opts}, variables


def test_every_command_on_the_page_exists() -> None:
    assert {name for name, _ in OF_MAKE} >= {"run", "provision", "doctor", "flash", "deploy"}
    for name, rest in OF_MAKE:
        assert re.search(rf"^{name}:", MAKEFILE, re.MULTILINE), name
        for flag in re.findall(r"ARGS=(--[\w-]+)", rest):
            assert flag in options(name)[0], (name, flag)
    assert len(OF_COPEPOD) >= 4
    for text in OF_COPEPOD:
        before, _, after = text.partition("copepod ")
        name = after.split()[0]
        flags, variables = options(name)
        assert set(re.findall(r"(?<!\S)(--[a-z-]+)", after)) <= flags, text
        assert set(re.findall(r"\b([A-Z_]+)=", before)) <= variables, text
    flags = {flag for text in CODE for flag in re.findall(r"^(--[a-z-]+)$", text)}
    known = options("config")[0] | {"--jinja"}  # llama.cpp's
    assert flags <= known


def test_the_variables_of_make_reach_the_tools() -> None:
    exported = set(
        re.findall(r"\b[A-Z_]+\b", " ".join(re.findall(r"^export (.+)$", MAKEFILE, re.M)))
    )
    assert exported >= {"MODEL", "MODEL_NAME", "API_KEY", "CONFIG", "TELEGRAM_TOKEN"}


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with played(Scene(tmp_path / "board", request.param), tracebacks=False) as made:
        made.folder.mkdir()
        yield made


def test_from_nothing_to_turn_the_lamp_on(scene: Scene) -> None:
    """The questions answered as the page says, its pins beside what they have written, and the question."""
    path = scene.folder / "config.json"
    with ModelServer() as server:
        server.names = ["qwen3:8b"]
        seen = asked(
            path,
            "--base-url",
            "http://127.0.0.1:1",
            answers=[
                (b"Wi-Fi name", b""),
                (b"Bot token", TOKEN.encode()),
                (b"Admit", b""),
                (b"Model's server", server.url.encode()),
                (b"it has qwen3:8b", None),
                (b"Name of the model there", b"qwen3:8b"),
                (b"Its key (Enter: none)", b""),
                (b"localhost has qwen3:8b", None),
            ],
        )
        assert b"no key" in seen
        pins = re.search(r'^ *("hardware": .*)$', PAGE, re.MULTILINE)
        assert pins is not None
        extra = {**json.loads(path.read_text()), **json.loads("{" + pins[1] + "}")}
        (scene.folder / "machine.py").write_text(
            "class Pin:\n"
            "    OUT, IN, PULL_UP, PULL_DOWN = 1, 2, 3, 4\n"
            "    def __init__(self, number, mode=None, pull=None, value=None):\n"
            "        with open('pins.txt', 'a') as file:\n"
            "            file.write('%d=%d' % (number, value))\n"
        )
        for name in ("channels", "wifi"):
            extra.pop(name, None)  # the simulator's
        scene.launch(extra, heap="1M")
        update_id = scene.sim.push_text("turn the lamp on")
        scene.until(lambda: scene.sim.confirmed >= update_id)
        assert (scene.folder / "pins.txt").read_text() == "2=1"
        assert "lamp is on" in "".join(scene.texts())
        assert server.requests[-1].body["model"] == "qwen3:8b"
        assert server.problems == []

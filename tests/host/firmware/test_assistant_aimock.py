"""The assistant against aimock, a second model's server that nobody here wrote, with scripted tool calls.

It is an npm package, pinned with its hash in tests/data/aimock and installed into build/; skipped where there is
neither npm nor a network.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import Scene, played, wanted

from host_tools.install import model
from host_tools.install.model import KeyRefused
from host_tools.paths import BUILD, ROOT
from host_tools.simulator.updates import USER

PINNED = ROOT / "tests/data/aimock"
KEY = "sk-aimock-1a2b3c"
TEXT = 'high "water" \\ 12:04 🌊 вода'


def calls(*called: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A response that calls tools."""
    return {"toolCalls": [{"name": name, "arguments": given} for name, given in called], **more}


def fixture(words: str, results: bool, response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An answer to a question with these words, before its tools have answered or after."""
    match = {"userMessage": words, "hasToolResult": results, "endpoint": "chat", **more}
    return {"match": match, "response": response}


NOTE = ("note", {"text": TEXT})
SCRIPT = [
    fixture("one call", False, calls(NOTE)),
    fixture("one call", True, {"content": "One."}, toolResultContains="NOTES.md"),
    fixture("two calls", False, calls(NOTE, ("get_time", {}))),
    fixture("two calls", True, {"content": "Two."}, toolResultContains="UTC"),
    fixture("the wrong reason", False, calls(NOTE, finishReason="stop")),
    fixture("the wrong reason", True, {"content": "Three."}),
    fixture(
        "text around a call",
        False,
        {
            "blocks": [
                {"type": "text", "text": "Before. "},
                {"type": "toolCall", "name": "note", "arguments": {"text": TEXT}},
                {"type": "text", "text": "After."},
            ]
        },
    ),
    fixture("text around a call", True, {"content": "Four."}),
    fixture("thinking", False, {"content": "Five.", "reasoning": "five, as I think"}),
    fixture("cut short", False, {"content": "Half of", "finishReason": "length"}),
]


@pytest.fixture(scope="module")
def program() -> Path:
    """aimock's command, installed once; a skip that says why where it can't be."""
    made = BUILD / "aimock"
    command = made / "node_modules/@copilotkit/aimock/dist/cli.js"
    lock = PINNED / "package-lock.json"
    if command.exists() and (made / lock.name).read_bytes() == lock.read_bytes():
        return command
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    made.mkdir(parents=True, exist_ok=True)
    for path in (PINNED / "package.json", lock):
        shutil.copy(path, made)
    try:
        run = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
            cwd=made, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        said = run.stderr.strip()
    except subprocess.TimeoutExpired:
        said = "npm did not end"
    if not command.exists():
        shutil.rmtree(made)
        assert "EINTEGRITY" not in said, said
        pytest.skip(f"npm can't install aimock: {said[-200:]}")
    return command


class Server:
    """One aimock; its journal is what came."""

    def __init__(self, url: str) -> None:
        self.url = url

    def journal(self) -> list[dict[str, Any]]:
        """The requests for answers, the oldest first."""
        request = urllib.request.Request(
            self.url + "/__aimock/journal", headers={"Authorization": "Bearer " + KEY}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
        return [each for each in found if each["method"] == "POST"]


@pytest.fixture
def start(program: Path, tmp_path: Path) -> Iterator[Callable[[int], Server]]:
    """Start one that sends so many characters in a chunk."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"fixtures": SCRIPT}))
    running: list[subprocess.Popen[str]] = []

    def started(chunk: int) -> Server:
        process = subprocess.Popen(
            ["node", program, "-p", "0", "-f", script, "--strict", "--validate-on-load",
             "--chunk-size", str(chunk)],
            env={**os.environ, "AIMOCK_API_KEYS": KEY},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if match := re.search(r"listening on (http://[\d.:]+)", line):
                return Server(match[1])
        raise AssertionError(said)

    yield started
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with played(Scene(tmp_path / "board", request.param), tracebacks=False) as made:
        made.folder.mkdir()
        yield made
        made.stop()
        assert not any(KEY in console for console in made.consoles)


def launch(scene: Scene, server: Server, key: str = KEY) -> None:
    entry = {"model": "gpt-4o", "api_base": server.url + "/v1", "api_keys": [key]}
    scene.launch({"model_list": [entry]}, heap="1M")


def ask(scene: Scene, text: str) -> str:
    before = len(scene.sim.sent)
    update_id = scene.sim.push_text(text)
    scene.until(lambda: scene.sim.confirmed >= update_id)
    return "".join(scene.texts()[before:])


# A chunk of 3 cuts arguments inside of escapes; of 100,000 brings a call's arguments whole, as Ollama does.
@pytest.mark.parametrize("chunk", [3, 100_000])
def test_scripted_calls(scene: Scene, start: Callable[[int], Server], chunk: int) -> None:
    server = start(chunk)
    launch(scene, server)
    asked = {
        "one call": "One.",
        "two calls": "Two.",
        "the wrong reason": "Three.",
        "text around a call": "Four.",
        "thinking": "Five.",
    }
    for number, (words, answer) in enumerate(asked.items()):
        if number:
            ask(scene, "/new")  # the script goes by whether a tool has answered
        assert ask(scene, words) == answer
    notes = (scene.folder / "workspace/memory/NOTES.md").read_text()
    assert notes == (TEXT + "\n") * 4
    assert "five, as I think" not in "".join(scene.texts())
    journal = server.journal()
    assert [each["response"]["status"] for each in journal] == [200] * 9
    assert {each["path"] for each in journal} == {"/v1/chat/completions"}
    assert all(each["body"]["stream"] for each in journal)
    assert all("content-length" in each["headers"] for each in journal)
    # each call has its result, under its own id and in its order
    called, first, second = journal[3]["body"]["messages"][-3:]
    assert [call["id"] for call in called["tool_calls"]] == [
        first["tool_call_id"],
        second["tool_call_id"],
    ]
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"text": TEXT}
    lines = (scene.folder / f"workspace/sessions/telegram_{USER}.jsonl").read_text()
    assert all(json.loads(line)["role"] for line in lines.splitlines())


def test_an_answer_cut_short_a_wrong_key_and_no_answer(
    scene: Scene, start: Callable[[int], Server]
) -> None:
    server = start(20)
    launch(scene, server)
    assert "This answer was cut short at" in ask(scene, "cut short")
    said = ask(scene, "what nobody has written an answer for")
    assert "(" in said
    assert "no fixture" not in said  # a server's own words are not shown
    scene.stop()
    launch(scene, server, "sk-wrong")
    assert "(401)" in ask(scene, "one call")


def test_the_host_s_list_of_models(start: Callable[[int], Server]) -> None:
    """What `copepod config` and `copepod doctor` ask, of a server that is no one's here."""
    server = start(20)
    entry = {"model": "gpt-4o", "api_base": server.url + "/v1", "api_keys": [KEY]}
    found = model.of_values({"model_list": [entry]})
    assert found is not None
    assert model.lists(model.names(found) or [], "gpt-4o")
    refused = model.of_values({"model_list": [{**entry, "api_keys": ["sk-wrong"]}]})
    assert refused is not None
    with pytest.raises(KeyRefused, match="refuses this key"):
        model.names(refused)

"""What `copepod config --from` writes, read by the device: prompts, memory, a conversation, the root it found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked import no_variables  # noqa: F401
from command_line import copepod
from scene import Scene, played, wanted

from host_tools.paths import ROOT
from host_tools.scenarios import engine
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer, Reply
from host_tools.simulator.updates import USER

KEY = "sk-fixture-openrouter-1"


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with played(Scene(tmp_path / "board", request.param, tls=True), tracebacks=False) as made:
        made.folder.mkdir()
        yield made


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server whose certificate is of a chain as long as the real ones', its root known to this machine."""
    authority = Authority(("localhost",), chain="rsa")
    (tmp_path / "machine.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "machine.pem"))
    with ModelServer(lambda body: Reply("Aye."), key=KEY, authority=authority) as made:
        made.names = ["anthropic/claude-sonnet-4.6"]
        yield made


def test_an_imported_assistant_answers(tmp_path: Path, scene: Scene, model: ModelServer) -> None:
    place = tmp_path / "picoclaw"
    shutil.copytree(ROOT / "tests/data/picoclaw/v3", place)
    config = (place / "config.json").read_text()
    (place / "config.json").write_text(config.replace("https://openrouter.ai/api/v1", model.url))
    meta = place / "workspace/sessions/sk_v1_aaaa.meta.json"
    meta.write_text(meta.read_text().replace("direct:42", f"direct:{USER}"))
    path = scene.folder / "config.json"
    run = copepod(
        "config",
        "--config",
        path,
        "--no-input",
        "--from",
        place,
        "--base-url",
        "http://127.0.0.1:1",
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(path.read_text())
    extra = {name: found[name] for name in ("model_list", "agents", "tools")}
    extra["tls"] = {"ca": "roots.der", **found["tls"]}
    scene.launch(extra, files=engine.files_for(scene.sim), heap="1M")
    update_id = scene.sim.push_text("And the day after?")
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert scene.texts() == ["Aye."]
    assert model.problems == []
    body = model.requests[-1].body
    assert (body["model"], body["max_tokens"]) == ("anthropic/claude-sonnet-4.6", 4096)
    assert model.requests[-1].headers["x-title"] == "PicoClaw"
    assert "write_file" not in {tool["function"]["name"] for tool in body["tools"]}
    first, *rest = body["messages"]
    for words in ("tide tables of a small harbour", 'say "aye"', "中文", "third buoy"):
        assert words in first["content"]
    assert "Anna asked for tides." in first["content"]
    assert "name: pico" not in first["content"]
    assert [message["role"] for message in rest] == [
        "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert rest[0]["content"] == "When is high water? 🌊"
    assert rest[-1]["content"] == "And the day after?"
    session = scene.folder / f"workspace/sessions/telegram_{USER}.jsonl"
    assert json.loads(session.read_text().splitlines()[-1])["content"] == "Aye."

"""Another gateway is measured as a real process: its config, its answers, its memory, its name."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import pytest
from command_line import copepod

from host_tools.errors import UserError
from host_tools.measure import rivals
from host_tools.measure.model_server import ModelServer

# Polls with the config that PicoClaw would have, asks the model and answers with what that says.
GATEWAY = """\
#!{python}
import json, os, ssl, sys, urllib.request

assert sys.argv[1:] == ["gateway"]
config = json.load(open(os.environ["PICOCLAW_CONFIG"]))
channel = config["channel_list"]["telegram"]
bot = channel["settings"]["base_url"] + "/bot" + channel["settings"]["token"] + "/"
trusted = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
(model,) = config["model_list"]
held = bytearray({held})  # memory that must be seen in its RSS
for at in range(0, len(held), 4096):
    held[at] = 1

def call(url, data):
    request = urllib.request.Request(
        url, json.dumps(data).encode(), {{"Content-Type": "application/json"}}
    )
    context = trusted if url.startswith("https") else None
    return json.load(urllib.request.urlopen(request, context=context))

offset = 0
while True:
    for update in call(bot + "getUpdates", {{"offset": offset, "timeout": 5}})["result"]:
        offset = update["update_id"] + 1
        message = update["message"]
        assert str(message["from"]["id"]) in channel["allow_from"]
        asked = {{"model": "echo", "messages": [{{"role": "user", "content": message["text"]}}]}}
        said = call(model["api_base"] + "/chat/completions", asked)
        text = said["choices"][0]["message"]["content"]
        {answer}
"""
ANSWER = 'call(bot + "sendMessage", {"chat_id": message["chat"]["id"], "text": text})'


def gateway(folder: Path, answer: str = ANSWER, held: int = 0) -> Path:
    path = folder / "fakeclaw"
    path.write_text(GATEWAY.format(python=sys.executable, answer=answer, held=held))
    path.chmod(0o755)
    return path


def test_it_is_measured(tmp_path: Path) -> None:
    small = rivals.measure(rivals.PICOCLAW, gateway(tmp_path), 6, 0.01)
    assert small["messages"] == {"sent": 6, "answered": 6}
    assert small["model_asked"] == 6
    assert small["ok"]
    assert small["rss"]["name"] == "fakeclaw"
    large = rivals.measure(rivals.PICOCLAW, gateway(tmp_path, held=50_000_000), 2, 0.01)
    more_kb = large["rss"]["rss_kb"] - small["rss"]["rss_kb"]
    assert 45_000 < more_kb < 55_000, "it is this process's own memory"
    assert large["rss"]["anon_kb"] > 45_000


def test_an_answer_that_never_comes_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals, "ANSWER_S", 0.5)
    half = "int(text[1:].split()[0]) % 2 or " + ANSWER
    found = rivals.measure(rivals.PICOCLAW, gateway(tmp_path, half), 4, 0.01)
    assert found["messages"] == {"sent": 4, "answered": 2}
    assert not found["ok"]


def test_one_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"never polled|ended after"):
        rivals.measure(rivals.PICOCLAW, gateway(tmp_path, "sys.exit('no more')"), 2, 0.01)


def test_the_command_writes_its_result(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    made = gateway(tmp_path)
    run = copepod("rivals", "--picoclaw", made, "--messages", "3", "--pause", "0", "--json", out)
    assert run.returncode == 0, run.stderr
    assert "3 of 3 answered; RSS" in run.stdout
    found = json.loads(out.read_text())
    assert found["command"] == "copepod rivals --picoclaw BINARY --messages 3 --pause 0"
    assert found["binary"]["bytes"] == made.stat().st_size
    assert str(tmp_path) not in out.read_text()


@pytest.mark.parametrize(
    "given", [[], ["--picoclaw", "/nowhere/picoclaw"], ["--picoclaw", "/tmp"]]
)
def test_without_a_binary_one_line_says_what_it_needs(given: list[str]) -> None:
    run = copepod("rivals", *given)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert "--picoclaw BINARY" in run.stderr


def test_the_model_repeats_whole_and_in_a_stream() -> None:
    with ModelServer() as model:
        parts = [{"type": "text", "text": "h\u00e9"}, {"type": "text", "text": "llo"}]
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]
        for stream in (False, True):
            body = json.dumps({"model": "x", "messages": messages, "stream": stream}).encode()
            url = model.base_url + "/chat/completions"
            with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:
                text = answer.read().decode()
            if stream:
                events = [line[6:] for line in text.splitlines() if line]
                assert events[-1] == "[DONE]"
                deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
                assert "".join(delta.get("content", "") for delta in deltas) == "h\u00e9llo"
            else:
                assert json.loads(text)["choices"][0]["message"]["content"] == "h\u00e9llo"
        assert model.asked == 2

"""PicoClaw's folder brought over: each form of its config, what stays behind and why, nothing lost here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import no_variables  # noqa: F401
from command_line import Run, copepod

from host_tools.install import picoclaw, picoclaw_workspace
from host_tools.paths import ROOT
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer

FORMS = ROOT / "tests/data/picoclaw"  # written for these tests
TOKEN = "987654321:BBFixtureFixtureFixtureFixtureFixtur"
SECRETS = (
    TOKEN, "sk-fixture", "gsk-fixture", "brave-fixture", "BBFix",
)  # fmt: skip


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """The models of the configs, over TLS with a root that this machine knows."""
    authority = Authority(("localhost",))
    roots = tmp_path / "machine.pem"
    roots.write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    with ModelServer(key="sk-fixture-openrouter-1", authority=authority) as made:
        made.names = ["anthropic/claude-sonnet-4.6"]
        yield made


def form(tmp_path: Path, name: str, server: ModelServer | None = None) -> Path:
    """A copy of one, its model at the server."""
    made = tmp_path / "picoclaw"
    shutil.copytree(FORMS / name, made)
    if server is not None:
        config = made / "config.json"
        text = config.read_text().replace("https://openrouter.ai/api/v1", server.url)
        text = text.replace("https://api.openai.com/v1", "http://127.0.0.1:1/v1")
        config.write_text(text)
    return made


def take(place: Path, path: Path, *more: object) -> Run:
    """No network but for the model's."""
    base = ("--base-url", "http://127.0.0.1:1") if "--offline" not in more else ()
    run = copepod("config", "--config", path, "--no-input", "--from", place, *base, *more)
    assert not any(secret in run.stdout + run.stderr for secret in SECRETS)
    return run


def messages(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_version_3(tmp_path: Path, server: ModelServer) -> None:
    path = tmp_path / "here/config.json"
    run = take(form(tmp_path, "v3", server), path)
    assert run.returncode == 0, run.stderr
    expected: dict[str, Any] = {
        "channels": {
            "telegram": {
                "token": TOKEN,
                "allow_from": ["42", "77|anna"],
                "base_url": "http://127.0.0.1:1",
            }
        },
        "model_list": [
            {
                "model_name": "claude",
                "model": "openai/anthropic/claude-sonnet-4.6",
                "api_base": server.url,
                "api_keys": ["sk-fixture-openrouter-1"],
                "custom_headers": {"X-Title": "PicoClaw"},
                "fallbacks": ["gpt"],
            },
            {
                "model_name": "gpt",
                "model": "gpt-5.4",
                "api_base": "http://127.0.0.1:1/v1",
                "api_keys": ["sk-fixture-openai"],
                "request_timeout": 60,
            },
        ],
        "agents": {
            "defaults": {
                "max_tokens": 4096,
                "temperature": 0.5,
                "max_tool_iterations": 12,
                "summarize_message_threshold": 20,
            }
        },
        "tools": {"write_file": {"enabled": False}},
        "tls": {"model_ca": "model.der"},
        "wifi": {},
    }
    if heartbeat():
        expected["heartbeat"] = {"enabled": True, "interval": 30}
    if picoclaw.device_reads("jobs.json"):
        expected["tz"] = "CET-1CEST,M3.5.0,M10.5.0/3"  # of a job
    assert json.loads(path.read_text()) == expected
    assert "has anthropic/claude-sonnet-4.6 and takes the key" in run.stdout
    assert server.authority is not None
    assert path.with_name("model.der").read_bytes() == server.authority.der
    left = [line.split(": ", 1)[1] for line in run.stdout.splitlines() if "left out" in line]
    for beginning in (
        "channel_list.discord: Telegram is the only channel",
        "channel_list.mine.proxy: ",
        "channels.telegram.allow_from 'not a name!': ",
        "channels.telegram.allow_from 'YOUR_USER_ID': ",
        "agents.defaults: context_window, restrict_to_workspace",
        "model_list: claude (another one): the board has one model of a name",
        "model_list: claude: 1 more keys: ",
        "model_list: claude: thinking_level: ",
        "tools: exec, web: ",
        "gateway, hooks: ",
        "AGENT.md's first part: ",
        "session agent_main_main: of no Telegram chat",
        "session sk_v1_cccc: one topic of a forum",
        "session sk_v1_dddd: of the channel discord",
        "session agent_main_telegram_direct_42: sk_v1_aaaa is the newer one of 42",
        "session sk_v1_aaaa: 4 messages: without text, a result or an answer",
        "session sk_v1_aaaa: 1 lines: they are no JSON",
        "session agent_main_telegram_direct_77: 30 older messages: ",
        "memory/202611/20261101.md: daily notes",
        "skills/weather/SKILL.md: ",
        "state/state.json: ",
        "tides.txt: no file that the board reads",
    ):
        assert any(line.startswith(beginning) for line in left), (beginning, left)


def heartbeat() -> bool:
    """The device code beside these tools reads HEARTBEAT.md."""
    return picoclaw.device_reads("HEARTBEAT.md")


def test_the_workspace(tmp_path: Path, server: ModelServer) -> None:
    path = tmp_path / "here/config.json"
    assert take(form(tmp_path, "v3", server), path).returncode == 0
    there = path.parent / "workspace"
    assert (there / "AGENT.md").read_text() == (
        "# Pico\n\nYou keep the tide tables of a small harbour.\n"
    )
    for name in ("SOUL.md", "USER.md", "memory/MEMORY.md"):
        assert (there / name).read_bytes() == (FORMS / "v3/workspace" / name).read_bytes()
    call = {
        "id": "call_7",
        "type": "function",
        "function": {"name": "web_search", "arguments": '{"q": "tide"}'},
    }
    assert messages(there / "sessions/telegram_42.jsonl") == [
        {"role": "user", "content": "When is high water? 🌊"},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_7", "content": "12:04"},
        {"role": "assistant", "content": "At 12:04, aye."},
    ]
    meta = json.loads((there / "sessions/telegram_42.meta.json").read_text())
    assert meta == {"summary": "Anna asked for tides.", "skip": 0}
    assert len(messages(there / "sessions/telegram_-100123.jsonl")) == 2
    long = (there / "sessions/telegram_77.jsonl").read_bytes()
    assert 30_000 < len(long) <= picoclaw_workspace.SESSION_MAX_B
    assert long.startswith(b'{"role":"user","content":"')
    assert sorted(file.name for file in (there / "sessions").iterdir()) == [
        f"telegram_{chat}.{kind}"
        for chat in ("-100123", "42", "77")
        for kind in ("jsonl", "meta.json")
    ]
    assert (there / "HEARTBEAT.md").exists() == heartbeat()


def test_version_1(tmp_path: Path) -> None:
    """Flat channels, `api_key` in a file, a token from .security.yml, sessions of one file each."""
    path = tmp_path / "here/config.json"
    run = take(form(tmp_path, "v1"), path, "--offline")
    assert run.returncode == 0, run.stderr
    found = json.loads(path.read_text())
    assert found["channels"]["telegram"] == {"token": TOKEN, "allow_from": ["42"]}
    assert found["model_list"] == [
        {
            "model_name": "home",
            "model": "openai/openai/gpt-oss-20b",  # the board's reader takes one off
            "api_base": "http://localhost:1234/v1",
            "api_keys": ["sk-fixture-home"],
        }
    ]
    assert found["agents"] == {"defaults": {"max_tokens": 8192}}
    assert "left out: agents.defaults.max_tool_iterations: expected 1 to 50" in run.stdout
    assert "model openai/gpt-oss-20b at http://localhost:1234/v1, key set" in run.stdout
    assert "would be the board itself" in run.stdout
    there = path.parent / "workspace"
    assert (there / "AGENT.md").read_text() == "You are of the older form.\n"
    assert [line["content"] for line in messages(there / "sessions/telegram_42.jsonl")] == [
        "from one file",
        "yes",
    ]
    assert "IDENTITY.md" in run.stdout


def test_the_form_without_a_version(tmp_path: Path) -> None:
    place = form(tmp_path, "v0")
    taken = picoclaw.read(place)
    assert taken.config["model_list"] == [
        {
            "model_name": "openrouter/auto",
            "model": "auto",
            "api_base": "https://openrouter.ai/api/v1",
            "api_keys": ["sk-fixture-or"],
        }
    ]
    assert taken.config["channels"]["telegram"] == {"token": TOKEN, "allow_from": []}
    assert any("there it admits everybody, here nobody: pairing" in line for line in taken.lines)
    assert any(line.startswith("left out: providers: groq") for line in taken.lines)


def test_nothing_here_is_overwritten_without_a_word(tmp_path: Path) -> None:
    place, path = form(tmp_path, "v1"), tmp_path / "here/config.json"
    path.parent.mkdir()
    mine = {"model_name": "mine", "model": "m", "api_base": "http://10.0.0.2/v1"}
    own = {
        "channels": {"telegram": {"token": "1:" + "A" * 35, "allow_from": ["7"]}},
        "model_list": [mine],
        "agents": {"defaults": {"model_name": "mine"}},
        "wifi": {"ssid": "home", "password": "as it was"},
    }
    path.write_text(json.dumps(own))
    session = path.parent / "workspace/sessions/telegram_42.jsonl"
    session.parent.mkdir(parents=True)
    session.write_text('{"role":"user","content":"mine"}\n')
    run = take(place, path, "--offline")
    assert run.returncode == 0, run.stderr
    found = json.loads(path.read_text())
    assert found["agents"]["defaults"].pop("max_tokens") == 8192
    assert found == own
    for name in ("channels.telegram.token", "channels.telegram.allow_from", "model_list"):
        assert f"kept: {name} of the config" in run.stdout
    assert f"kept: {session}" in run.stdout
    assert session.read_text() == '{"role":"user","content":"mine"}\n'
    assert not session.with_name("telegram_42.meta.json").exists()  # the two go together
    run = take(place, path, "--offline", "--replace")
    assert run.returncode == 0, run.stderr
    found = json.loads(path.read_text())
    assert (found["channels"]["telegram"]["token"], found["wifi"]) == (TOKEN, own["wifi"])
    assert [entry["model_name"] for entry in found["model_list"]] == ["home"]
    assert "replaced: model_list" in run.stdout
    assert f"replaced: {session}" in run.stdout
    before = path.read_bytes()
    run = take(place, path, "--offline")  # again: all of it is there
    assert "kept" not in run.stdout
    assert "taken: " not in run.stdout
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 4}', "version 4: 3 is the newest"),
        ("{", "config.json: Expecting"),
        ("[]", "not an object"),
        (None, "--from names PicoClaw's folder"),
    ],
)
def test_what_is_no_config(tmp_path: Path, text: str | None, said: str) -> None:
    place, path = tmp_path / "picoclaw", tmp_path / "config.json"
    place.mkdir()
    if text is not None:
        (place / "config.json").write_text(text)
    run = take(place, path, "--offline")
    assert run.returncode == 1
    assert said in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert not path.exists()


def entry(**more: Any) -> dict[str, Any]:
    """A config of version 3 with one model."""
    model = {"model_name": "m", "api_keys": ["sk-1"], **more}
    return {"version": 3, "agents": {"defaults": {"model_name": "m"}}, "model_list": [model]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (entry(model="anthropic-messages/claude"), "does not speak Chat Completions"),
        (entry(model="gemini/flash"), "gemini does not speak Chat Completions"),
        (entry(model="siliconflow/x"), "api_base is missing, and siliconflow's is not known"),
        (entry(model="openai/gpt", api_keys=["enc://AAAA"]), "encrypted with a passphrase"),
        (entry(model="openai/gpt", api_keys=["file://none"]), "none can't be read"),
        ({"version": 3, "agents": {"defaults": {"model_name": "gone"}}}, "no entry of model_list"),
        ({"version": 2, "model_list": []}, "the config has no Telegram"),
    ],
)
def test_models_that_stay_behind(tmp_path: Path, found: dict[str, Any], said: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(found))
    taken = picoclaw.read(tmp_path)
    assert any(said in line for line in taken.lines), taken.lines
    assert "sk-1" not in str(taken.lines)


@pytest.mark.parametrize(
    ("model", "written"),
    [
        ({"model": "gpt-5.4"}, ("gpt-5.4", "https://api.openai.com/v1")),
        ({"model": "claude/sonnet"}, ("sonnet", "https://api.anthropic.com/v1")),
        (
            {"model": "siliconflow/Qwen/Qwen3", "api_base": "https://s.example/v1/"},
            ("Qwen/Qwen3", "https://s.example/v1"),
        ),
        (
            {"provider": "groq", "model": "openai/gpt-oss-120b"},
            ("openai/openai/gpt-oss-120b", "https://api.groq.com/openai/v1"),
        ),
    ],
)
def test_providers(tmp_path: Path, model: dict[str, str], written: tuple[str, str]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(entry(**model)))
    found = picoclaw.read(tmp_path).config["model_list"][0]
    assert (found["model"], found["api_base"]) == written


def test_cron_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a board can run, in PicoClaw's form, once the device code reads them."""
    place = form(tmp_path, "v3")
    taken = picoclaw.read(place)
    monkeypatch.setattr(picoclaw_workspace, "device_reads", lambda word: True)
    picoclaw_workspace.add(taken)
    jobs = json.loads(taken.files["cron/jobs.json"])
    assert [job["id"] for job in jobs["jobs"]] == ["a1"]
    assert jobs["jobs"][0]["schedule"]["expr"] == "0 7 * * 1-5"
    assert jobs["jobs"][0]["state"] == {}
    first, job, last = (
        taken.files["cron/jobs.json"].decode().splitlines()
    )  # as the board reads them
    assert (first, json.loads(job)["id"], last) == ('{"version":1,"jobs":[', "a1", "]}")
    assert taken.config["tz"] == "CET-1CEST,M3.5.0,M10.5.0/3"
    for why in ("its time is over", "it runs a command of a shell", "it is not enabled"):
        assert any(why in line for line in taken.lines)
    assert "HEARTBEAT.md" in taken.files
    monkeypatch.setattr(picoclaw_workspace, "device_reads", lambda word: False)
    taken = picoclaw.read(place)
    picoclaw_workspace.add(taken)
    assert "cron/jobs.json" not in taken.files
    assert any("cron/jobs.json: 4 jobs: the board runs no" in line for line in taken.lines)


def test_the_one_who_is_admitted_has_the_shared_session(tmp_path: Path) -> None:
    place = form(tmp_path, "v3")
    config = json.loads((place / "config.json").read_text())
    config["channel_list"]["mine"]["allow_from"] = ["5"]
    (place / "config.json").write_text(json.dumps(config))
    taken = picoclaw.read(place)
    picoclaw_workspace.add(taken)
    assert b"of all" in taken.files["sessions/telegram_5.jsonl"]


@pytest.mark.parametrize(
    ("key", "chat"),
    [
        ("agent:main:telegram:direct:42", "42"),
        ("agent:main:telegram:bot1:direct:42", "42"),
        ("agent_main_telegram_group_-100123", "-100123"),
        ("telegram:-100123", "-100123"),
        ("telegram_42", "42"),
        ("agent:main:telegram:group:-100123/7", None),
        ("agent:main:discord:direct:42", None),
        ("agent:main:main", None),
        ("sk_v1_0123", None),
    ],
)
def test_whose_session_it_is(key: str, chat: str | None) -> None:
    assert picoclaw_workspace._chat({"key": key}, "x")[0] == chat
    assert picoclaw_workspace._chat({}, key.replace(":", "_").replace("/", "_"))[0] == chat


def test_a_conversation_ends_with_an_answer() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": ""}}
    question = {"role": "user", "content": "q"}
    answer = {"role": "assistant", "content": 'say ,"tool_calls":[ aloud'}
    calls = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c", "content": "r"}
    for messages, kept in (
        ([question, calls, result, answer], 4),
        ([question, answer, question, calls, result], 2),
        ([question, answer, question, calls], 2),
        ([question, calls, question, answer], 3),
        ([result, question, answer, {"role": "system", "content": "s"}], 2),
        ([question], 0),
    ):
        rows, dropped = picoclaw_workspace._finished(messages)
        assert (len(rows), dropped) == (kept, len(messages) - kept)


def test_zones_and_too_many_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = form(tmp_path, "v3")
    path = place / "workspace/cron/jobs.json"
    job = json.loads(path.read_text())["jobs"][0]

    def zoned(number: int, zone: str) -> dict[str, Any]:
        return {**job, "name": f"job {number}", "schedule": {**job["schedule"], "tz": zone}}

    zones = ["Asia/Tehran", "", "Nowhere/Else", "Europe/Berlin", *[""] * 14]
    jobs = [zoned(number, zone) for number, zone in enumerate(zones)]
    path.write_text(json.dumps({"version": 1, "jobs": [*jobs, None]}))
    monkeypatch.setattr(picoclaw_workspace, "device_reads", lambda word: True)
    taken = picoclaw.read(place)
    picoclaw_workspace.add(taken)
    assert taken.config["tz"] == "<+0330>-3:30"
    for line in (
        "cron job 'job 2': its zone Nowhere/Else is not known: see `tz`",
        "cron job 'job 3': it goes by <+0330>-3:30, not Europe/Berlin",
        "left out: cron job 'job 16': the board has 16 at most",
    ):
        assert line in taken.lines
    assert picoclaw_workspace.posix_zone("../passwd") == ""

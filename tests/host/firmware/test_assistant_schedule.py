"""Jobs and the heartbeat: due in time, once, after a restart, too, and silent when there is nothing to say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked, scene  # noqa: F401
from scene import wanted

from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

OWNED = {"channels": {"telegram": {"allow_from": [str(USER)]}}}


def jobs(scene: Scene) -> list[dict[str, Any]]:
    path = scene.folder / "workspace/cron/jobs.json"
    found = json.loads(path.read_text())
    assert found["version"] == 1
    return found["jobs"]


def prompts(scene: Scene) -> list[str]:
    """The questions that nobody has written."""
    last = [request.body["messages"][-1]["content"] for request in scene.model.requests]
    return [text for text in last if text.startswith("[")]


def picoclaws(*entries: dict[str, Any]) -> str:
    """A file as PicoClaw writes it."""
    found = []
    for number, entry in enumerate(entries):
        job = {
            "id": f"a1b2c3d4{number}",
            "name": "brought along",
            "enabled": True,
            "schedule": {"kind": "at", "atMs": 1700000000000},
            "payload": {
                "kind": "agent_turn",
                "message": "m",
                "channel": "telegram",
                "to": str(USER),
            },
            "state": {"nextRunAtMs": 1700000000000},
            "createdAtMs": 1,
            "updatedAtMs": 1,
            "deleteAfterRun": True,
        }
        job.update(entry)
        found.append(job)
    return json.dumps({"version": 1, "jobs": found}, indent=2)


def bring(scene: Scene, text: str) -> None:
    folder = scene.folder / "workspace/cron"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jobs.json").write_text(text)


# --- jobs


def test_a_reminder_comes_once(scene: Scene) -> None:
    scene.start(**OWNED)
    (said,) = scene.calls(("cron", {"action": "add", "message": "**tea**", "at_seconds": 1}))
    assert said.startswith("job 1 is added, first due 20")
    scene.until(lambda: scene.texts()[-1] == "tea")
    scene.until(lambda: jobs(scene) == [])
    assert len(scene.model.requests) == 2  # the model was not asked for it
    assert scene.calls(("cron", {"action": "list"})) == ["there are no jobs"]
    assert scene.texts().count("tea") == 1


def test_a_task_asks_the_model_when_it_is_due(scene: Scene) -> None:
    scene.start(**OWNED)
    task = {"action": "add", "message": "look at the door", "at_seconds": 1, "deliver": False}
    scene.calls(("cron", task))
    scene.model.answer = lambda body: (
        Reply("It is open.")
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("gpio_read", {"pin": "door"})])
    )
    scene.until(lambda: scene.texts()[-1] == "It is open.")
    scene.until(lambda: jobs(scene) == [])
    (prompt,) = prompts(scene)
    assert prompt.startswith("[The job look at the door is due: 20")
    assert prompt.endswith("\n\nlook at the door")
    roles = [m["role"] for m in scene.model.requests[-1].body["messages"]]
    assert roles[-3:] == ["user", "assistant", "tool"]
    scene.model.answer = lambda body: Reply("yes")
    assert scene.ask("did you look?") == "yes"  # the chat's own history has it
    assert "It is open." in str(scene.model.requests[-1].body["messages"])


def test_a_task_with_nothing_to_tell_is_silent(scene: Scene) -> None:
    scene.start(**OWNED)
    scene.calls(("cron", {"action": "add", "message": "x", "at_seconds": 1, "deliver": False}))
    before = len(scene.sim.sent)
    scene.model.answer = lambda body: Reply("HEARTBEAT_OK")
    scene.until(lambda: prompts(scene))
    scene.until(lambda: jobs(scene) == [])
    scene.model.answer = lambda body: Reply("well")
    assert scene.ask("and now") == "well"
    assert len(scene.sim.sent) == before + 1


def test_jobs_are_listed_switched_and_removed(scene: Scene) -> None:
    scene.start(tz="CET-1", **OWNED)
    assert all(
        said.startswith(f"job {number} is added")
        for number, said in enumerate(
            scene.calls(
                ("cron", {"action": "add", "message": "work", "cron_expr": "0 9 * * 1-5"}),
                ("cron", {"action": "add", "message": "water", "every_seconds": 7200}),
                ("cron", {"action": "add", "message": "leap", "cron_expr": "0 0 29 2 *"}),
            ),
            1,
        )
    )
    (listed,) = scene.calls(("cron", {"action": "list"}))
    rows = listed.split("\n")
    assert rows[0].startswith("1: work (0 9 * * 1-5, next 20")
    assert rows[0].endswith(" 09:00:00)")
    assert rows[1].startswith("2: water (every 7200 s, next 20")
    assert "-02-29 00:00:00" in rows[2]
    assert scene.calls(
        ("cron", {"action": "disable", "job_id": "2"}),
        ("cron", {"action": "remove", "job_id": "1"}),
    ) == ["job 2 is disabled", "job 1 is removed"]
    (listed,) = scene.calls(("cron", {"action": "list"}))
    assert listed.split("\n")[0] == "2: water (every 7200 s, not due, disabled)"
    assert scene.calls(("cron", {"action": "enable", "job_id": "2"})) == ["job 2 is enabled"]
    assert scene.calls(
        ("cron", {"action": "add", "message": "x", "cron_expr": "61 * * * *"}),
        ("cron", {"action": "add", "message": "x", "every_seconds": 5}),
        ("cron", {"action": "add", "message": "x"}),
        ("cron", {"action": "remove", "job_id": "9"}),
    ) == [
        "error: ValueError: cron('61 * * * *'): minute: '61' is not 0 to 59",
        "error: ValueError: every_seconds: a whole number from 60 on, a year at most",
        "error: ValueError: one of at_seconds, every_seconds and cron_expr is needed",
        "error: ValueError: there is no job 9",
    ]
    assert [job["id"] for job in jobs(scene)] == ["2", "3"]


def test_a_job_is_kept_over_a_restart(scene: Scene) -> None:
    scene.start(**OWNED)
    scene.calls(("cron", {"action": "add", "message": "late", "at_seconds": 2}))
    scene.stop(kill=True)
    assert "late" not in scene.texts()
    scene.start(**OWNED)
    scene.until(lambda: "late" in scene.texts())
    scene.until(lambda: jobs(scene) == [])


def test_jobs_brought_from_picoclaw(scene: Scene) -> None:
    every = {"kind": "every", "everyMs": 3600000}
    elsewhere = {
        "kind": "agent_turn",
        "message": "to the owner",
        "deliver": True,
        "channel": "cli",
    }
    at_once = {"kind": "agent_turn", "message": "hello", "deliver": True, "channel": "telegram"}
    bring(
        scene,
        picoclaws(
            {"payload": {**at_once, "to": str(USER)}},
            {"payload": elsewhere},
            {"schedule": every},
            {"schedule": "daily"},
            {"schedule": {"kind": "cron", "expr": "nonsense"}},
        ),
    )
    scene.start(**OWNED)
    scene.until(lambda: scene.texts() == ["hello", "to the owner"])
    scene.until(lambda: len(jobs(scene)) == 2)
    assert [job["schedule"]["kind"] for job in jobs(scene)] == ["every", "cron"]
    assert jobs(scene)[0]["state"]["nextRunAtMs"] > 1700000000000
    scene.until(scene.said("is never due: "))
    assert scene.model.requests == []


def test_a_job_that_a_crash_has_cut_is_not_paid_for_twice(scene: Scene) -> None:
    scene.model.answer = lambda body: Reply("The answer.")
    bring(scene, picoclaws({}))
    scene.sim.fault("stall", "sendMessage", seconds=30, at="before")
    scene.start(**OWNED)
    scene.until(lambda: scene.sim.calls_of("sendMessage"))
    assert jobs(scene)[0]["state"]["tries"] == 1
    scene.stop(kill=True)
    scene.start(**OWNED)
    scene.until(lambda: scene.texts() == ["The answer."])
    scene.until(lambda: jobs(scene) == [])
    assert len(scene.model.requests) == 1


def test_a_job_that_fails_twice_is_given_up(scene: Scene) -> None:
    bot = """\
import os
from copepod.tools import tool

@tool("Ends the process.")
def end():
    os.system("kill -9 $PPID")
"""
    scene.model.answer = lambda body: Reply(calls=[("end", {})])
    bring(scene, picoclaws({}))
    for _ in range(2):
        scene.start(bot=bot, **OWNED)
        device = scene.device
        assert device is not None
        assert device.wait(lambda: device.ended, 20)  # noqa: B023
        scene.stop()
        # another call than the one that was lost
        scene.model.answer = lambda body: Reply(calls=[("end", {}), ("get_time", {})])
    scene.start(bot=bot, **OWNED)
    scene.until(scene.said("has failed twice"))
    scene.until(lambda: jobs(scene) == [])


@pytest.mark.parametrize("name", wanted())
def test_a_task_over_the_only_tls_session(tmp_path: Path, name: str) -> None:
    with asked(Scene(tmp_path, name, tls=True)) as scene:
        scene.model.answer = lambda body: Reply("The answer.")
        bring(scene, picoclaws({}))
        scene.start(**OWNED)
        scene.until(lambda: scene.texts() == ["The answer."])
        assert not scene.sim.methods.actions


def test_without_jobs_and_heartbeat_nothing_is_loaded(scene: Scene) -> None:
    scene.start(
        bot="""\
import sys
from copepod.handlers import on_command

@on_command("loaded")
def loaded(msg):
    return " ".join(sorted(n for n in sys.modules if "assistant" in n or "answers" in n))
"""
    )
    assert "UTC" in scene.ask("what time is it")  # a tool has said so
    loaded = ["", ".model"]
    assert scene.ask("/loaded") == " ".join("copepod.assistant" + name for name in loaded)


# --- the heartbeat


BEATS = {"heartbeat": {"enabled": True, "interval": 0.05}}


def test_the_heartbeat_asks_while_something_is_to_be_done(scene: Scene) -> None:
    workspace = scene.folder / "workspace"
    workspace.mkdir()
    file = workspace / "HEARTBEAT.md"
    file.write_text("# Tasks\n\n- [ ] look at the door\n- [x] done long ago\n")
    scene.model.answer = lambda body: Reply("HEARTBEAT_OK\n")
    scene.start(**OWNED, **BEATS)
    scene.until(lambda: len(prompts(scene)) == 2)
    assert scene.texts() == []
    assert "- [ ] look at the door" in prompts(scene)[0]
    # the second was asked without the first
    assert [m["role"] for m in scene.model.requests[1].body["messages"]] == ["system", "user"]
    scene.model.answer = lambda body: Reply("The **door** is open, HEARTBEAT_OK or not.")
    scene.until(lambda: scene.texts())
    assert scene.texts()[0] == "The door is open, HEARTBEAT_OK or not."
    assert not scene.sim.methods.actions


@pytest.mark.parametrize(
    ("text", "wakes"),
    [
        ("# Nothing\n\n- [x] done\n* [ ]\n-\n", False),
        ("Some words that are no task.", False),
        ("- one example\n\nAdd your heartbeat tasks below this line:\n", False),
        ("- one example\n\nAdd your heartbeat tasks below this line:\n1. water\n", True),
        ("* water", True),
    ],
)
def test_only_what_is_to_be_done_wakes_the_model(scene: Scene, text: str, wakes: bool) -> None:
    workspace = scene.folder / "workspace"
    workspace.mkdir()
    (workspace / "HEARTBEAT.md").write_text(text)
    bring(scene, picoclaws({"schedule": {"kind": "every", "everyMs": 4000}, "state": {}}))
    scene.model.answer = lambda body: Reply("HEARTBEAT_OK")
    scene.start(**OWNED, **BEATS)
    job = lambda: [text for text in prompts(scene) if text.startswith("[The job")]  # noqa: E731
    beats = lambda: [text for text in prompts(scene) if text.startswith("[This is")]  # noqa: E731
    scene.until(lambda: len(job()) == 2)  # so a beat was due between
    assert bool(beats()) == wakes


def test_a_heartbeat_without_a_model_says_nothing(scene: Scene) -> None:
    workspace = scene.folder / "workspace"
    workspace.mkdir()
    (workspace / "HEARTBEAT.md").write_text("- water")
    scene.model.fault("401", 5)
    scene.start(**OWNED, **BEATS)
    scene.until(scene.said("the heartbeat has failed: The model's server refuses the key (401)."))
    assert scene.texts() == []

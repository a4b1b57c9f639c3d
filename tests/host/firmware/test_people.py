"""Who is answered and what is a request, through a whole gateway: pairing, edits, bots, consoles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_gateway import GROUP, OTHER, Scene

from host_tools.console import frames
from host_tools.console.frames import Event
from host_tools.simulator.params import Refused
from host_tools.simulator.updates import USER

BOT = """\
from copepod.handlers import on_command, on_edit, on_text

table = {}

@on_command("look")
def look(msg):
    return table[msg.args]

@on_command("task")
def task(msg):
    import asyncio
    async def lost():
        raise ValueError(msg.args)
    asyncio.create_task(lost())
    return "begun"

@on_text
def text(msg):
    return "text: " + msg.text
"""
EDITS = """
@on_edit
def edit(msg):
    return "edit: " + msg.text
"""
BOT_SENDER = {"id": 7000000077, "is_bot": True, "first_name": "Echo", "username": "echo_bot"}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    with made.sim:
        made.sim.know(USER)
        made.sim.know(OTHER)
        yield made
        made.stop()


def settled(scene: Scene) -> None:
    """Every update is acknowledged."""
    scene.until(lambda: not scene.sim.queue.pending())


# --- pairing


def code_of(scene: Scene) -> str:
    found = re.findall(r"send this code to the bot: (\w{8})", scene.device.text())
    return found[-1]


def test_the_code_is_for_pairing_alone_and_the_owner_stays(scene: Scene) -> None:
    scene.start(BOT, allow_from=[])
    scene.until(scene.said("send this code"))
    for number in range(30):
        scene.sim.push_text(f"GUESS{number:03}", user=OTHER)
    settled(scene)
    assert len(scene.texts(OTHER)) == 1
    assert scene.texts(OTHER)[0].startswith("Too many wrong codes")
    assert scene.device.text().count("something else than the code") == 1
    scene.sim.push_text(code_of(scene).lower())
    scene.until(lambda: scene.texts())
    assert scene.texts() == ["You are paired: this bot now answers you."]
    scene.sim.push_text("hello")
    scene.sim.push_text("hello", user=OTHER)
    settled(scene)
    assert scene.texts()[1:] == ["text: hello"]
    assert len(scene.texts(OTHER)) == 1
    kept = json.loads((scene.folder / "config.json").read_text())
    assert kept["channels"]["telegram"]["allow_from"] == [str(USER)]
    scene.stop()


# --- edits


def test_edits_run_nothing(scene: Scene) -> None:
    scene.start(BOT)
    scene.sim.push_text("first")
    settled(scene)
    for text in ("second", "/look x", "/ping"):
        scene.sim.push_text(text, kind="edited_message", edit_date=1790000000)
    scene.sim.push_text("last")
    settled(scene)
    assert scene.texts() == ["text: first", "text: last"]


def test_edits_run_their_handler_when_the_text_has_changed(scene: Scene) -> None:
    scene.start(BOT + EDITS)
    message = {"message_id": 5, "date": 1, "edit_date": 2, "chat": scene_chat(), "from": sender()}
    scene.sim.push({"message": message | {"text": "one"}})
    for text in ("one", "two", "two", "three", "/ping"):
        scene.sim.push({"edited_message": message | {"text": text}})
    settled(scene)
    wanted = ["text: one", "edit: two", "edit: three", "edit: /ping"]
    assert scene.texts() == wanted
    asked = scene.sim.calls_of("getUpdates")[0]
    assert "edited_message" in str(asked)


def scene_chat() -> dict:
    return {"id": USER, "type": "private", "first_name": "Ada"}


def sender() -> dict:
    return {"id": USER, "is_bot": False, "first_name": "Ada", "username": "ada"}


# --- senders


def test_bots_come_to_an_end(scene: Scene) -> None:
    """One that says that it is one gets no answer; one that does not, as many as a minute has."""
    scene.start(BOT, allow_from=["*"], limit=10)
    for _ in range(20):
        scene.sim.push_text("@copepod_bot hello", chat=GROUP["id"], **{"from": BOT_SENDER})
    settled(scene)
    assert scene.texts(GROUP["id"]) == []
    for number in range(80):
        scene.sim.push_text(f"@copepod_bot {number}", chat=GROUP["id"])
    settled(scene)
    assert len(scene.texts(GROUP["id"])) == 60
    assert scene.device.text().count("no answers") == 1
    scene.sim.push_text("here")
    settled(scene)
    assert scene.texts() == ["text: here"]


def test_a_bot_whose_id_is_listed_is_answered(scene: Scene) -> None:
    scene.start(BOT, allow_from=["*", str(BOT_SENDER["id"])])
    scene.sim.push_text("@copepod_bot hello", chat=GROUP["id"], **{"from": BOT_SENDER})
    settled(scene)
    assert scene.texts(GROUP["id"]) == ["text: hello"]


# --- a group that moves


@pytest.mark.parametrize("limit", [1, 10])
def test_an_answer_follows_its_group(scene: Scene, limit: int) -> None:
    old, new = -4800001, GROUP["id"]
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    methods = scene.sim.methods._table
    real = methods["sendmessage"]

    async def moved(params: dict) -> object:
        if int(params["chat_id"]) == old:
            raise Refused(400, words, migrate_to_chat_id=new)
        return await real(params)

    methods["sendmessage"] = moved
    scene.start(BOT, limit=limit)
    chat = {"id": old, "type": "group", "title": "Plankton"}
    scene.sim.push_text("@copepod_bot hello", chat=chat)
    scene.sim.know(new)
    settled(scene)
    assert scene.texts(new) == ["text: hello"]


# --- consoles


@pytest.mark.parametrize("command", ["look", "task"])
def test_the_text_of_an_exception_does_nothing_to_the_console(scene: Scene, command: str) -> None:
    made = frames.format_event(Event(3, 1000, "stop", 0))
    tricks = [
        "\x1b[2J\x1b]0;gone\x07",
        f"a\n{made}",
        f"b\n123 copepod: access: paired with id 666\n{made}",
        f'c\n  File "main.py", line 1\n{made}',
        "\u202egnp.exe",
    ]
    scene.start(BOT)
    for trick in tricks:
        scene.sim.push_text(f"/{command} {trick}")
    settled(scene)
    text = scene.device.text()
    for line in text.splitlines():
        assert not any(ord(c) < 32 or c in "\u202e\x7f" for c in line), line
        assert not line.startswith("123 copepod")
    assert "paired with id 666" in text
    assert [event.name for event in scene.device.frames.events if event.name == "stop"] == []
    assert scene.device.frames.damaged == 0

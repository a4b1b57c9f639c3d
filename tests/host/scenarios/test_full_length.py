"""Replies, captions, commands and mentions at full length, with less and less memory for them."""

from __future__ import annotations

import pytest

from host_tools import targets
from host_tools.scenarios import engine, scenario
from host_tools.simulator.updates import GROUP

LONG = "潮" * 4096
REPLIED = {"message_id": 3, "date": 1, "chat": {"id": 7}, "text": LONG}
ALL = r"(潮\n?){4096}"  # without memory to format it, it is sent in smaller pieces
# What is sent, and what the answer has in it.
UPDATES = [
    ({"text": LONG}, ALL),
    ({"text": "yes", "fields": {"reply_to_message": REPLIED}}, "^yes$"),
    ({"text": "潮水", "fields": {"reply_to_message": REPLIED}}, "^潮水$"),
    ({"text": LONG, "fields": {"reply_to_message": REPLIED}}, ALL),
    ({"text": "yes", "fields": {"quote": {"text": LONG[:1024]}}}, "^yes$"),
    ({"text": "/ping " + LONG[:4090]}, "^pong$"),
    ({"media": "photo", "fields": {"caption": LONG[:1024]}}, r"潮{1024}\n\[image: photo\]"),
    ({"media": "photo", "fields": {"caption": LONG}}, r"\[image: photo\]"),
    ({"text": "@copepod_bot " + LONG[:4083], "chat": GROUP}, "潮{4083}"),
    ({"text": LONG[:4083] + " @copepod_bot", "chat": GROUP}, "潮{4083}"),
    ({"text": "/ping@copepod_bot " + LONG[:4078], "chat": GROUP}, "^pong$"),
]
SORRY = "|^Sorry, "  # one sentence for what has no room
BOT = """
import gc
from copepod.handlers import on_command

hold = None

@on_command("fill")
def fill(msg):
    global hold
    gc.collect()
    while gc.mem_free() > int(msg.args):
        hold = (hold, bytearray(64))
    return "full"
"""


def run(updates, folder, limit):
    plan = scenario.parse(
        {
            "name": "full-length",
            "messages": {"count": 1},
            "updates": [made | ({"answer": answer} if answer else {}) for made, answer in updates],
            "device": {"heap": "256k", "bot": BOT},
            "config": {"channels": {"telegram": {"limit": limit}}},
        },
        "full-length",
    )
    result = engine.run(plan, targets.get("unix"), folder)
    wrong = [(row.label, row.value[:2000]) for row in result.rows if row.ok is False]
    assert result.ok, wrong + [result.console[-3000:]]


@pytest.mark.parametrize("limit", [1, 10])
def test_every_update_at_full_length_is_answered(limit, tmp_path):
    run([*UPDATES, ({"text": "still here"}, "^still here$")], tmp_path, limit)


@pytest.mark.parametrize("free_b", [20000, 14000, 10000])
def test_what_does_not_fit_is_answered_with_one_sentence(free_b, tmp_path):
    """Nothing fails, restarts or is lost; in a group silence is allowed, since nobody can tell who was meant."""
    updates = [({"text": f"/fill {free_b}"}, "^full$")]
    for made, answer in UPDATES:
        updates.append((made, answer + SORRY if "chat" not in made else "^"))
    updates.append(({"text": "still here"}, "^still here$"))
    run(updates, tmp_path, 1)

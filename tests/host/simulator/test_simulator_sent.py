"""What a bot sends to the simulator: texts, rich messages, drafts, edits, buttons, and how many in a second."""

import json

import pytest
from simulator_client import bot, ids, sim, under  # noqa: F401

from host_tools.simulator import markup
from host_tools.simulator.limits import Limits
from host_tools.simulator.updates import USER


def test_what_a_reader_sees_is_recorded(sim, bot):
    update = sim.push_text("hello", message_thread_id=7)
    asked = ids(bot.call("getUpdates"))
    assert asked == [update]
    answer = bot.call(
        "sendMessage",
        chat_id=USER,
        text="<b>a</b> &lt; <i>b</i>",
        parse_mode="HTML",
        reply_parameters={"message_id": 1},
        message_thread_id=7,
        link_preview_options={"is_disabled": True},
    )
    assert answer["result"]["reply_to_message"]["message_id"] == 1
    (sent,) = sim.sent
    assert (sent.text, sent.reply_to, sent.thread_id) == ("a < b", 1, 7)
    assert sent.preview_disabled
    assert [e["type"] for e in sent.entities] == ["bold", "italic"]


def test_a_rich_message_may_be_longer_than_another(sim, bot):
    sim.push_text("x")
    sim.methods.rich = True

    def send(text):
        return bot.call("sendRichMessage", chat_id=USER, rich_message={"markdown": text})

    assert send("crab " * 2000)["ok"]
    assert send("é" * 32768)["ok"]
    assert send("é" * 32769)["description"] == "Bad Request: message is too long"
    assert not bot.call("sendMessage", chat_id=USER, text="é" * 4097)["ok"]
    assert [len(sent.text) for sent in sim.sent] == [9999, 32768]
    assert sim.sent[1].text == "é" * 32768


def test_drafts_are_previews_in_private_chats(sim, bot):
    """Each refused one leaves nothing; what counts against the flood limit counts for both."""

    def draft(**params):
        return bot.call("sendMessageDraft", **{"chat_id": USER, "draft_id": 7, **params})

    sim.know(USER)
    assert draft()["result"] is True
    assert draft(text="")["ok"]
    assert draft(text="a **b <c")["ok"]
    assert draft(text="<b>x</b>", parse_mode="HTML")["ok"]
    drafts = sim.methods.drafts
    assert [each.text for each in drafts] == ["", "", "a **b <c", "x"]
    assert {each.draft_id for each in drafts} == {7}
    for params, words in (
        ({"draft_id": 0}, "RANDOM_ID_INVALID"),
        ({"chat_id": -100}, "TEXTDRAFT_PEER_INVALID"),
        ({"chat_id": 4711}, "chat not found"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"message_thread_id": 5}, "message thread not found"),
    ):
        sim.know(-100)
        answer = draft(**params)
        assert (answer["ok"], answer["error_code"]) == (False, 400)
        assert words in answer["description"]
    assert len(drafts) == 4
    assert sim.sent == []
    sim.methods.knows_drafts = False
    assert draft()["error_code"] == 404


def test_edits_actions_callbacks_commands(sim, bot):
    sim.push_text("x")
    message_id = bot.call("sendMessage", chat_id=USER, text="one")["result"]["message_id"]
    edit = {"chat_id": USER, "message_id": message_id}
    assert bot.call("editMessageText", text="two", **edit)["result"]["text"] == "two"
    assert "not modified" in bot.call("editMessageText", text="two", **edit)["description"]
    assert (sim.sent[0].text, sim.sent[0].edits) == ("two", 1)
    edit["message_id"] = 1
    assert "can't be edited" in bot.call("editMessageText", text="z", **edit)["description"]
    assert bot.call("sendChatAction", chat_id=USER, action="typing")["ok"]
    assert not bot.call("sendChatAction", chat_id=USER, action="dancing")["ok"]
    update = sim.push_callback("on")
    answer = bot.call("getUpdates", offset=update)["result"][0]["callback_query"]
    assert answer["data"] == "on"
    for good in (True, False):  # a query is answered once
        assert bot.call("answerCallbackQuery", callback_query_id=answer["id"])["ok"] is good
    commands = [{"command": "led", "description": "switch it"}]
    assert bot.call("setMyCommands", commands=json.dumps(commands))["ok"]
    assert sim.methods.commands == commands
    bad = [{"command": "LED!", "description": "x"}]
    assert bot.call("setMyCommands", commands=bad)["description"].endswith("BOT_COMMAND_INVALID")


def test_buttons_are_shown_pressed_and_changed_by_edits(sim, bot):
    sim.push_text("x")
    row = [{"text": "On", "callback_data": "led:on"}, {"text": "Off", "callback_data": "led:off"}]
    link = [{"text": "Docs", "url": "https://e.example/d"}]
    answer = bot.call("sendMessage", chat_id=USER, text="lamp", **under(row, link))["result"]
    assert answer["reply_markup"] == {"inline_keyboard": [row, link]}
    assert markup.labels(sim.sent[0].markup) == [["On", "Off"], ["Docs"]]
    for what in ("On", "led:on"):
        update = sim.press(what)
        query = bot.call("getUpdates", offset=update)["result"][0]["callback_query"]
        assert query["data"] == "led:on"
        assert query["message"]["message_id"] == answer["message_id"]
        assert query["message"]["text"] == "lamp"
    with pytest.raises(ValueError, match="no button 'Docs'"):
        sim.press("Docs")
    told = {"callback_query_id": query["id"], "text": "done"}
    assert bot.call("answerCallbackQuery", **told | {"text": "x" * 201})["description"].endswith(
        "MESSAGE_TOO_LONG"
    )
    assert bot.call("answerCallbackQuery", **told)["ok"]
    assert sim.methods.notices == [(query["id"], "done")]
    edit = {"chat_id": USER, "message_id": answer["message_id"]}
    same = bot.call("editMessageText", text="lamp", **under(row, link), **edit)
    assert "not modified" in same["description"]
    assert bot.call("editMessageText", text="lamp", **under(row), **edit)["ok"]
    assert (
        "not modified" in bot.call("editMessageReplyMarkup", **under(row), **edit)["description"]
    )
    assert bot.call("editMessageReplyMarkup", **under(link), **edit)["ok"]
    with pytest.raises(ValueError, match="no button"):
        sim.press("On")
    assert bot.call("editMessageText", text="dark", **edit)["ok"]
    assert (sim.sent[0].text, sim.sent[0].markup, sim.sent[0].edits) == ("dark", None, 3)
    edit["message_id"] = 99
    assert (
        "message to edit not found" in bot.call("editMessageText", text="z", **edit)["description"]
    )
    wide = [{"text": str(n), "callback_data": str(n)} for n in range(9)]
    bot.call("sendMessage", chat_id=USER, text="wide", **under(wide))
    assert [len(row) for row in markup.labels(sim.sent[1].markup)] == [8, 1]


def test_flood_limits_by_an_imagined_clock():
    now = [0.0]
    limits = Limits(chat_burst=2, clock=lambda: now[0])
    assert [limits.wait_s(1), limits.wait_s(1), limits.wait_s(1)] == [0, 0, 1]
    assert limits.wait_s(2) == 0  # another chat
    now[0] = 0.9
    assert limits.wait_s(1) == 1
    now[0] = 1.0
    assert limits.wait_s(1) == 0
    now[0] = 100.0
    over_all = [limits.wait_s(chat) for chat in range(1, 40)]
    assert over_all.count(0) == 30


def test_flood_is_429_with_retry_after(sim, bot):
    sim.methods.limits = Limits(chat_burst=1)
    sim.push_text("x")
    assert bot.call("sendMessage", chat_id=USER, text="one")["ok"]
    answer = bot.call("sendMessage", chat_id=USER, text="two")
    assert answer["parameters"] == {"retry_after": 1}
    assert answer["description"] == "Too Many Requests: retry after 1"

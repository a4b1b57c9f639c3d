"""Updates in the simulator: every kind, until when they stay, long polls, filters, and who may poll."""

import threading
import time

import pytest
from simulator_client import Bot, bot, ids, sim  # noqa: F401

from host_tools.simulator import updates as make
from host_tools.simulator.bot import Update


def test_updates_of_every_kind(sim, bot):
    for kind in make.MEDIA:
        sim.push_media(kind)
    sim.push_text("edited", kind="edited_message", edit_date=5)
    sim.push_text("hi @copepod_bot /led@copepod_bot on", chat=make.GROUP)
    sim.push_text("big id", user=2**52 - 1, id_last=True, ascii_=False)
    sim.push({"my_chat_member": {"chat": {"id": 44, "type": "private"}}})
    sim.push_raw(b'{"message":{"text":"raw"},"update_id":UPDATE_ID}')
    answer = bot.call("getUpdates")["result"]
    assert len(answer) == len(make.MEDIA) + 5
    assert len({update["update_id"] for update in answer}) == len(answer)
    group = next(u for u in answer if u.get("message", {}).get("chat", {}).get("id") == make.GROUP)
    marks = {(e["type"], e["offset"], e["length"]) for e in group["message"]["entities"]}
    assert marks == {("mention", 3, 12), ("bot_command", 16, 16)}
    assert list(answer[-3])[-1] == "update_id"
    assert 44 in sim.chats.known


def test_an_update_stays_until_a_higher_offset(sim, bot):
    first, second = sim.push_text("one"), sim.push_text("two")
    assert ids(bot.call("getUpdates")) == [first, second]
    assert ids(bot.call("getUpdates", limit=1)) == [first]
    assert sim.confirmed == 0
    assert ids(bot.call("getUpdates", offset=second, timeout=5)) == [second]
    assert sim.confirmed == first
    assert ids(bot.call("getUpdates", offset=first, timeout=5)) == [
        second
    ]  # forgotten is forgotten
    assert ids(bot.call("getUpdates", offset=second + 1)) == []
    assert sim.confirmed == second
    assert sim.queue.pending() == []


def test_a_poll_confirms_no_update_that_is_still_being_made(sim):
    number = sim.queue.take_id()  # a megabyte takes a while to write
    start = sim.queue.start(0)
    assert sim.queue.get(start, 1) == []
    update = Update(number, "message", b"{}", 0.0)
    sim.queue.put(update)
    assert sim.queue.get(start, 1) == [update]


def test_negative_offset_forgets_what_lies_before(sim, bot):
    pushed = [sim.push_text(str(n)) for n in range(5)]
    assert ids(bot.call("getUpdates", offset=-2)) == pushed[-2:]
    assert ids(bot.call("getUpdates")) == pushed[-2:]
    assert sim.confirmed == pushed[2]


def test_an_offset_from_the_far_future_counts_as_none(sim, bot):
    first = sim.push_text("one")
    assert ids(bot.call("getUpdates", offset=first + 1000)) == [first]


def test_limit_is_held_to_a_hundred(sim, bot):
    for n in range(105):
        sim.push_text(str(n))
    assert len(ids(bot.call("getUpdates", limit=1000))) == 100
    assert len(ids(bot.call("getUpdates", limit=0))) == 1


def test_long_poll_returns_at_once_when_something_comes(sim, bot):
    threading.Timer(0.2, sim.push_text, ["late"]).start()
    start = time.monotonic()
    assert len(ids(bot.call("getUpdates", timeout=4))) == 1
    assert 0.15 < time.monotonic() - start < 2


def test_long_poll_ends_empty(sim, bot):
    start = time.monotonic()
    assert ids(bot.call("getUpdates", timeout=1)) == []
    assert 0.9 < time.monotonic() - start < 2


def test_the_same_offset_again_too_soon_waits_three_seconds(sim, bot):
    start = time.monotonic()
    assert ids(bot.call("getUpdates", offset=5)) == []
    assert time.monotonic() - start < 1
    threading.Timer(0.5, sim.push_text, ["late"]).start()
    assert len(ids(bot.call("getUpdates", offset=5))) == 1  # waited, though timeout is 0
    assert time.monotonic() - start > 0.4


def test_a_second_long_poll_ends_the_first(sim, bot):
    answers = []
    first = threading.Thread(target=lambda: answers.append(bot.call("getUpdates", timeout=5)))
    first.start()
    assert sim.wait(lambda: sim.calls_of("getUpdates"))
    other = Bot(sim)
    threading.Timer(0.2, sim.push_text, ["x"]).start()
    assert len(ids(other.call("getUpdates", timeout=5))) == 1
    other.close()
    first.join(5)
    assert answers[0]["error_code"] == 409
    assert "terminated by other getUpdates" in answers[0]["description"]


def test_a_poll_whose_client_left_is_dropped(sim):
    for _ in range(2):
        bot = Bot(sim, timeout=0.3)
        with pytest.raises(TimeoutError):
            bot.call("getUpdates", timeout=20)
        bot.close()
    assert sim.wait(lambda: all(c.closed_at for c in sim.connections))
    assert all(call.status is None for call in sim.calls)


def test_allowed_updates_filter_what_comes_later(sim, bot):
    bot.call("getUpdates", allowed_updates=["callback_query"])
    sim.push_text("not wanted")
    wanted = sim.push_callback("button")
    assert ids(bot.call("getUpdates", timeout=1)) == [wanted]
    assert sim.queue.filtered == 1
    bot.call("getUpdates", offset=wanted + 1, allowed_updates=[])  # [] is all but a few
    sim.push({"chat_member": {"chat": {"id": 1}}})
    assert len(ids(bot.call("getUpdates", offset=-1))) == 0
    assert sim.queue.filtered == 2


def test_a_webhook_stops_polling(sim, bot):
    bot.call("setWebhook", url="https://e.example/")
    assert "webhook is active" in bot.call("getUpdates")["description"]
    assert bot.call("deleteWebhook")["result"] is True
    assert bot.call("getUpdates")["ok"]

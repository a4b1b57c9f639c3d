"""Files that a bot sends: the real gateway against the simulator, on the wheel and in 32 bits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from file_scene import JPEG, MB, SENDS, Bot, made, scene  # noqa: F401
from scene import played, wanted

from host_tools.simulator.updates import USER


def test_a_photo_with_a_caption_is_a_reply(scene: Bot) -> None:
    scene.start(SENDS)
    update = scene.sim.push_text("/photo x.jpg The **door** of `a<b>`")
    scene.until(scene.answered("The door of a<b>"))
    (sent,) = scene.sim.sent
    assert sent.kind == "photo"
    assert sent.file is not None
    assert (sent.file.name, sent.file.data) == ("x.jpg", JPEG)
    assert [entity["type"] for entity in sent.entities] == ["bold", "code"]
    assert sent.reply_to is not None
    scene.until(scene.said(f"sent {sent.message_id} {USER}"))
    (call,) = scene.sim.calls_of("sendPhoto")
    assert call.size > len(JPEG)
    scene.until(lambda: scene.sim.confirmed == update)
    assert len(scene.sim.connections) == 1


def test_a_document_has_the_name_that_it_is_given(scene: Bot) -> None:
    scene.start(SENDS)
    scene.sim.push_text("/document")
    scene.until(scene.answered("The notes"))
    (file,) = scene.files()
    assert (file.name, file.data) == ("a _b_.txt", b"First, second.\n")


def test_what_lies_in_memory_or_can_be_read_is_sent(scene: Bot) -> None:
    scene.start(SENDS)
    scene.sim.push_text("/memory")
    scene.until(lambda: len(scene.files()) == 4)
    data = bytes(range(256)) * 10
    assert [(file.name, file.data) for file in scene.files()] == [
        ("bytes", data),
        ("view", data[10:20]),
        ("sized", b"abc"),
        ("rest", b" second.\n"),
    ]
    assert scene.texts() == ["", "", "", ""]


def test_what_can_not_be_sent_is_an_error_of_one_line(scene: Bot) -> None:
    scene.start(SENDS)
    scene.sim.push_text("/wrong")
    scene.until(lambda: scene.texts())
    assert scene.texts()[0].splitlines() == [
        "OSError: none.txt: [Errno 2] ENOENT",
        "ValueError: file: 0 bytes, 1 to 52428800 are sent",
        "TypeError: a file is a path, bytes or has readinto(), not 5",
        "OSError: file: it ends after 400 bytes of 900",
        "ValueError: no light",
        "ValueError: file: 60000000 bytes, 1 to 52428800 are sent",
        "AnswerRefused: 400 Bad Request: IMAGE_PROCESS_FAILED",
        "ValueError: file: 10485761 bytes, 1 to 10485760 are sent",
    ]
    scene.sim.push_text("and now?")
    scene.until(lambda: scene.texts()[1:] == ["heard and now?"])


def test_files_are_sent_unasked(scene: Bot) -> None:
    scene.start(SENDS)
    scene.sim.push_text("/unasked")
    scene.until(scene.answered("A door", "", "a TypeError"))
    assert [(sent.kind, sent.reply_to) for sent in scene.sim.sent[:2]] == [
        ("photo", None),
        ("document", None),
    ]
    assert [file.name for file in scene.files()] == ["x.jpg", "door.bin"]
    assert {file.data for file in scene.files()} == {JPEG}


def test_a_caption_that_is_too_long_goes_out_behind_the_file(scene: Bot) -> None:
    scene.start(SENDS)
    scene.sim.push_text("/long")
    scene.until(scene.answered("", ("word " * 300).strip()))
    assert [sent.kind for sent in scene.sim.sent] == ["photo", "text"]


def test_formatting_that_is_refused_goes_out_as_it_was_written(scene: Bot) -> None:
    scene.sim.fault("400", "sendPhoto", description="Bad Request: can't parse entities: odd")
    scene.start(SENDS)
    scene.sim.push_text("/photo x.jpg The **door**")
    scene.until(scene.answered("The **door**"))
    assert scene.files()[0].data == JPEG


def test_a_bot_of_rich_messages_sends_files(scene: Bot) -> None:
    scene.sim.methods.rich = True
    scene.start(SENDS, rich_messages=True)
    scene.sim.push_text("/photo x.jpg The **door**")
    scene.until(scene.answered("The door"))


def test_a_megabyte_is_sent_in_constant_memory(scene: Bot) -> None:
    device = scene.start(SENDS)
    for count, size in enumerate((20_000, MB), 1):
        scene.sim.push_text(f"/large {size}")
        scene.until(lambda count=count: len(scene.sim.sent) == 2 * count, 120)
        file = scene.files()[-1]
        assert file.size == size
        assert hashlib.sha256(file.data).digest() == hashlib.sha256(made(size)).digest()
        scene.done()
    grown = [int(text.split()[0]) for text in scene.texts() if text]
    print(f"{scene.target.name}: {grown} B more at most while it is sent")
    assert "steady" in device.text()
    # Live bytes at the reader's call, the largest of two thousand: code that is loaded for it, and no more for
    # fifty times as much.
    assert grown[1] <= grown[0] + 64
    if scene.target.name == "unix32":
        assert grown[1] < 7000


BOTH = """\
import gc
from copepod.files import on_file
from copepod.handlers import on_text

@on_file
async def back(msg):
    await msg.save("there.bin")
    await msg.answer_document("there.bin", "A *file*", msg.file.name)

@on_text
def live(msg):
    gc.collect()
    gc.collect()
    return "%d" % gc.mem_alloc()
"""


def test_nothing_stays_of_the_files_that_came_and_went(scene: Bot) -> None:
    scene.start(BOTH)
    live: list[int] = []
    for count in (12, 20, 20):
        for number in range(count):
            scene.sim.push_file(b"%04d" % number * 5000, "same.bin", caption="the same")
        scene.until(lambda: not scene.sim.queue.pending(), 60)
        scene.sim.push_text("live?")
        scene.until(lambda: scene.texts()[-1:] and scene.texts()[-1].isdigit())
        live.append(int(scene.texts()[-1]))
    assert len(scene.files()) == 52
    assert {file.size for file in scene.files()} == {20000}
    assert len(scene.sim.connections) == 1
    assert live[2] <= live[1] + 64, live  # a short string or two, by chance


LATER = """
import asyncio, os
from copepod.bot import bot
from copepod.handlers import on_start

@on_start
async def later():
    while "go" not in os.listdir():
        await asyncio.sleep_ms(20)
    await bot.send(bot.owner, "The **door**", photo="x.jpg")
"""


@pytest.mark.parametrize("target", wanted())
def test_over_tls_and_as_the_first_request_of_a_connection(tmp_path: Path, target: str) -> None:
    with played(Bot(tmp_path, target, tls=True)) as scene:
        scene.start(BOTH + LATER)
        data = bytes(range(256)) * 1200
        scene.sim.push_file(data, "same.bin", caption="the same")
        scene.until(lambda: [file.data for file in scene.files()] == [data])
        assert scene.sim.handshakes == 1

        def waiting() -> bool:
            poll = scene.sim.calls_of("getUpdates")[-1]
            return poll.params["timeout"] > 0 and poll.status is None

        scene.until(waiting)
        (scene.folder / "go").write_bytes(b"")  # the poll is left for it
        scene.until(lambda: scene.texts()[-1] == "The door")
        assert scene.files()[-1].data == JPEG
        (call,) = scene.sim.calls_of("sendPhoto")
        assert scene.sim.handshakes == 2
        assert [c.method for c in scene.sim.calls if c.connection == 1][0] == "sendPhoto"
        assert call.status == 200
        assert scene.sim.protocol_errors == []

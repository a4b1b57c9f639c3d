"""A gateway whose bot sends files or saves them, with two files beside it; a bot that sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scene import HEAPS, Scene, played, wanted

from host_tools.scenarios.engine import files_for
from host_tools.simulator.files import Attached
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
MB = 1_000_000
SENDS = """\
import gc
from copepod.bot import bot
from copepod.handlers import on_command, on_text
from copepod.messages import AnswerRefused

class Made:
    # What has no end on flash: bytes that are made as they are read. It can't be read again.
    def __init__(self, size, says=None):
        self.size = says or size
        self.left = size
        self.least = 1 << 30
        gc.collect()
        self.most = self.begun = gc.mem_alloc()
    def readinto(self, view):
        n = min(len(view), self.left, 300)
        for i in range(n):
            view[i] = (self.left - i) & 255
        self.left -= n
        if self.left % 1024 < 300:
            gc.collect()
            self.most = max(self.most, gc.mem_alloc())
        return n

class Rewound(Made):
    def __init__(self, size):
        super().__init__(size)
        self.at = 0
    def tell(self):
        return 0
    def seek(self, at, whence=0):
        self.left = self.size

class Sized:
    def __init__(self, data):
        import io
        self.data = data
        self.file = io.BytesIO(data)
    def __len__(self):
        return len(self.data)
    def readinto(self, view):
        return self.file.readinto(view)

class Broken(Made):
    def readinto(self, view):
        if self.left < 500:
            raise ValueError("no light")
        return super().readinto(view)

def told(error):
    return type(error).__name__ + ": " + str(error)

@on_command("photo")
async def photo(msg):
    path, _, caption = msg.args.partition(" ")
    sent = await msg.answer_photo(path, caption)
    print("sent", sent.message_id, sent.chat_id)

@on_command("document")
async def document(msg):
    await msg.answer_document("notes.txt", caption="The *notes*", name='a "b".txt')

@on_command("memory")
async def memory(msg):
    data = bytes(range(256)) * 10
    await msg.answer_document(data, name="bytes")
    await msg.answer_document(memoryview(data)[10:20], name="view")
    await msg.answer_document(Sized(b"abc"), name="sized")
    with open("notes.txt", "rb") as file:
        file.seek(6)
        await msg.answer_document(file, name="rest")

@on_command("large")
async def large(msg):
    made = Made(int(msg.args))
    await msg.answer_document(made, name="large.bin")
    await msg.answer("%d of %d" % (made.most - made.begun, made.left))

@on_command("again")
async def again(msg):
    await msg.answer_document(Rewound(int(msg.args)), name="again.bin")

@on_command("made")
async def made(msg):
    try:
        await msg.answer_document(Made(int(msg.args)), name="made.bin")
    except OSError as error:
        return told(error)
    return "fine"

@on_command("file")
async def file(msg):
    await msg.answer_document(msg.args)

@on_command("wrong")
async def wrong(msg):
    said = []
    for source in ("none.txt", b"", 5, Made(400, 900), Broken(900), Made(10, 60000000)):
        try:
            await msg.answer_document(source)
        except Exception as error:
            said.append(told(error))
    try:
        await msg.answer_photo(b"x" * 10, "no *picture*")
    except AnswerRefused as error:
        said.append(told(error))
    try:
        await msg.answer_photo(Made(10, 10485761))
    except ValueError as error:
        said.append(told(error))
    await msg.answer("```\\n" + "\\n".join(said) + "\\n```")

@on_command("unasked")
async def unasked(msg):
    await bot.send(msg.chat_id, "A *door*", photo="x.jpg")
    await bot.send(msg.chat_id, None, document="x.jpg", name="door.bin")
    try:
        await bot.send(msg.chat_id, "x", button=[["a"]])
    except TypeError:
        await bot.send(msg.chat_id, "a TypeError")

@on_command("long")
async def long(msg):
    await msg.answer_photo("x.jpg", "word " * 300)

@on_text
def text(msg):
    return "heard " + msg.text
"""


class Bot(Scene):
    """With a bot.py that sends, or saves."""

    def start(self, bot: str, heap: str | None = None, **telegram: object) -> Device:
        """Start the gateway with this bot.py, and two files beside it."""
        (self.folder / "x.jpg").write_bytes(JPEG)
        (self.folder / "notes.txt").write_bytes(b"First, second.\n")
        channel = {"allow_from": [str(USER)]} | telegram
        extra = {"channels": {"telegram": channel}}
        how = {"files": files_for(self.sim), "heap": heap or HEAPS[self.target.name]}
        return self.launch(extra, bot=bot, **how)

    def files(self) -> list[Attached]:
        """What the bot has sent."""
        return [sent.file for sent in self.sim.sent if sent.file is not None]

    def done(self) -> None:
        """Wait until all that was said is worked on."""
        self.until(lambda: not self.sim.queue.pending())


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bot]:
    with played(Bot(tmp_path, request.param)) as made:
        yield made
        assert made.sim.protocol_errors == []


def made(size: int) -> bytes:
    """What Made of the bot gives."""
    return bytes((size - at) & 255 for at in range(size))

"""Files that a bot saves: the real gateway against the simulator, on the wheel and in 32 bits."""

from __future__ import annotations

from typing import Any

import pytest
from file_scene import JPEG, Bot, scene  # noqa: F401

SAVES = """\
import os
from copepod.files import on_file
from copepod.handlers import on_command, on_text

@on_command("keep")
async def keep(msg):
    return "%d B" % await msg.save(msg.args)

@on_file
async def take(msg):
    file = msg.file
    print("file", file.mime, file.name, file.size, msg.text)
    try:
        size = await msg.save(msg.text, limit_b=300000)
    except (OSError, ValueError) as error:
        return "%s: %s" % (type(error).__name__, error)
    return "%d B" % size

@on_text
async def text(msg):
    try:
        await msg.save("never")
    except ValueError as error:
        return "%s; %s" % (error, msg.file)
"""
# The same on a file system of 64 kB, as a board has one.
FLASH = (
    SAVES
    + """
from vfs import VfsLfs2, mount

class Flash:
    def __init__(self, blocks):
        self.data = bytearray(blocks * 512)
    def readblocks(self, block, buf, offset=0):
        at = block * 512 + offset
        buf[:] = self.data[at : at + len(buf)]
    def writeblocks(self, block, buf, offset=0):
        at = block * 512 + offset
        self.data[at : at + len(buf)] = buf
    def ioctl(self, op, arg):
        return {4: len(self.data) // 512, 5: 512}.get(op, 0)

flash = Flash(128)
VfsLfs2.mkfs(flash)
mount(VfsLfs2(flash), "/flash")

@on_command("list")
def listed(msg):
    return " ".join(sorted(os.listdir("/flash"))) or "nothing"

@on_command("show")
def show(msg):
    with open("/flash/" + msg.args, "rb") as file:
        return repr(file.read(20))
"""
)


def test_a_photo_is_saved_in_its_largest_size(scene: Bot) -> None:
    scene.start(SAVES)
    update = scene.sim.push_file(JPEG, "door.jpg", kind="photo", caption="y.jpg")
    scene.until(scene.answered(f"{len(JPEG)} B"))
    assert (scene.folder / "y.jpg").read_bytes() == JPEG
    scene.until(scene.said(f"file image/jpeg None {len(JPEG)} y.jpg"))
    assert not (scene.folder / "y.jpg.new").exists()
    scene.until(lambda: scene.sim.confirmed == update)
    assert len(scene.sim.connections) == 1
    assert [call.method for call in scene.sim.calls if call.method in ("getFile", "file")] == [
        "getFile",
        "file",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "mime", "mark"),
    [
        ("document", "notes.txt", "text/plain notes.txt", "[file]"),
        ("voice", "v.oga", "audio/ogg None", "[voice]"),
        ("audio", "song.mp3", "audio/mpeg song.mp3", "[audio]"),
        ("video", "clip.mp4", "video/mp4 clip.mp4", "[video]"),
    ],
)
def test_other_files_are_saved_too(scene: Bot, kind: str, name: str, mime: str, mark: str) -> None:
    data = bytes(range(256)) * 1000
    scene.start(SAVES)
    scene.sim.push_file(data, name, kind=kind, mime=mime.split()[0], caption="z.bin")
    scene.until(scene.answered(f"{len(data)} B"))
    assert (scene.folder / "z.bin").read_bytes() == data
    scene.until(scene.said(f"file {mime} {len(data)} z.bin"))
    scene.sim.push_file(b"x", name, kind=kind, mime=mime.split()[0])  # without a caption
    scene.until(scene.said(f"file {mime} 1 {mark}"))


def test_what_is_saved_replaces_what_was_there(scene: Bot) -> None:
    scene.start(SAVES)
    for data in (b"long " * 1000, b"short"):
        scene.sim.push_file(data, caption="/keep notes.txt")  # the command's handler has it
        scene.done()
        assert (scene.folder / "notes.txt").read_bytes() == data
    assert scene.texts() == ["5000 B", "5 B"]


def test_each_file_of_an_album_is_a_message(scene: Bot) -> None:
    scene.start(SAVES)
    for number in range(3):
        data = b"picture %d" % number
        scene.sim.push_file(data, caption=f"a{number}", media_group_id="77", kind="photo")
    scene.until(scene.answered("9 B", "9 B", "9 B"))
    assert [(scene.folder / f"a{n}").read_bytes()[-1:] for n in range(3)] == [b"0", b"1", b"2"]


def test_a_text_has_no_file(scene: Bot) -> None:
    scene.start(SAVES)
    scene.sim.push_text("hello")
    scene.until(scene.answered("no file came with this message; None"))
    scene.sim.push_media("location")
    scene.until(lambda: len(scene.texts()) == 2)


def test_what_is_larger_than_it_may_be_is_not_asked_for(scene: Bot) -> None:
    scene.start(SAVES)
    scene.sim.push_file(bytes(300001), caption="z.bin")
    scene.until(scene.answered("ValueError: z.bin: 300001 bytes, at most 300000"))
    assert scene.sim.calls_of("getFile") == []
    assert not list(scene.folder.glob("z.bin*"))


def push_larger(scene: Bot) -> int:
    """Somebody sends a file that is said to have 5 bytes, and has grown before anybody hears of it."""
    files = scene.sim.methods.files
    described = files.described

    def grown(file: Any, kind: str) -> Any:
        content = described(file, kind)
        file.data = bytes(400_000)
        return content

    files.described = grown
    try:
        return scene.sim.push_file(b"small", caption="z.bin")
    finally:
        files.described = described


def test_what_is_larger_than_it_was_said_to_be_ends_at_the_limit(scene: Bot) -> None:
    scene.start(SAVES)
    scene.until(scene.said("steady"))
    scene.sim.faults.clear()
    number = push_larger(scene)
    scene.until(lambda: scene.texts() and scene.sim.confirmed >= number)
    assert scene.texts() == ["ValueError: z.bin: 400000 bytes, at most 300000"]
    assert not list(scene.folder.glob("z.bin*"))


def test_an_answer_without_a_length_ends_at_the_limit(scene: Bot) -> None:
    scene.sim.fault("chunks", "file")
    scene.start(SAVES)
    scene.until(scene.said("steady"))
    push_larger(scene)
    scene.until(lambda: scene.texts())
    assert scene.texts()[0].startswith("ValueError: z.bin: 300")
    assert scene.texts()[0].endswith("bytes, at most 300000")
    assert not list(scene.folder.glob("z.bin*"))
    scene.sim.push_file(b"small", caption="z.bin")
    scene.until(lambda: scene.texts()[1:] == ["5 B"])


def test_what_has_no_room_is_not_begun(scene: Bot) -> None:
    if scene.target.name != "unix":
        pytest.skip("it has no littlefs")
    scene.start(FLASH)
    scene.sim.push_file(b"small", caption="/flash/a.txt")
    scene.sim.push_file(bytes(60_000), caption="/flash/b.txt")
    no_room = "OSError: /flash/b.txt: 60000 bytes, there is room for 4"
    scene.until(lambda: scene.texts()[1:] and scene.texts()[1].startswith(no_room))
    assert scene.texts()[0] == "5 B"
    scene.sim.push_file(bytes(10), caption="/none/b.txt")
    scene.sim.push_text("/list")
    scene.sim.push_text("/show a.txt")
    scene.until(
        lambda: scene.texts()[2:] == ["OSError: /none/: [Errno 2] ENOENT", "a.txt", "b'small'"]
    )


@pytest.mark.parametrize(
    ("kind", "method", "at"),
    [
        ("truncate", "file", ""),
        ("reset", "file", "body"),
        ("close", "file", "before"),
        ("reset", "getFile", "before"),
        ("close-silent", "getFile", ""),
        ("500", "getFile", ""),
        ("429", "getFile", ""),
        ("chunks", "file", ""),
        ("bytes", "getFile", ""),
    ],
)
def test_a_download_that_was_cut_off_is_begun_anew(
    scene: Bot, kind: str, method: str, at: str
) -> None:
    data = bytes(range(256)) * 100
    scene.sim.fault(kind, method, **({"at": at} if at else {}))
    scene.start(SAVES)
    scene.sim.push_file(data, caption="c.bin")
    scene.until(scene.answered("25600 B"))
    assert (scene.folder / "c.bin").read_bytes() == data
    assert not (scene.folder / "c.bin.new").exists()


def test_a_download_that_never_comes_to_its_end_is_given_up(scene: Bot) -> None:
    scene.sim.fault("truncate", "file", count=None)
    scene.start(SAVES)
    (scene.folder / "z.bin").write_bytes(b"old")
    scene.sim.push_file(bytes(9000), caption="z.bin")
    scene.until(scene.answered("OSError: z.bin: the connection is lost while it comes"), 60)
    assert len(scene.sim.calls_of("file")) == 5
    assert (scene.folder / "z.bin").read_bytes() == b"old"
    assert not (scene.folder / "z.bin.new").exists()


def test_what_telegram_does_not_give_is_an_error_of_one_line(scene: Bot) -> None:
    scene.start(SAVES)
    scene.sim.push_media("document")  # nothing that getFile knows
    wrong = "400 Bad Request: wrong file_id or the file is temporarily unavailable"
    scene.until(
        lambda: scene.texts()[:1] == [f"OSError: Telegram does not give the file: {wrong}"]
    )
    scene.sim.fault("404", "file")
    scene.sim.push_file(b"x", caption="z.bin")
    scene.until(lambda: scene.texts()[1:] == ["OSError: Telegram does not give the file: 404"])
    assert len(scene.sim.connections) == 1


def test_a_gateway_that_is_killed_while_it_saves_leaves_the_old_file(scene: Bot) -> None:
    scene.sim.fault("stall", "file", at="body", seconds=60)
    scene.start(SAVES)
    (scene.folder / "z.bin").write_bytes(b"old")
    scene.sim.push_file(bytes(90000), caption="z.bin")
    scene.until(lambda: (scene.folder / "z.bin.new").exists())
    scene.stop(kill=True)
    assert (scene.folder / "z.bin").read_bytes() == b"old"
    scene.start(SAVES)
    scene.until(scene.answered("90000 B"))
    assert (scene.folder / "z.bin").read_bytes() == bytes(90000)
    assert not (scene.folder / "z.bin.new").exists()

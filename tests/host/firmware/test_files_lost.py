"""Files that are lost on their way to Telegram: sent once more where they can be read again, or given up, and why."""

from __future__ import annotations

import pytest
from file_scene import MB, SENDS, Bot, made, scene  # noqa: F401


@pytest.mark.parametrize(
    ("kind", "at", "files"),
    [
        ("reset", "upload", 1),
        ("close", "upload", 1),
        ("reset", "before", 1),
        ("reset", "lost", 2),  # it was accepted, which nobody can know
        ("truncate", "body", 1),
        ("429", "", 1),
        ("500", "", 1),
        ("502", "", 1),
    ],
)
def test_what_was_cut_off_is_sent_once_more(scene: Bot, kind: str, at: str, files: int) -> None:
    scene.sim.fault(kind, "sendDocument", **({"at": at} if at else {}))
    scene.start(SENDS)
    scene.sim.push_text("/again 200000")
    scene.until(lambda: len(scene.files()) == files)
    scene.sim.push_text("hello")
    scene.until(lambda: scene.texts()[-1] == "heard hello")
    scene.done()
    assert [file.data for file in scene.files()] == [made(200000)] * files


def test_one_whose_answer_never_comes_is_sent_twice_and_no_more(scene: Bot) -> None:
    scene.sim.fault("close", "sendDocument", count=None, at="lost")
    scene.start(SENDS)
    scene.sim.push_text("/again 20000")
    scene.until(lambda: len(scene.files()) == 2)
    scene.sim.push_text("hello")
    scene.until(lambda: scene.texts()[-1] == "heard hello")
    assert len(scene.sim.calls_of("sendDocument")) == 2


def test_one_that_never_comes_to_its_end_is_given_up(scene: Bot) -> None:
    scene.sim.fault("reset", "sendDocument", count=None, at="upload", size=100)
    (scene.folder / "large.bin").write_bytes(bytes(8 * MB))  # more than lies on the way
    scene.start(SENDS)
    scene.sim.push_text("/file large.bin")
    scene.until(lambda: scene.texts(), 60)
    assert "something went wrong" in scene.texts()[0]
    scene.until(scene.said("OSError: large.bin: the connection was lost while it was sent"))
    assert len(scene.sim.calls_of("sendDocument")) == 5
    scene.done()


@pytest.mark.parametrize(
    ("kind", "at", "told"),
    [
        ("reset", "lost", "OSError: made.bin: it has to be sent again, and can't be read again"),
        ("429", "", "OSError: made.bin: it has to be sent again, and can't be read again"),
    ],
)
def test_what_can_not_be_read_again_is_not_sent_again(
    scene: Bot, kind: str, at: str, told: str
) -> None:
    scene.sim.fault(kind, "sendDocument", **({"at": at} if at else {}))
    scene.start(SENDS)
    scene.sim.push_text("/made 100000")
    scene.until(lambda: scene.texts()[-1:] == [told])
    scene.done()
    assert len(scene.sim.calls_of("sendDocument")) == 1


def test_what_can_not_be_read_again_and_breaks_in_the_middle_is_not_sent_again(scene: Bot) -> None:
    scene.sim.fault("reset", "sendDocument", at="upload", size=100)
    scene.start(SENDS)
    scene.sim.push_text(f"/made {2 * MB}")
    scene.until(
        lambda: scene.texts() == ["OSError: made.bin: the connection was lost while it was sent"]
    )
    scene.done()
    assert len(scene.sim.calls_of("sendDocument")) == 1


def test_a_gateway_that_is_killed_while_it_sends_answers_after_it(scene: Bot) -> None:
    scene.sim.fault("stall", "sendDocument", at="before", seconds=60)
    scene.start(SENDS)
    scene.sim.push_text("/again 50000")
    scene.until(lambda: scene.sim.calls_of("sendDocument"))
    scene.stop(kill=True)
    scene.start(SENDS)
    scene.until(lambda: scene.files())
    scene.done()
    assert [file.data for file in scene.files()] == [made(50000)]

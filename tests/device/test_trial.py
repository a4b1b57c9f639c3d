"""A bot.py that is tried: what is told of its end, how its starts are counted, and a power cut at any byte."""

import asyncio
import json
import os
import sys

from fakes.flash import Flash, Os
from fakes.scratch import scratch

from copepod import answers, durable, log, steady, trial, tried, visible  # noqa: F401
from copepod.platform import files, last_error, record

# They say names that a board's tree gives to other things.
SOURCE_ONLY = ("test_a_power_cut_at_any_byte_leaves_the_old_or_the_new",)

# What is loaded stays: from another directory it would not be found.
trial.forget = tried.forget = steady.forget = durable.forget = log.forget = lambda name: None

OLD = "old = 1\n" * 20
NEW = "new = 1\n" * 90


class Config:
    path = "config.json"


class Channel:
    steady = True


class Gateway:
    config = Config()
    channel = Channel()


def watched():
    """A second of being steady, and what comes of it."""
    Config.bot_trial_s = 1
    asyncio.run(steady._watch(Gateway))


def put(path, text):
    """Write a file."""
    with open(path, "w") as file:
        file.write(text)


def text_of(path):
    """Its text, None when it is not there."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def inside(test):
    """Run a test in a folder of its own, with an old bot.py, and a new one that is to be tried."""

    @scratch
    def run(folder):
        before = os.getcwd()
        path = sys.path[:]
        os.chdir(folder)
        record.crashes_store(0, False)
        last_error.store("")
        try:
            os.mkdir(".trial")
            put("bot.py", OLD)
            put(".trial/bot.py", NEW)
            tried.store(7000000001, 5, 0)
            test()
        finally:
            for name in os.listdir(".trial"):
                os.remove(".trial/" + name)
            os.rmdir(".trial")
            sys.path[:] = path
            os.chdir(before)
            record.crashes_store(0, False)
            last_error.store("")

    return run


def told():
    """What is kept for the owner."""
    kept = text_of("config.json.unsent.jsonl")
    if kept is None:
        return []
    lines = [json.loads(line) for line in kept.rstrip("\n").split("\n")]
    for line in lines:
        assert line[1] == 7000000001, line
    return [line[2].split("```\n")[1].rstrip("\n`") for line in lines]


@inside
def test_three_starts_and_no_more():
    for start in (1, 2, 3):
        assert trial.begin(Config) is True
        assert sys.path.pop(0) == ".trial"
        assert tried.load() == (7000000001, 5, start)
        assert told() == []
    assert trial.begin(Config) is False
    assert told() == ["it was started 3 times, and ended before it was kept"]
    assert not tried.waiting() and text_of("bot.py") == OLD
    assert tried.load() == (7000000001, 5, 3)  # the update is known as long as it may come again


@inside
def test_a_crash_is_the_end_of_it():
    record.crashes_store(2, False)  # of the bot before
    assert trial.begin(Config) is True
    record.crashes_store(1, True)
    last_error.store("watchdog: nothing moved")
    assert trial.begin(Config) is False
    assert told() == ["watchdog: nothing moved"]
    assert not tried.waiting() and text_of("bot.py") == OLD
    assert record.crashes_load() == 0 and last_error.load() is None  # it is not told twice


@inside
def test_a_crash_that_says_nothing():
    trial.begin(Config)
    record.crashes_store(1, True)
    assert trial.begin(Config) is False
    assert told() == ["it has crashed"]


@inside
def test_a_crash_that_says_what_nobody_should_see():
    trial.begin(Config)
    record.crashes_store(1, True)
    last_error.store("ValueError: \x1b[2J\n```\u202e")
    trial.begin(Config)
    message = json.loads(text_of("config.json.unsent.jsonl"))[2]
    assert message.split("\n")[1:] == ["```", "ValueError: \\x1b[2J\\n```\\u202e", "```"], message


@inside
def test_a_start_that_can_not_be_noted_is_none():
    os.remove(".trial/marker")
    os.mkdir(".trial/marker")  # nothing can be written there
    assert trial.begin(Config) is False
    assert not tried.waiting() and text_of("bot.py") == OLD
    os.rmdir(".trial/marker")


@inside
def test_markers_that_are_none():
    for text in ("", "[", "{}", "[1, 2]", "7", '["a", 1, "b"]', "null", "[1, 2, null]"):
        put(".trial/marker", text)
        assert tried.load() == (None, None, 0), text
    os.remove(".trial/marker")
    assert tried.load() == (None, None, 0)
    for _ in range(3):
        assert trial.begin(Config) is True
    assert trial.begin(Config) is False  # they are counted all the same
    assert told() == []


@inside
def test_it_is_kept():
    tried.store(None, None, 1)  # whom nobody has to be told
    watched()
    assert text_of("bot.py") == NEW and not tried.waiting()
    assert told() == []


@inside
def test_one_that_can_not_take_its_place_is_given_up():
    os.remove("bot.py")
    os.mkdir("bot.py")  # as where rename() replaces nothing
    try:
        watched()
    except SystemExit as error:
        assert error.args == (75,)  # how the Unix port restarts
    else:
        raise AssertionError("it goes on")
    assert not tried.waiting()
    (reason,) = told()
    assert reason.startswith("it can't take the place of bot.py: "), reason
    os.rmdir("bot.py")


def told_of(source):
    """What is told of this bot.py."""
    try:
        exec(compile(source, ".trial/bot.py", "exec"), {})
    except Exception as error:
        return trial.told(error)
    raise AssertionError("it works")


def test_what_is_told():
    assert told_of("x = 1\ny = (\n1 2") == "bot.py, line 3: SyntaxError: invalid syntax"
    assert told_of("x = 1\n\ny") == "bot.py, line 3: NameError: name 'y' isn't defined"
    deep = "def a():\n    b()\ndef b():\n    raise ValueError('no')\na()"
    assert told_of(deep) == "bot.py, line 4: ValueError: no"
    elsewhere = "import json\n\njson.loads('x')"
    assert told_of(elsewhere).startswith("bot.py, line 3: ValueError: "), told_of(elsewhere)


def test_what_is_told_shows_nothing_hidden():
    trick = "raise ValueError('a\\n  File \"b\", line 9\\n\\x1b[1m 12:%s')" % ("A" * 35)
    assert told_of(trick) == 'bot.py, line 1: ValueError: a\\n  File "b", line 9\\n\\x1b[1m 12:***'
    assert len(told_of("raise ValueError('a' * 5000)")) < 450
    own = "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E"
    assert "E" in told_of(own)


# --- power cuts


def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new():
    """From the file that has come to the one that is kept, or given up, on the file system of a board."""
    try:
        from vfs import VfsLfs2, mount, umount
    except ImportError:
        print("no littlefs here")
        return

    unix = files.os
    files.os = Os
    before = os.getcwd()
    path = sys.path[:]
    flash = Flash(24)

    def lived(data, left_b, steps):
        """Have the power cut while `steps` run; what is on flash then, and whether they came to their end."""
        flash.begin(data, left_b)
        mount(VfsLfs2(flash), "/flash")
        os.chdir("/flash")
        try:
            for step in steps:
                step()
        finally:
            os.chdir(before)
            umount("/flash")
            sys.path[:] = path
        return (flash.at_the_cut, False) if flash.was_cut else (flash.data, True)

    def found(data):
        """[bot.py, .trial/bot.py, starts, told] when the power is back."""
        seen = []
        look = [
            lambda: seen.append(text_of("bot.py")),
            lambda: seen.append(text_of(".trial/bot.py")),
            lambda: seen.append(tried.load()[2]),
            lambda: seen.append(text_of("config.json.unsent.jsonl")),
        ]
        lived(data, None, look)
        return seen

    def come():
        os.mkdir(".trial")
        put("bot.py", OLD)
        put(".trial/received", NEW)

    def armed():
        tried.store(7, 5, 0)
        os.rename(".trial/received", ".trial/bot.py")

    def begun():
        assert trial.begin(Config)

    def kept():
        os.rename(".trial/bot.py", "bot.py")

    def given_up():
        trial.give_up(Config, "bot.py, line 3: no")

    try:
        VfsLfs2.mkfs(flash)
        start, whole = lived(flash.data, None, [come])
        start = bytes(start)
        assert whole and found(start) == [OLD, None, 0, None]
        for last, end in ((kept, [NEW, None, 1]), (given_up, [OLD, None, 1])):
            seen = {}
            cut_b = 0
            whole = False
            while not whole:
                after, whole = lived(start, cut_b, [armed, begun, last])
                state = found(after)
                bot, aside, starts, message = state
                # The old one is there until the new one is, the one that is tried is whole, and who gives up has told.
                assert bot == OLD or bot == NEW and last is kept and aside is None, (cut_b, state)
                assert aside is None or aside == NEW, (cut_b, state)
                if last is given_up and aside is None and starts:
                    assert message is not None, (cut_b, state)
                if bot == NEW:
                    starts = 1  # littlefs does not always show the marker then, until something is written
                key = (bot == NEW, aside is not None, starts)
                seen[key] = seen.get(key, 0) + 1
                cut_b += 1
            assert found(after)[:3] == end
            ways = (
                (False, False, 0),
                (False, True, 0),
                (False, True, 1),
                (end[0] == NEW, False, 1),
            )
            assert sorted(seen) == sorted(ways), seen
            print("cut at each of %d B: %s" % (cut_b, seen))
    finally:
        files.os = unix

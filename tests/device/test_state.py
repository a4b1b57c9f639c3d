"""bot.state: what it takes, how often it is written, and a power cut at any byte."""

import asyncio
import gc
import json
import os

from fakes.flash import Flash, Os
from fakes.scratch import scratch

from copepod import registry, state
from copepod.platform import record

LIMIT = state.MAX_B

# It says names of vfs that a board's tree gives to other things.
SOURCE_ONLY = ("test_a_power_cut_at_any_byte_leaves_the_old_or_the_new",)


class Settings:
    """What the config says."""

    state_write_interval_s = 60


def begin(folder):
    """The state of a bot whose config is in `folder`, and what it logs."""
    lines = []
    state.log = lambda area, *parts: lines.append(
        area + ": " + "".join([str(part) for part in parts])
    )
    Settings.path = folder + "/config.json"
    registry.settings = Settings()
    record.endings.clear()
    return lines


def file_of(folder):
    """The file, as text; None when there is none."""
    try:
        with open(folder + "/config.json.kept") as file:
            return file.read()
    except OSError:
        return None


def refused(made, key, value):
    """What the ValueError says; nothing has changed."""
    before = sorted(made.items())
    try:
        made[key] = value
    except ValueError as error:
        assert sorted(made.items()) == before
        return str(error)
    raise AssertionError("accepted: %r" % (value,))


@scratch
def test_a_mapping(folder):
    lines = begin(folder)
    made = state.opened()
    assert len(lines) == 1 and "is not there yet" in lines[0], lines
    assert (
        len(made) == 0
        and "limit" not in made
        and made.get("limit") is None
        and made.get("limit", 20) == 20
    )
    values = {
        "limit": 21.5,
        "count": -3,
        "name": 'Grüße "x" \\ \n \U0001f600',
        "on": True,
        "none": None,
        "list": [1, [2.5, {"a": []}]],
        "large": 1 << 70,
    }
    for key in values:
        made[key] = values[key]
    assert made["limit"] == 21.5 and len(made) == len(values) and "on" in made
    assert sorted(made) == sorted(values)
    del made["on"]
    try:
        made["on"]
        raise AssertionError("there")
    except KeyError:
        pass
    made.save()
    again = state.opened()
    assert dict(again.items()) == dict(made.items())
    assert len(lines) == 1, lines


@scratch
def test_what_json_can_not_hold(folder):
    begin(folder)
    made = state.opened()
    made["x"] = 1
    endless = []
    endless.append(endless)
    for key, value, word in (
        (1, 1, "a key is a str"),
        (None, 1, "a key is a str"),
        ("x", b"bytes", "bytes"),
        ("x", (1, 2), "tuple"),
        ("x", [1, {"a": {1: 2}}], "a key is a str"),
        ("x", {"a": [object()]}, "object"),
        ("x", float("nan"), "no number"),
        ("x", [float("inf")], "no number"),
        ("x", lambda: 1, "function"),
        ("x", endless, "at most"),
    ):
        text = refused(made, key, value)
        assert word in text and (type(key) is not str or repr(key) in text), text
    assert made["x"] == 1


@scratch
def test_its_size_is_bounded(folder):
    begin(folder)
    made = state.opened()
    made["a"] = "x" * (LIMIT - len('{"a": ""}'))
    assert "1025 bytes, at most 1024" in refused(made, "a", "x" * (LIMIT - len('{"a": ""}') + 1))
    assert "at most 1024" in refused(made, "b", 1)
    made["a"] = ""
    made["b"] = 1
    assert "at most" in refused(made, "b", "\u00fc" * 512)  # bytes, not characters
    made["list"] = []
    made["list"].extend([0] * 600)  # nobody notices that
    for _ in range(2):
        try:
            made.save()
            raise AssertionError("saved")
        except ValueError as error:
            assert "at most" in str(error)


@scratch
def test_written_at_once_then_once_in_the_interval(folder):
    begin(folder)
    asyncio.new_event_loop()  # without the tasks that another test has left
    waits = []
    made = state.opened()
    written = []
    original = made._write

    def write():
        original()
        written.append(len(waits))

    made._write = write

    async def sleep_ms(ms):
        # The interval passes when the test says so.
        waits.append(ms)
        await wake.wait()
        wake.clear()

    wake = asyncio.Event()
    real = asyncio.sleep_ms

    async def main():
        made["a"] = 1
        made["b"] = 2
        assert file_of(folder) is None  # both at once, when the handler lets others run
        await real(0)
        assert json.loads(file_of(folder)) == {"a": 1, "b": 2}
        assert waits == [60000] and len(written) == 1
        for count in range(100):
            made["a"] = count
            await real(0)
        assert json.loads(file_of(folder))["a"] == 1 and len(written) == 1
        wake.set()
        await real(1)
        assert json.loads(file_of(folder))["a"] == 99 and len(written) == 2
        wake.set()
        await real(1)
        assert len(written) == 2  # nothing has changed: the task ends
        made["a"] = "new"
        await real(0)
        assert json.loads(file_of(folder))["a"] == "new" and len(written) == 3
        del made["a"]
        record.endings[0]()  # a planned restart
        assert json.loads(file_of(folder)) == {"b": 2} and len(written) == 4
        record.endings[0]()
        assert len(written) == 4

    asyncio.sleep_ms = sleep_ms
    try:
        asyncio.run(main())
    finally:
        asyncio.sleep_ms = real


@scratch
def test_what_can_not_be_written_is_said_and_tried_again(folder):
    lines = begin(folder)
    made = state.opened()
    lines.clear()
    os.mkdir(folder + "/config.json.kept")  # in its way
    made._changed = True
    made["a"] = 1
    made.finish()
    assert len(lines) == 1 and "can't be written" in lines[0], lines
    try:
        made.save()
        raise AssertionError("saved")
    except OSError:
        pass
    os.rmdir(folder + "/config.json.kept")
    made.finish()
    assert json.loads(file_of(folder)) == {"a": 1} and len(lines) == 1


@scratch
def test_what_is_no_state_is_put_aside(folder):
    for content in (
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"a": 1',
        b"\xff\xfe",
        b"{1: 2}",
        b"[" * 900,
        b'{"a": "%s"}' % (b"x" * LIMIT),
    ):
        lines = begin(folder)
        with open(folder + "/config.json.kept", "wb") as file:
            file.write(content)
        made = state.opened()
        assert len(made) == 0, content
        assert len(lines) == 1 and "can't be read" in lines[0] and ".bad" in lines[0], lines
        with open(folder + "/config.json.kept.bad", "rb") as file:
            assert file.read() == content
        made["a"] = 1
        made.save()
        assert state.opened()["a"] == 1


def test_without_a_gateway_it_is_in_memory():
    registry.settings = None
    record.endings.clear()
    made = state.opened()
    made["a"] = 1
    made.save()
    assert made["a"] == 1 and not record.endings


@scratch
def test_setting_does_not_grow(folder):
    begin(folder)
    made = state.opened()

    async def main():
        live = []
        for _ in range(3):
            for count in range(200):
                made["count"] = count
                made["text"] = "x" * (count % 100)
                await asyncio.sleep_ms(0)
            gc.collect()
            live.append(gc.mem_alloc())
        assert live[2] < live[1] + 500, live  # less than a block for each of 200

    asyncio.run(main())


# --- power cuts


def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new():
    """On the file system that a board has, littlefs, where the interpreter has it."""
    try:
        from vfs import VfsLfs2, mount, umount
    except ImportError:
        print("no littlefs here: see test_a_file_cut_at_any_byte")
        return
    from copepod.platform import files

    files.os = Os
    forget = state.forget
    state.forget = lambda name: None  # this one stays
    lines = begin("/flash")
    old = {"limit": 20, "text": "x" * 600}
    flash = Flash(32)

    def change(data, left_b, **values):
        """Set `values` on flash with this content, and save; returns its content, and whether that was all."""
        flash.begin(data, left_b)
        mount(VfsLfs2(flash), "/flash")
        try:
            made = state.opened()
            made._writes = True  # no task: it is written here
            for key in values:
                made[key] = values[key]
            made.save()
        finally:
            umount("/flash")
            record.endings.clear()
        return (flash.at_the_cut, False) if flash.was_cut else (flash.data, True)

    def kept(data):
        """What is there when the power is back."""
        flash.begin(data)
        mount(VfsLfs2(flash), "/flash")
        try:
            lines.clear()
            found = dict(state.opened().items())
            assert lines == [], lines
            return found
        finally:
            umount("/flash")
            record.endings.clear()

    try:
        VfsLfs2.mkfs(flash)
        before, whole = change(flash.data, None, **old)
        before = bytes(before)
        assert whole and kept(before) == old
        outcomes = {20: 0, 21.5: 0}
        cut_b = 0
        whole = False
        while not whole:
            after, whole = change(before, cut_b, limit=21.5)
            found = kept(after)
            assert found["text"] == old["text"] and found["limit"] in outcomes, (cut_b, found)
            assert found["limit"] == 21.5 or not whole
            outcomes[found["limit"]] += 1
            cut_b += 1
    finally:
        state.forget = forget
        forget("copepod.platform.files")
    assert outcomes[20] > 600 and outcomes[21.5] >= 1, outcomes
    print(
        "cut at each of %d B: the old one %d times, the new one %d"
        % (cut_b, outcomes[20], outcomes[21.5])
    )


@scratch
def test_a_file_cut_at_any_byte(folder):
    """What write_atomic() leaves when the process dies at any byte of the new file, or before the rename."""
    begin(folder)
    made = state.opened()
    made["limit"] = 20
    made.save()
    whole = json.dumps({"limit": 21.5}).encode()
    for cut_b in range(len(whole) + 1):
        with open(folder + "/config.json.kept.new", "wb") as file:
            file.write(whole[:cut_b])
        assert state.opened()["limit"] == 20
    made["limit"] = 21.5  # and what was left is in nobody's way
    made.save()
    assert state.opened()["limit"] == 21.5
    assert sorted(os.listdir(folder)) == ["config.json.kept"]

"""The ESP32 port: two heaps, the record in RTC memory, the watchdog, files; and the record itself.

Checked by taking it out (tests/host/firmware/test_traps.py):

    the largest IDF block in gc_free()     test_gc_free_is_without_the_idf_block
    HEAP_DATA                              test_heap
    the magic and checks of the record     test_noise_after_power_on, test_a_torn_write
    one check for each area                test_a_torn_write
    the bot's id in the record             test_another_bot
    watchdog_rest()                        test_watchdog_rests_for_the_repl
    its hour (not more)                    test_watchdog_rests_for_the_repl
    died() looking at the cause            test_died
    ten minutes' grace                     test_ten_good_minutes
    the text's cut on a character          test_last_error
    scrub()                                test_scrub
    write to a new file, then rename       test_write_atomic
"""

import gc
import os

from fakes.garbage import garbage_b
from fakes.scratch import scratch
from fakes.world import Reset, install, reboot


def last_error():
    """Return the module of the port that runs now."""
    from copepod.platform import last_error

    return last_error


def begin():
    """Return (world, port, machine), started."""
    world, port = install()
    import machine

    port.start("/config.json")
    return world, port, machine


def again(machine, cause=None):
    """Reset the board for `cause` (2: machine.reset()) and start the port again."""
    machine.starts(cause or machine.HARD_RESET)
    port = reboot()
    port.start("/config.json")
    return port


def test_heap():
    _, port, _ = begin()
    assert list(port.heap()) == [54752, 35512, 51048]
    assert port.heap() is port.heap()


def test_gc_free_is_without_the_idf_block():
    _, port, _ = begin()
    port.heap()
    assert port.gc_free(35512 + 20000) == 20000
    assert port.gc_free(1000) == 0


def test_what_would_have_pythons_heap_grow_finds_no_memory():
    _, port, _ = begin()
    port.need(1000)
    try:
        port.need(gc.mem_free())  # of which 35,512 B would be TLS's
        raise AssertionError("it takes the IDF heap's")
    except MemoryError:
        pass


def test_noise_after_power_on():
    _, port, _ = begin()
    assert port.record.last_id_load(7) is None
    assert port.record.crashes_load() == 0 and not port.record.running()
    assert last_error().load() is None
    for noise in (b"", b"\0" * 128, b"\xff" * 128, b"\0" * 2048, b"short"):
        _, port = install()
        import machine

        machine.starts(machine.PWRON_RESET, noise)
        port.start("/config.json")
        assert port.record.last_id_load() is None and port.record.last_id_load(7) is None
        assert port.record.crashes_load() == 0 and last_error().load() is None


def test_last_id_outlives_a_reset():
    _, port, machine = begin()
    for update_id in (1, 895123456, (1 << 31) + 5, (1 << 52) - 1):
        port.record.last_id_store(update_id, 7)
        assert port.record.last_id_load(7) == update_id
        port = again(machine, machine.WDT_RESET)
        assert port.record.last_id_load(7) == update_id


def test_another_bot():
    # Ids of one bot say nothing of another's: all its messages would look old.
    _, port, machine = begin()
    port.record.last_id_store(900000000, 7)
    port = again(machine)
    assert port.record.last_id_load(8) is None
    assert port.record.last_id_load(7) == 900000000
    port.record.last_id_store(5, 7123456789)
    assert port.record.last_id_load(7123456789) == 5 and port.record.last_id_load(7) is None


def test_a_torn_write():
    # A reset in the middle of a copy: every area stands or falls alone, and never half.
    _, port, machine = begin()
    port.record.last_id_store(895123456, 7)
    port.record.crashes_store(2, True)
    last_error().store("MemoryError: first")
    old = machine.RTC().memory()
    port.record.last_id_store(895123499, 7)
    port.record.crashes_store(0, False)
    last_error().store("OSError: second")
    new = machine.RTC().memory()
    assert len(old) == len(new) == 128
    for cut in range(129):
        machine.starts(machine.WDT_RESET, new[:cut] + old[cut:])
        port = reboot()
        port.start("/config.json")
        assert port.record.last_id_load(7) in (None, 895123456, 895123499)
        assert (port.record.crashes_load(), port.record.running()) in ((0, False), (2, True))
        assert last_error().load() in (None, "MemoryError: first", "OSError: second")
        if cut >= 18:
            assert port.record.last_id_load(7) == 895123499
        if cut <= 18:
            assert port.record.crashes_load() == 2 and last_error().load() == "MemoryError: first"


def test_storing_allocates_nothing():
    _, port, _ = begin()
    port.record.begin(b"", len)  # RTC.memory(data) copies into the chip; the fake makes an object
    port.record.last_id_store(895123456, 7)
    grown_b = garbage_b(lambda: port.record.last_id_store(895123456, 7), 50)
    assert grown_b <= 64, grown_b


def test_last_error():
    _, _, machine = begin()
    last_error().store("MemoryError: memory allocation failed, allocating 1024 bytes")
    again(machine)
    assert last_error().load() == "MemoryError: memory allocation failed, allocating 1024 bytes"
    for width in range(68, 78):
        for character in ("x", "é", "€", "🦀"):
            text = "x" * width + character * 30
            last_error().store(text)
            kept = last_error().load()
            assert text.startswith(kept) and 72 <= len(kept.encode()) <= 76, (width, kept)
    last_error().store("")
    assert last_error().load() is None


def test_scrub():
    _, port, machine = begin()
    secret = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_-x"
    for text in ("123456:%s", "https://h/bot123456:%s/getMe", "a: b: 9:%s and 8:%s", "x 1:%s\n"):
        text = text.replace("%s", secret)
        assert secret not in last_error().scrub(text), text
        last_error().store(text)
        kept = last_error().load()
        assert secret not in kept and secret[:20] not in kept and "***" in kept, kept
    for text in (
        "",
        ":",
        "OSError: [Errno 12] ENOMEM",
        "at 12:30:45",
        "bot.py:12: oops",
        "1:short",
    ):
        assert last_error().scrub(text) == text
    assert machine


def test_died():
    _, port, machine = begin()
    for cause, is_running, expected in (
        (machine.WDT_RESET, True, "watchdog"),
        (machine.HARD_RESET, True, "panic"),
        (machine.PWRON_RESET, True, None),  # unplugged, or the button
        (machine.SOFT_RESET, True, None),  # Ctrl-D, mpremote
        (machine.DEEPSLEEP_RESET, True, None),
        (0, True, None),  # by USB, by esptool
        (machine.WDT_RESET, False, None),
        (machine.HARD_RESET, False, None),
    ):
        port.record.crashes_store(1, is_running)
        port = again(machine, cause) if cause else again_by_tool(machine)
        found = port.died()
        assert (expected in found) if expected else found is None, (cause, is_running, found)


def again_by_tool(machine):
    """Reset the board by a tool: a cause that MicroPython does not know."""
    machine.starts(0)
    port = reboot()
    port.start("/config.json")
    return port


def test_reset_is_no_crash():
    _, port, machine = begin()
    port.record.crashes_store(2, True)
    try:
        port.reset()
        raise AssertionError("came back")
    except Reset:
        pass
    port = reboot()
    port.start("/config.json")
    assert port.died() is None and port.record.crashes_load() == 2 and machine


def test_what_must_be_kept_is_written_before_a_reset():
    _, port, machine = begin()
    said = []
    port.record.endings.append(lambda: said.append(len(machine.resets)))
    try:
        port.reset()
        raise AssertionError("came back")
    except Reset:
        pass
    assert said == [0] and machine.resets == [machine.HARD_RESET]


def test_reset_reason():
    _, port, machine = begin()
    assert port.reset_reason() == "power on or brown-out"
    for cause, word in ((2, "panic"), (3, "watchdog"), (4, "sleep"), (5, "soft"), (0, "USB")):
        machine.starts(cause)
        assert word in port.reset_reason(), cause


def test_watchdog():
    world, port, machine = begin()
    port.watchdog_feed()  # nothing to feed yet
    world.pass_ms(300000)
    port.watchdog_start(120000)
    for _ in range(5):
        world.pass_ms(119000)
        port.watchdog_feed()
    try:
        world.pass_ms(121000)
        raise AssertionError("no reset")
    except Reset as reset:
        assert reset.args[0] == machine.WDT_RESET


def test_watchdog_rests_for_the_repl():
    # mpremote interrupts the gateway; a watchdog that nobody feeds would cut its work short.
    world, port, machine = begin()
    port.watchdog_rest()
    assert machine.watchdog_ms() is None  # never started, so never will be
    port.watchdog_start(30000)
    world.pass_ms(25000)
    port.watchdog_rest()
    world.pass_ms(1800000)
    port.watchdog_feed()


def test_ten_good_minutes():
    world, port, _ = begin()
    port.record.crashes_store(2, True)
    for _ in range(599):
        port.watchdog_feed()
        world.pass_ms(1000)
    assert port.record.crashes_load() == 2
    for _ in range(3):
        port.watchdog_feed()
        world.pass_ms(1000)
    assert port.record.crashes_load() == 0 and port.record.running()


def test_set_clock():
    _, port, machine = begin()
    port.set_clock(1795358096)
    assert machine.datetimes == [(2026, 11, 22, 7, 14, 34, 56, 0)]


@scratch
def test_write_atomic(folder):
    begin()
    from copepod.platform import files

    path = folder + "/config.json"
    files.write_atomic(path, b"old")
    seen = []
    system_rename = os.rename

    class Os:
        """`os`, watched at the moment of the rename."""

        remove = os.remove

        def sync(self):
            seen.append("sync")

        def rename(self, source, target):
            seen.append(open(source, "rb").read() + b" over " + open(target, "rb").read())
            system_rename(source, target)

    files.os = Os()
    files.write_atomic(path, b"new")
    assert seen == ["sync", b"new over old"], seen
    assert open(path, "rb").read() == b"new"

    class Full(Os):
        """`os` without room."""

        def rename(self, source, target):
            raise OSError(28)

    files.os = Full()
    try:
        files.write_atomic(path, b"newer")
        raise AssertionError("no error")
    except OSError:
        pass
    assert open(path, "rb").read() == b"new"

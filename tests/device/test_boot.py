"""The board's entry: Ctrl-C, crashes, safe mode, the watchdog (fakes/, and a fake gateway).

Checked by taking it out (tests/host/firmware/test_traps.py):

    the two seconds                        test_ctrl_c_in_the_window
    `except KeyboardInterrupt`             test_ctrl_c_in_the_window,
                                           test_ctrl_c_while_a_crash_waits
    watchdog_rest()                        test_ctrl_c_leaves_time_for_the_repl
    the count kept before the gateway runs test_a_watchdog_death_counts
    died()                                 test_a_watchdog_death_counts
    the reset after a crash                test_a_crash_resets_the_board
    the pause before it                    test_a_crash_resets_the_board
    the error kept                         test_a_crash_resets_the_board
    scrub() of the traceback               test_a_traceback_without_the_token
    safe mode                              test_three_crashes_are_safe_mode
    its second try                         test_safe_mode_tries_again
    the count set back by a clean end      test_a_clean_end_sets_the_count_back
"""

import sys

from fakes.world import Reset, install, reboot

SECRET = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_-x"


def last_error():
    """Return the module of the port that runs now."""
    from copepod.platform import last_error

    return last_error


class Time:
    """`time` of the fake world."""

    def __init__(self, world):
        self.sleep_ms = world.pass_ms

    def sleep(self, duration_s):
        self.sleep_ms(duration_s * 1000)


class Gateway:
    """copepod.startup whose run() does what a test says."""

    def __init__(self, action):
        self.action = action
        self.runs = 0
        self.path = None

    def run(self, path):
        self.runs += 1
        self.path = path
        if self.action:
            return self.action()
        return 0


class Console:
    """`sys` of visible.py: what it prints is kept."""

    def __init__(self, printed):
        self.print_exception = sys.print_exception
        self.stdout = self
        self.write = printed.append


class Board:
    """A board that is switched on once and started as often as a test likes."""

    def __init__(self, action=None):
        self.world, self.port = install()
        import machine

        self.machine = machine
        self.gateway = Gateway(action)
        self.lines = []
        self.printed = []

    def start(self, cause=None):
        """Run what main.py runs; return the Reset it ended with, or None at the REPL."""
        import copepod

        if cause is not None:
            self.machine.starts(cause)
        self.port = reboot()
        sys.modules["copepod.startup"] = copepod.startup = self.gateway
        import copepod.boot  # anew: the package may still have the one before
        import copepod.crash
        import copepod.visible

        main = sys.modules["copepod.boot"]
        crash = sys.modules["copepod.crash"]
        del self.lines[:]
        for module in (main, crash):
            module.time = Time(self.world)
            module.log = lambda area, *parts: self.lines.append("".join([str(p) for p in parts]))
        sys.modules["copepod.visible"].sys = Console(self.printed)
        main.crash = lambda: crash
        try:
            main.main()
            return None
        except Reset as reset:
            return reset
        finally:
            del copepod.startup
            del sys.modules["copepod.startup"]

    def said(self, words):
        """Return whether a log line has these words."""
        return any([words in line for line in self.lines])


def crash():
    """Be a gateway that crashes."""
    raise MemoryError("memory allocation failed, allocating 1024 bytes")


def test_starts_the_gateway():
    board = Board()
    assert board.start() is None
    assert board.gateway.runs == 1 and board.gateway.path == "/config.json"
    assert board.world.now_ms == 2000
    assert board.said("power on") and board.said("Ctrl-C within 2 s"), board.lines
    assert board.said("the gateway has ended")


def test_ctrl_c_in_the_window():
    board = Board()
    board.world.interrupt_at_ms = 1500
    assert board.start() is None
    assert board.gateway.runs == 0
    assert board.said("stopped")


def test_ctrl_c_leaves_time_for_the_repl():
    board = Board()

    def run():
        board.port.watchdog_start(30000)
        board.world.interrupt_at_ms = board.world.now_ms + 20000
        board.world.pass_ms(25000)

    board.gateway.action = run
    assert board.start() is None
    board.world.pass_ms(600000)  # mpremote copies files
    assert board.said("stopped") and not board.machine.resets


def test_a_crash_resets_the_board():
    board = Board(crash)
    reset = board.start()
    assert reset is not None and reset.args[0] == board.machine.HARD_RESET
    assert board.world.now_ms == 2000 + 5000
    board.gateway.action = None
    board.start()
    assert board.said("reset or panic")
    assert last_error().load().startswith("MemoryError: memory allocation failed")


def test_the_pause_grows():
    board = Board(crash)
    board.start()
    before_ms = board.world.now_ms
    board.start()
    assert board.world.now_ms - before_ms == 2000 + 10000


def test_a_traceback_without_the_token():
    board = Board()

    def leak():
        raise ValueError("can't reach https://api.telegram.org/bot123456:%s/getMe" % SECRET)

    board.gateway.action = leak
    board.start()
    printed = "".join(board.printed)
    assert "ValueError: can't reach" in printed and "Traceback" in printed, printed
    assert SECRET not in printed and SECRET not in last_error().load()
    for line in board.lines:
        assert SECRET not in line


def test_three_crashes_are_safe_mode():
    board = Board(crash)
    for _ in range(3):
        assert board.start() is not None
    assert board.gateway.runs == 3
    board.world.interrupt_at_ms = board.world.now_ms + 60000
    assert board.start() is None
    assert board.gateway.runs == 3
    assert board.said("safe mode: the gateway is not started, 3 crashes in a row"), board.lines
    assert board.said("safe mode: the last error was MemoryError")
    assert board.said("press Ctrl-C for the REPL") and board.said("10 minutes")
    # Ctrl-C is how to leave it: the next start is a normal one.
    board.gateway.action = None
    assert board.start(board.machine.SOFT_RESET) is None
    assert board.gateway.runs == 4


def test_safe_mode_tries_again():
    board = Board(crash)
    for _ in range(3):
        board.start()
    before_ms = board.world.now_ms
    assert board.start() is not None
    assert board.gateway.runs == 4 and board.world.now_ms - before_ms > 600000
    # That crash is enough for safe mode again.
    board.world.interrupt_at_ms = board.world.now_ms + 60000
    assert board.start() is None
    assert board.gateway.runs == 4 and board.said("safe mode")


def test_a_clean_end_sets_the_count_back():
    board = Board(crash)
    board.start()
    board.start()
    board.gateway.action = None
    board.start()
    board.gateway.action = crash
    board.start()
    assert board.port.record.crashes_load() == 1


def test_ten_good_minutes_set_the_count_back():
    board = Board(crash)
    board.start()
    board.start()

    def run():
        board.port.watchdog_start(120000)
        for _ in range(700):
            board.port.watchdog_feed()
            board.world.pass_ms(1000)
        crash()

    board.gateway.action = run
    board.start()
    assert board.port.record.crashes_load() == 1


def test_a_watchdog_death_counts():
    board = Board()

    def hang():
        board.port.watchdog_start(30000)
        board.world.pass_ms(40000)

    board.gateway.action = hang
    for count in (1, 2, 3):
        reset = board.start()
        assert reset.args[0] == board.machine.WDT_RESET
        board.world.interrupt_at_ms = None
    board.world.interrupt_at_ms = board.world.now_ms + 60000
    assert board.start() is None
    assert board.gateway.runs == 3 and board.said("safe mode: the last error was watchdog"), (
        board.lines
    )
    assert count == 3


def test_unplugging_is_no_crash():
    board = Board()

    def unplug():
        raise Reset("unplugged")

    board.gateway.action = unplug
    for _ in range(5):
        board.start(board.machine.PWRON_RESET)
    assert board.gateway.runs == 5 and board.port.record.crashes_load() == 0


def test_a_reset_on_purpose_is_no_crash():
    board = Board()
    board.gateway.action = lambda: board.port.reset()
    for _ in range(5):
        assert board.start() is not None
    assert board.gateway.runs == 5


def test_ctrl_c_while_a_crash_waits():
    board = Board(crash)
    board.world.interrupt_at_ms = 4000
    assert board.start() is None
    assert not board.machine.resets and board.said("stopped")


def test_a_gateway_that_can_not_be_imported():
    # An app that was copied by half: the import is what fails.
    board = Board()

    class Half:
        pass

    board.gateway = Half()
    assert board.start() is not None
    assert "AttributeError" in last_error().load()

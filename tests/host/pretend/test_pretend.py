"""The machine that pretends: what a bot does to it is seen, what is set reaches the bot, and no board gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import targets
from host_tools.app.tree import app_tree
from host_tools.errors import UserError
from host_tools.pretend.surroundings import MODULES, Surroundings
from host_tools.testing.bot import Bot, BotFailed

# A bot that evaluates what it is told, with everything that a board has.
BOT = """\
import machine, time, asyncio
from machine import ADC, I2C, PWM, RTC, Pin, Signal, SoftI2C, Timer, WDT
from copepod.handlers import on_command, on_text
import copepod.platform
import dht, ds18x20, neopixel, onewire

led = Pin(2, Pin.OUT)
button = Pin(4, Pin.IN, Pin.PULL_UP)
edges = []
button.irq(lambda pin: edges.append(pin.value()), Pin.IRQ_FALLING)

@on_command("slow")
async def slow(msg):
    while button.value():
        time.sleep_ms(1)  # nothing else runs
    return "pressed"

@on_command("reset")
def reset(msg):
    async def soon():  # when this message is done with
        await asyncio.sleep_ms(100)
        machine.reset()

    asyncio.create_task(soon())
    return "Goodbye."

@on_text
def evaluate(msg):
    try:
        return "`%r`" % (eval(msg.text),)
    except SyntaxError:
        exec(msg.text, globals())
        return "done"
    except (OSError, ValueError, onewire.OneWireError) as error:
        return "%s %s" % (type(error).__name__, error)
"""


@pytest.fixture
def bot_file(tmp_path: Path) -> Path:
    (tmp_path / "bot.py").write_text(BOT)
    return tmp_path / "bot.py"


def does(bot: Bot, *lines: str) -> str:
    """What the last of these lines gives."""
    return [bot.say(line).text for line in lines][-1]


def test_pins_go_both_ways(bot: Bot) -> None:
    assert (bot.pin(2), bot.pin(4)) == (0, 1)  # the pull-up
    assert does(bot, "led.on()", "led.value()") == "1"
    assert bot.pin(2) == 1
    assert does(bot, "led.toggle()", "Signal(led, invert=True).value()") == "1"
    assert bot.pin(2) == 0
    bot.pin(4, 0)
    assert does(bot, "button(), Pin(4)()") == "(0, 0)"
    for wrong in ("Pin(77)", "Pin(-1)"):
        assert does(bot, wrong) == "ValueError invalid pin"
    with pytest.raises(BotFailed, match="pin 2 is an output"):
        bot.pin(2, 1)
    with pytest.raises(BotFailed, match="no pin 5"):
        bot.pin(5, 1)
    assert does(bot, "Pin(5, Pin.IN).value()") == "1"  # it was put there before


def test_an_interrupt_is_called_at_its_edge_alone(bot: Bot) -> None:
    for level in (0, 0, 1, 0):
        bot.pin(4, level)
    assert does(bot, "edges") == "[0, 0]"
    assert does(bot, "button.irq(lambda pin: 1/0, Pin.IRQ_RISING)", "2") == "2"
    bot.pin(4, 1)  # what it raises is printed, and the gateway goes on
    with pytest.raises(BotFailed, match="(?s)line 1, in <lambda>.*ZeroDivisionError"):
        bot.say("3")


def test_who_polls_an_input_sees_it_change(bot: Bot) -> None:
    update = bot.sim.push_text("/slow")
    assert bot.sim.wait(lambda: update in bot.sim.delivered)
    bot.pin(4, 0)
    assert bot.next().text == "pressed"


def test_readings_and_pulses(bot: Bot) -> None:
    assert does(bot, "adc = ADC(Pin(34), atten=ADC.ATTN_11DB)", "adc.read()") == "0"
    bot.adc(34, 2000)
    assert does(bot, "adc.read(), adc.read_u16(), adc.read_uv()") == "(2000, 32007, 1196581)"
    bot.say("pwm = PWM(Pin(5), freq=1000, duty=512)")
    assert bot.pwm(5) == (1000, 32768)
    assert does(bot, "pwm.duty_ns(250000)", "pwm.duty()") == "255"
    bot.say("pwm.deinit()")
    assert bot.pwm(5) == (0, 0)
    assert does(bot, "pwm.freq(0)").startswith("ValueError")


def test_lights_are_seen_when_they_are_written(bot: Bot) -> None:
    does(
        bot,
        "strip = neopixel.NeoPixel(Pin(13), 3)",
        "strip.fill((1, 2, 3))",
        "strip[1] = (255, 0, 0)",
    )
    assert 13 not in bot.around.neopixels
    bot.say("strip.write()")
    assert bot.neopixel(13) == [(1, 2, 3), (255, 0, 0), (1, 2, 3)]


def test_sensors_are_missing_until_they_are_set(bot: Bot) -> None:
    assert "OSError" in does(bot, "air = dht.DHT22(Pin(15))", "air.measure()")
    bot.dht(15, 21.5, 40)
    assert does(bot, "air.measure()", "air.temperature(), air.humidity()") == "(21.5, 40.0)"
    assert does(bot, "bus = ds18x20.DS18X20(onewire.OneWire(Pin(16)))", "bus.scan()") == "[]"
    assert "OneWireError" in does(bot, "bus.convert_temp()")
    bot.ds18x20(16, 19.25, -3)
    assert (
        does(bot, "bus.convert_temp()", "[bus.read_temp(rom) for rom in bus.scan()]")
        == "[19.25, -3.0]"
    )


def test_an_i2c_bus_is_empty_until_something_is_put_there(bot: Bot) -> None:
    assert does(bot, "i2c = I2C(0, scl=Pin(22), sda=Pin(21))", "i2c.scan()") == "[]"
    assert does(bot, "i2c.readfrom_mem(0x76, 0xd0, 1)").startswith("OSError")
    bot.i2c(0x76, 0xD0, b"ab")
    assert does(bot, "i2c.scan(), i2c.readfrom_mem(0x76, 0xd0, 2)") == "([118], b'ab')"
    assert does(bot, "i2c.writeto(0x76, b'\\xf4x')", "i2c.readfrom_mem(0x76, 0xf4, 1)") == "b'x'"
    assert bot.around.i2c == [(0x76, b"\xf4x")]


def test_a_timer_calls_until_it_is_stopped(bot: Bot) -> None:
    bot.say("ticks = []")
    bot.say("timer = Timer(0, period=5, callback=lambda timer: ticks.append(1))")
    while int(does(bot, "len(ticks)")) < 3:
        pass
    bot.say("timer.deinit()")
    before = does(bot, "len(ticks)")
    bot.say("Timer(1, mode=Timer.ONE_SHOT, period=20, callback=lambda timer: print('once'))")
    bot._until(lambda: bot.printed == ["once"], "the other timer has called")
    assert does(bot, "len(ticks)") == before


def test_a_reset_is_a_new_start_that_keeps_what_was_set(bot: Bot) -> None:
    bot.pin(4, 0)
    assert does(bot, "machine.reset_cause() == machine.PWRON_RESET") == "True"
    assert bot.say("/reset").text == "Goodbye."
    bot.wait_for_reset()
    assert (
        does(bot, "machine.reset_cause() == machine.HARD_RESET, edges, button.value()")
        == "(True, [], 0)"
    )


def test_the_gateway_does_not_take_it_for_a_board(bot: Bot) -> None:
    assert does(bot, "copepod.platform.port.__name__") == "'copepod.platform.unix'"


def test_only_this_computer_pretends() -> None:
    with Surroundings() as around:
        with pytest.raises(UserError, match="rv32 has pins of its own"):
            around.target(targets.get("rv32"))
        with pytest.raises(UserError, match="has not begun"):
            around.set("pin 4 1")
        for wrong, told in (
            ("pin 4", "like pin 4 1"),
            ("pin x 1", "like pin"),
            ("moon 1", "adc PIN"),
        ):
            with pytest.raises(UserError, match=told):
                around.set(wrong)
    names = {path.name for path in MODULES.glob("*.py")}
    assert {"machine.py", "dht.py"} <= names
    assert not names & {path.name for path in app_tree().rglob("*")}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Bot]:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/bot.py").write_text("")
    made = Bot(tmp_path / "other/bot.py", tmp_path / "gateway")
    made.start()
    yield made
    made.stop()


def test_a_bot_without_pins_is_told_from_one_with(other: Bot) -> None:
    assert other.say("hi").text == "hi"
    with pytest.raises(BotFailed, match="imported nothing that could take it"):
        other.pin(4, 1)

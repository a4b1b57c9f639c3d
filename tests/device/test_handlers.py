"""The registry: commands, texts in order with the echo behind them."""

from copepod import handlers

PURE = True


def _fresh():
    handlers.commands.clear()
    handlers.texts[:] = [handlers.echo]


def test_command():
    _fresh()

    @handlers.on_command("led", "switch")
    async def led(msg):
        return msg

    assert handlers.commands["led"] == (led, "switch")
    _fresh()


def test_texts_in_order_and_the_echo_last():
    _fresh()

    @handlers.on_text
    def first(msg):
        return False

    @handlers.on_text
    def second(msg):
        return "second"

    assert handlers.texts == [first, second, handlers.echo]
    _fresh()


def test_command_names_are_checked():
    for name in ("", "Led", "a b", "é", "x" * 33):
        try:
            handlers.on_command(name)
        except ValueError:
            continue
        raise AssertionError(name)

"""The registry: commands, and texts in order."""

from copepod import handlers, registry

PURE = True


def _fresh():
    registry.commands.clear()
    registry.texts.clear()


def test_command():
    _fresh()

    @handlers.on_command("led", "switch")
    async def led(msg):
        return msg

    assert registry.commands["led"] == (led, "switch")
    _fresh()


def test_texts_in_order():
    _fresh()

    @handlers.on_text
    def first(msg):
        return False

    @handlers.on_text
    def second(msg):
        return "second"

    assert registry.texts == [first, second]
    _fresh()


def test_command_names_are_checked():
    for name in ("", "Led", "a b", "é", "x" * 33):
        try:
            handlers.on_command(name)
        except ValueError:
            continue
        raise AssertionError(name)

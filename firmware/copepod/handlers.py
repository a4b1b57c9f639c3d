"""Registry of command and text handlers. Memory: one dict entry per command, made at import of bot.py.

from copepod.handlers import on_command, on_text

@on_command("led", "switch the light: /led on or /led off")
async def led(msg):
    await msg.answer("**done**")
"""

from copepod.once import forget

commands: dict = {}  # name -> (handler, one line of help); what every Copepod knows is in builtin.py
texts: list = []  # handlers of plain text, the first that does not return False has answered


def on_command(name, help=""):
    """Register an async function for /name; `help` is its line in /help and in Telegram's menu.

    A name is 1-32 characters of a-z, 0-9 and _ (Bot API, BotCommand), else ValueError.
    """
    valid = 0 < len(name) <= 32
    for character in name:
        if not ("a" <= character <= "z" or "0" <= character <= "9" or character == "_"):
            valid = False
    if not valid:
        raise ValueError("command name %r: 1-32 of a-z 0-9 _" % name)

    def register(handler):
        commands[name] = (handler, help)
        return handler

    return register


def on_text(handler):
    """Register an async function for every message that is not a command.

    It may return False to pass the message on to the next one registered.
    """
    texts.append(handler)
    return handler


async def dispatch(msg):
    """Run the handler that fits `msg`; False when nobody takes it, so that it is answered with itself."""
    if msg.command is not None:
        found = commands.get(msg.command)
        if found is not None:
            await found[0](msg)
            return True
        from copepod import builtin

        try:
            if await builtin.answer(msg):
                return True
        finally:
            forget("copepod.builtin")
    for handler in texts:
        if await handler(msg) is not False:
            return True
    return False

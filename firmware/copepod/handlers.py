"""Registers what bot.py has for commands, texts, edits, buttons, the start. Memory: dropped after it; see registry.py.

from copepod.handlers import on_button, on_command, on_edit, on_start, on_text

@on_command("led", "switch the light: /led on or /led off")
async def led(msg):
    await msg.answer("**done**")

@on_text
def shout(msg):
    return msg.text.upper()

@on_edit
def corrected(msg):
    return "You meant: " + msg.text

@on_button("light:")
async def light(msg):  # "light:on" and "light:off"
    msg.notice("The light is " + msg.args)

@on_start
async def hello():
    ...  # once, when the bot is there

A handler is a function, async or not. A str that it returns is its answer, and so is, piece by piece, a list
or what a generator yields, async or not. False passes a text on to the next handler registered, in the end to the echo.
"""

from copepod.registry import buttons, commands, edits, starts, texts


def on_command(name, help=""):
    """Register a handler for /name; `help` is its line in /help and in Telegram's menu.

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
    """Register a handler for every message that is not a command."""
    texts.append(handler)
    return handler


def on_edit(handler):
    """Register a handler for every message whose text was edited; without one an edit is passed over."""
    edits.append(handler)
    return handler


def on_button(data):
    """Register a handler for a press of the button with this `data`; what ends with ":" is the beginning of it.

    1 to 64 bytes of UTF-8 (Bot API, InlineKeyboardButton), else ValueError.
    """
    if not 0 < len(data.encode()) <= 64:
        raise ValueError("button data %r: 1 to 64 bytes" % data)

    def register(handler):
        buttons[data] = handler
        return handler

    return register


def on_start(function):
    """Register a function without arguments, async or not, that is called once: when the first poll has succeeded.

    It runs as a task of its own. What it raises is logged, and concerns nobody else.
    """
    starts.append(function)
    return function

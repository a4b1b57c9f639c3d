"""Your bot: edit this file on the board, it is plain source. Memory: what you write.

A handler is a function, async or not, that gets a message: msg.text, msg.args (what follows the
command), msg.sender_id, msg.username, msg.first_name, msg.chat_id, msg.reply_text. What it returns
or yields is its answer, and so is `await msg.answer(markdown, buttons=None)`. docs/bot.md has all
there is. Without handlers the bot answers each text with itself.
"""

from copepod.handlers import on_button, on_command, on_text

# from machine import Pin
# light = Pin(2, Pin.OUT)
# SWITCH = [["On", "Off"], [("Read on", "https://github.com")]]
#
#
# @on_command("led", "switch the light")
# async def led(msg):
#     await msg.answer("The light is **%s**." % ("on" if light.value() else "off"), buttons=SWITCH)
#
#
# @on_button("On")
# async def on(msg):
#     light.on()
#     await msg.edit("The light is **on**.", buttons=SWITCH)
#
#
# @on_button("Off")
# async def off(msg):
#     light.off()
#     await msg.edit("The light is **off**.", buttons=SWITCH)
#
#
# @on_command("blink", "how often is asked")
# async def blink(msg):
#     reply = await msg.ask("How often?", timeout_s=60)
#     for number in range(int(reply.text) if reply else 0):
#         light.value(number % 2)
#         yield "%d, " % number  # written while it is sent
#
#
# @on_text
# def shout(msg):
#     if not msg.text.endswith("?"):
#         return False  # leave it to the next handler, in the end to the echo
#     return "_Good question._"

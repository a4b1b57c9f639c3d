"""Your bot: edit this file on the board, it is plain source. Memory: what you write.

A handler is an async function that gets a message: msg.text, msg.args (what follows the command),
msg.sender_id, msg.username, msg.first_name, msg.chat_id, msg.reply_text, and
`await msg.answer(markdown)`. The answer is a string, or anything that yields strings (a list, a
generator, an object with __aiter__): it is then formatted and sent piece by piece as it comes.
Without handlers the bot answers each text with itself.
"""

from copepod.handlers import on_command, on_text

# from machine import Pin
# light = Pin(2, Pin.OUT)
#
#
# @on_command("led", "switch the light: /led on or /led off")
# async def led(msg):
#     light.value(msg.args == "on")
#     await msg.answer("The light is **%s**." % ("on" if light.value() else "off"))
#
#
# @on_command("count", "an answer that is written while it is sent")
# async def count(msg):
#     await msg.answer("%d, " % number for number in range(1000))
#
#
# @on_text
# async def shout(msg):
#     if not msg.text.endswith("?"):
#         return False  # leave it to the next handler, in the end to the echo
#     await msg.answer("_Good question._")

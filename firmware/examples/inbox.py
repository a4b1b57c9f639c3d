"""Keeps the files that its owner sends: /files lists them, /get NAME sends one back."""

import os

from copepod.bot import bot
from copepod.files import on_file
from copepod.handlers import on_command

FOLDER = "inbox"
MOST_B = 50000  # of one of them

try:
    os.mkdir(FOLDER)
except OSError:
    pass  # it is there


@on_file
async def keep(msg):
    if msg.sender_id != bot.owner:
        return "Only my owner may do that."
    name = (msg.file.name or "photo.jpg").replace("/", "_")
    try:
        size = await msg.save(FOLDER + "/" + name, limit_b=MOST_B)
    except (OSError, ValueError) as error:  # too large, no room, Telegram does not give it
        return "I keep nothing: %s" % error
    return "I have kept %s, %d bytes." % (name, size)


@on_command("files", "what is kept")
def files(msg):
    return ", ".join(sorted(os.listdir(FOLDER))) or "Nothing."


@on_command("get", "sends one of them: /get NAME")
async def get(msg):
    if msg.args not in os.listdir(FOLDER):
        return "I have no such file."
    await msg.answer_document(FOLDER + "/" + msg.args)

"""The commands every Copepod knows: /start /help /status /mem /ping. Memory: loaded when asked, dropped after it."""

from copepod import commands, registry
from copepod.once import forget

forget("copepod.commands")


def answer(msg):
    """The answer to a command that the bot does not have; False when its text handlers should see it."""
    command = msg.command
    if command not in commands.BUILT_IN:
        if "." in command:  # a file of this name: see telegram/attachments.py
            from copepod import update

            return update.take(msg)
        if msg.chat_type != "private" or registry.texts:
            return False
        return "I don't know /" + command + ". /help lists what I do."
    if command == "help":
        return "".join(["- /%s %s\n" % line for line in commands.listed()])
    if command == "ping":
        return "pong"
    if command == "status" or command == "mem":
        from copepod import figures

        forget("copepod.figures")
        return figures.status(msg.gateway) if command == "status" else figures.of_memory(msg.gateway)
    return "Hello, I am a Copepod: a Telegram gateway on a chip. /help lists what I do."

"""The list of commands, for /help and for Telegram's menu. Memory: dropped by whoever loads it."""

from copepod import registry

BUILT_IN = {  # answered by builtin.py, unless bot.py has one of the same name
    "start": "say hello",
    "help": "list the commands",
    "status": "uptime, messages, errors, link",
    "mem": "memory of both heaps, phase by phase",
    "ping": "answer at once",
}


def listed():
    """(name, one line of help) of every command, the bot's own among them, by name."""
    found = dict(BUILT_IN)
    for name in registry.commands:
        found[name] = registry.commands[name][1]
    return [(name, found[name]) for name in sorted(found)]

"""What the assistant keeps of itself: a handler of texts, and one of its commands. Memory: these functions."""

from copepod.once import forget


async def ask(msg):
    """Every text that no other handler has taken."""
    from copepod.assistant import turn

    try:
        await turn.run(msg)
    finally:
        forget("copepod.assistant.turn")


def command(msg):
    """/new, /model, /tools, /stop, /usage."""
    from copepod.assistant import commands

    try:
        return commands.answer(msg)
    finally:
        forget("copepod.assistant.commands")

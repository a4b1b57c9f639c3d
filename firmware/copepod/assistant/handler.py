"""What the assistant keeps of itself: a handler of texts, and one of its commands. Memory: these functions."""

from copepod.once import forget


async def ask(msg):
    """Every text that no other handler has taken; the press of a button below a question of its own."""
    msg.gateway.worker.steps.alone = True
    answer: "Any" = None
    try:
        answer = await _turn(msg)
        for name in ("window", "string_sink"):
            forget("copepod.assistant." + name)
        if isinstance(answer, tuple):
            await msg.answer(answer[0], answer[1])
        elif answer is not None:
            await msg.answer(answer)
    finally:
        msg.gateway.config.model.draft = None
        if answer is not None and not isinstance(answer, (str, tuple)):
            answer.close()


def _turn(msg):
    # A function of its own, so that no frame keeps the module while the answer is sent.
    from copepod.assistant import turn

    forget("copepod.assistant.turn")
    return turn.run(msg)


def command(msg):
    """/new, /model, /tools, /stop, /usage."""
    from copepod.assistant import commands

    forget("copepod.assistant.commands")
    return commands.answer(msg)

"""What the assistant keeps of itself: a handler of texts, and one of its commands. Memory: these functions."""

from copepod.once import forget


async def ask(msg):
    """Every text that no other handler has taken; the press of a button below a question of its own."""
    msg.gateway.worker.steps.alone = True
    answer: "Any" = await _turn(msg)
    for name in ("window", "string_sink"):
        forget("copepod.assistant." + name)
    if answer is None:
        return
    if isinstance(answer, tuple):
        await msg.answer(answer[0], answer[1])
        return
    try:
        await msg.answer(answer)
    finally:
        if not isinstance(answer, str):
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

"""An assistant: a model behind the gateway. Memory: nothing, unless the config has a model; then these functions.

Here is what it keeps of itself: a handler of texts, and one of its commands. A turn is loaded when there is one.
"""

from copepod.once import forget


async def ask(msg):
    """Every text that no other handler has taken; the press of a button below a question of its own."""
    msg.gateway.worker.steps.alone = True
    answer: "Any" = None
    try:
        answer = await _turn(msg)
        forget_asking()
        if isinstance(answer, tuple):
            await msg.answer(answer[0], answer[1])
        elif answer is not None:
            await msg.answer(answer)
    finally:
        msg.gateway.config.model.draft = None
        if answer is not None and not isinstance(answer, (str, tuple)):
            answer.close()
        forget_answers(msg)


def forget_asking():
    """The model has answered: what is only there to ask it makes room for what formats."""
    for name in ("session", "window", "string_sink"):
        forget("copepod.assistant." + name)


def forget_answers(msg):
    """`msg` has its answer: what sent it goes, which is as large as all that is kept here."""
    msg.sent = None  # the worker knows `msg` until the next one comes, and this would know answers.py
    forget("copepod.answers")


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

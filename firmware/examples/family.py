"""Several people: who says /join hears what the others /tell; each may name themselves."""

from copepod.bot import bot
from copepod.handlers import on_command
from copepod.messages import AnswerRefused


def people():
    return bot.state.get("people", {})  # id, as a str, -> name


@on_command("join", "hear what the others tell: /join Ada")
def join(msg):
    everybody = people()
    everybody[str(msg.sender_id)] = msg.args or msg.first_name or "somebody"
    bot.state["people"] = everybody  # setting it is what keeps it
    return "Here are: " + ", ".join(sorted(everybody.values()))


@on_command("leave", "hear no more of them")
def leave(msg):
    everybody = people()
    everybody.pop(str(msg.sender_id), None)
    bot.state["people"] = everybody
    return "Goodbye."


@on_command("tell", "say something to all: /tell Dinner!")
async def tell(msg):
    me = str(msg.sender_id)
    if me not in people() or not msg.args:
        return "/join first, and then /tell what?"
    heard = 0
    for person, name in people().items():
        if person != me:
            try:
                await bot.send(int(person), "**%s**: %s" % (people()[me], msg.args))
                heard += 1
            except AnswerRefused:  # has blocked the bot
                pass
    return "%d have heard it." % heard

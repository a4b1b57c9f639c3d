"""A conversation: /egg asks how you like it, and tells you when it is done. Others are served meanwhile."""

import asyncio

from copepod.bot import bot
from copepod.handlers import on_command

KINDS = ["soft", "medium", "hard"]
MINUTES = [4, 6, 9]


@on_command("egg", "an egg timer that asks")
async def egg(msg):
    answer = await msg.ask("How do you like it?", [KINDS], timeout_s=60)
    if answer is None:
        return "Then no egg."
    kind = answer.text.lower()
    if kind not in KINDS:
        return "I know %s." % ", ".join(KINDS)
    minutes = MINUTES[KINDS.index(kind)]
    asyncio.create_task(ready(msg.chat_id, minutes))
    return "I call you in %d minutes." % minutes


async def ready(chat_id, minutes):
    await asyncio.sleep(minutes * 60)
    await bot.send(chat_id, "🥚 Your egg is ready.")

"""Restarts the board from afar: /reboot asks first, and says when it is back."""

import asyncio

import machine

from copepod.bot import bot
from copepod.handlers import on_button, on_command, on_start


@on_command("reboot", "start the board anew")
async def reboot(msg):
    if msg.sender_id != bot.owner:
        return "Only my owner may do that."
    await msg.answer("Really?", [[("Reboot", "reboot"), ("No", "stay")]])


@on_button("reboot")
async def really(msg):
    if msg.sender_id == bot.owner:
        await msg.edit("See you in a moment.")
        asyncio.create_task(soon())


@on_button("stay")
async def stay(msg):
    await msg.edit("I stay.")


async def soon():
    await asyncio.sleep(2)  # until Telegram knows that the press was taken: else it would come again
    machine.reset()


@on_start
async def back():
    if bot.owner is not None and machine.reset_cause() != machine.PWRON_RESET:
        await bot.send(bot.owner, "I am back.")

"""A lamp with buttons: /lamp shows them, and the message says at once how it is now."""

from machine import Pin

from copepod.handlers import on_button, on_command

lamp = Pin(2, Pin.OUT)
SWITCH = [[("On", "lamp:on"), ("Off", "lamp:off")]]


def state():
    return "The lamp is **%s**." % ("on" if lamp.value() else "off")


@on_command("lamp", "the lamp and its switch")
async def show(msg):
    await msg.answer(state(), SWITCH)


@on_button("lamp:")  # "lamp:on" and "lamp:off": what follows is msg.args
async def press(msg):
    wanted = msg.args == "on"
    if wanted == lamp.value():
        msg.notice("It is %s already." % msg.args)
        return
    lamp.value(wanted)
    await msg.edit(state(), SWITCH)

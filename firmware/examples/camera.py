"""A picture of the door: /photo, and by itself when something moves. For a board with a camera, such as an ESP32-CAM.

It needs firmware with a `camera` module (https://github.com/cnadler86/micropython-camera-API) and PSRAM. Without one
the bot says so.
"""

from copepod.bot import bot
from copepod.handlers import on_command
from copepod.pins import on_pin

try:
    from camera import Camera, FrameSize, PixelFormat

    eye = Camera(pixel_format=PixelFormat.JPEG, frame_size=FrameSize.SVGA, jpeg_quality=85)  # pyright: ignore
except ImportError:
    eye = None


@on_command("photo", "what is there now")
async def photo(msg):
    if eye is None:
        return "I have no camera."
    # The frame buffer is sent as it is: nothing is copied, whatever its size.
    await msg.answer_photo(eye.capture(), "The **door**, now.")


@on_pin(13, "rising", debounce_ms=200)  # a PIR sensor
async def moves(value):
    if eye is not None and bot.owner:
        await bot.send(bot.owner, "Something **moves**.", photo=eye.capture())

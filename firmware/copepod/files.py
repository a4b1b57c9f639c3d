"""Files that people send: on_file, and messages that know theirs. Memory: kept in a bot that imports it.

from copepod.files import on_file

@on_file
async def take(msg):
    size_b = await msg.save("/photo.jpg", limit_b=200000)
    await msg.answer("%d bytes, %s" % (size_b, msg.file.mime))
"""

from copepod import registry
from copepod.received import Received

_LIMIT_B = 1000000  # of save(), unless it is told another one

_handlers: list = []  # as they stand at the beginning of registry.texts


class File:
    """What came: `id` is what Telegram calls it, `size` how many bytes it has.

    What Telegram does not say is None: the size, the MIME type, the name (a photo has none).
    """

    def __init__(self, id, name, mime, size):
        self.id = id
        self.name = name
        self.mime = mime
        self.size = size


class ReceivedFile(Received):
    """A message in a bot that imports this module."""

    file: "Any" = None  # a File, if one came with it

    def save(self, path, limit_b=_LIMIT_B):
        """Awaitable: stream the file that came (getFile) to `path`, by way of `path`.new. Gives its bytes.

        What is there already is replaced once all has come. ValueError when no file came, or more than `limit_b`
        bytes; OSError when there is no room, it can't be written, or Telegram does not give it (20 MB at most).
        """
        from copepod.telegram import download

        return download.save(self, path, limit_b)


def on_file(handler):
    """Register a handler for every message with a photo, document, voice, audio or video.

    A caption that is a command has that command's handler; each file of an album is a message of its own.
    """

    def take(msg):
        return False if msg.file is None else handler(msg)

    registry.texts.insert(len(_handlers), take)
    _handlers.append(take)
    return handler

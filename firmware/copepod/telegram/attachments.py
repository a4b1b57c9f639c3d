"""What a message without text is for a handler. Memory: loaded for one message, dropped after it."""

from micropython import const

_PHOTO = const(19)  # where the flags of photo, voice, … begin in the values of schema.py
_ANIMATION = const(24)
_DOCUMENT = const(106)  # nodes
_PHOTOS = const(104)
_BOT = b"bot.py"  # a str would be interned
_FILES = ("[image: photo]", "[voice]", "[audio]", "[video]", "[video]", "[animation]", "[file]")
# An attachment with something to say, by its node in the schema: the placeholder, and where in the
# reader's values the words are.
_THINGS = {
    115: ("[sticker: %s]", 36),
    108: ("[location: %s, %s]", 37, 38),
    107: ("[contact: %s %s]", 40, 39),
    # Files, where a bot asks for them: see files.py.
    104: ("[image: photo]",),
    72: ("[voice]",),
    105: ("[audio]",),
    73: ("[video]",),
    106: ("[file]",),
    111: ("[poll: %s]", 41),
    100: ("[dice: %s %s]", 42, 10),
}


def placeholder(thing, values):
    """The words for what is attached, None when nothing is; `thing`: the node that was seen, or 0."""
    if thing == _DOCUMENT and values[_ANIMATION]:
        return _FILES[5]
    if thing:
        found = _THINGS[thing]
        words = [values[slot] for slot in found[1:]]
        return found[0] % tuple(["" if word is None else word for word in words])
    for i in range(len(_FILES)):
        if values[_PHOTO + i]:
            return _FILES[i]
    return None


def keep_file(thing, msg, values):
    """Give `msg`, of a bot that asks for files, the one that came with it; of a photo that is its largest size."""
    from copepod import files

    # Telegram makes every photo a JPEG, and does not say so.
    mime = "image/jpeg" if thing == _PHOTOS else values[_PHOTO + 2]
    msg.file = files.File(values[_PHOTO], values[_PHOTO + 1], mime, values[_PHOTO + 3])


def keep(reader, msg, values):
    """Make `msg` the command "bot.py" if it is a document of this name in a private chat: see update.py."""
    if reader.thing != _DOCUMENT:
        return
    name = values[_PHOTO + 1]
    if name is not None and name.encode() == _BOT and msg.chat_type == "private":
        msg.command = name
        if not hasattr(msg, "file"):
            msg.file = values[_PHOTO]
    for known in (reader._known, reader._known_b):
        for slot in known:
            if _PHOTO <= slot <= _PHOTO + 1:
                known[slot] = None  # no other document is called so

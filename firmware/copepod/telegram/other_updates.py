"""What every update is that is no plain text in a private chat. Memory: loaded for one update, dropped after it.

Replies, attachments, commands, groups, edits, pressed buttons. A long text is looked at and changed in
the buffer in which it lies, so that none of this needs room for a second one.
"""

from micropython import const

from copepod.once import forget

# Places of the values of telegram/schema.py that nobody else needs.
_CALLBACK = const(11)
_DATA = const(12)
_SENDER_CHAT = const(14)
_ALBUM = const(15)
_CAPTION = const(18)
_FILE = const(19)
_REPLIED_TO = const(32)

_ALBUMS = const(8)  # albums that are remembered
_BEGINNING_B = const(960)
_HEAD_B = const(128)  # bytes that hold any command with the bot's name
_NAME_MAX = const(64)


def kind_of(reader, msg, values, private, quoted):
    """Fill the rest of `msg`; returns its kind, None for what no handler should see.

    `quoted`: the text replied to, as it is among the values. MemoryError when its own text, or what
    is made of it, has no room.
    """
    node = reader.node
    if node == 113:
        msg.callback_id = values[_CALLBACK]
        msg.text = values[_DATA] or ""
        return "callback"
    msg.sender_chat_id = values[_SENDER_CHAT]
    if quoted:
        msg.reply_text = _settled(reader, quoted)
    if msg.buffer is None and msg.text == "" and not _described(reader, msg, values):
        return None  # somebody joins or leaves, a pinned message, …
    if not _meant(reader, msg, values, private):
        return None
    if node == 77:
        msg.command = None  # what was asked once is not asked again by correcting it
        msg.args_at = 0
        return "edited"
    album = values[_ALBUM]
    if album is None or hasattr(msg, "file") or _first(reader.albums, album, msg.update_id):
        return "message"
    return None


def beginning(buffer):
    """The first 960 bytes of the text in `buffer`, a TextBuffer, and an ellipsis; None without memory."""
    data = buffer.data
    end = min(_BEGINNING_B, buffer.size_b)
    while end < buffer.size_b and data[end] & 0xC0 == 0x80:
        end -= 1
    try:
        return str(memoryview(data)[:end], "utf8") + "…"
    except MemoryError:
        return None


def _settled(reader, text):
    try:
        return reader.settled(text)
    except MemoryError:
        return beginning(reader.buffer)


def _described(reader, msg, values):
    # The caption and what it belongs to become the text; False when there is neither.
    from copepod.telegram import attachments

    mark = attachments.placeholder(reader.thing, values)
    caption = values[_CAPTION]
    if hasattr(msg, "file") and values[_FILE] is not None:
        attachments.keep_file(reader.thing, msg, values)
        if caption:
            mark = None  # its handler knows the file
    attachments.keep(reader, msg, values)
    forget("copepod.telegram.attachments")
    if type(caption) is not int:
        msg.text = caption + "\n" + mark if caption and mark else caption or mark or ""
        return mark is not None or caption is not None
    buffer = reader.buffer
    if mark is not None:
        words = ("\n" + mark).encode()
        end = caption + len(words)
        if end > len(buffer.data):
            msg.text = reader.settled(caption) + "\n" + mark
            return True
        buffer.data[caption:end] = words
        caption = end
    msg.buffer = buffer
    buffer.keep(msg, caption)
    return True


def _meant(reader, msg, values, private):
    # Whether the bot is spoken to; takes commands apart and its name out of the text.
    head = _head(msg)
    if head[:1] == b"/":
        if _command(msg, head, reader.at_name):
            return True
        if not private:
            return False  # another bot's
    if private or reader.mentioned or values[_REPLIED_TO] == (reader.bot_id or 0):
        return True
    return len(reader.at_name) > 1 and _named(reader.at_name, msg)


def _head(msg):
    if msg.buffer is not None:
        return bytes(memoryview(msg.buffer.data)[: min(msg.buffer.size_b, _HEAD_B)])
    return msg.text[:_HEAD_B].encode()


def _command(msg, head, at_name):
    # Note "/name@bot arguments"; False when it is no command, or another bot's.
    end = 1
    while end < len(head) and head[end] not in b" \n\t":
        end += 1
    name, at, bot = head[1:end].partition(b"@")
    if at and (at + bot).lower() != at_name.encode():
        return False
    for c in name:
        if not (48 <= c < 58 or 65 <= c < 91 or 97 <= c < 123 or c == 95):
            return False
    if not 0 < len(name) <= _NAME_MAX:
        return False
    msg.command = str(name, "utf8").lower()
    if end < len(head):
        msg.args_at = end
    return True


def _named(at_name, msg):
    from copepod.telegram import groups

    buffer = msg.buffer
    if buffer is not None:
        size_b = groups.without(at_name.encode(), buffer.data, buffer.size_b)
        if size_b is not None:
            buffer.keep(msg, size_b)
    else:
        data = bytearray(msg.text.encode())
        size_b = groups.without(at_name.encode(), data, len(data))
        if size_b is not None:
            msg.text = str(data[:size_b], "utf8")
    forget("copepod.telegram.groups")
    return size_b is not None


def _first(albums, album, update_id):
    # Whether this is the one of its album that is answered: the first, also when that comes again.
    for known, first_id in albums:
        if known == album:
            return first_id == update_id
    if len(albums) == _ALBUMS:
        albums.pop(0)
    albums.append((album, update_id))
    return True

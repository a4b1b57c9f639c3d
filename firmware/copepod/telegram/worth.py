"""Whether an edit, or a message in a group, is worth an answer. Memory: loaded for one, dropped after it."""

from copepod import registry


def answering(channel, msg):
    """False for an edit that nobody asked for or that changes nothing, and beyond a group's ceiling.

    What counts is made when it is first needed, and kept; without memory for it nothing is counted.
    """
    try:
        if registry.edits:
            if channel.edits is None:
                from copepod.telegram.edits import Edits

                channel.edits = Edits()
            if not channel.edits.news(msg):
                return False
        elif msg.kind == "edited":
            return False
        if msg.chat_type == "private":
            return True
        if channel.ceiling is None:
            from copepod.telegram.ceiling import Ceiling

            channel.ceiling = Ceiling()
        return channel.ceiling.admits(msg)
    except MemoryError:
        return True

"""Replaces what was said. Memory: loaded for one; what is called drops it."""

from copepod.once import forget


def edit(gateway, chat_id, thread_id, message_id, markdown, buttons):
    """Awaitable: replace a message's text and buttons; see Sent.edit."""
    forget("copepod.editing")
    if message_id is None:
        raise RuntimeError("nothing was sent that could be edited")
    markup = None
    if buttons:
        from copepod import keyboard

        markup = keyboard.markup(buttons)
        del keyboard  # before the next one is loaded
    from copepod import special

    return special.send(gateway, chat_id, markdown, None, thread_id, markup, message_id)


def edit_of(msg, markdown, buttons):
    """Awaitable: replace what Received.edit means."""
    forget("copepod.editing")
    if msg.callback_id is not None:
        return edit(msg.gateway, msg.chat_id, msg.thread_id, msg.message_id, markdown, buttons)
    if msg.sent is None:
        raise RuntimeError("nothing was answered that could be edited")
    return msg.sent.edit(markdown, buttons)

"""The tool message. Memory: dropped after use."""

from copepod.once import forget


async def run(gateway, content: str, to_owner: bool = False):
    """Send a text at once, before your answer: to this chat, or to the board's owner.

    content: the text, in Markdown
    to_owner: true for the owner in place of this chat
    """
    if type(content) is not str or not content.strip():
        raise ValueError("content: a text")
    if type(to_owner) is not bool:
        raise ValueError("to_owner: true or false")
    msg = gateway.worker.msg
    chat_id = msg.chat_id
    thread_id = msg.thread_id
    if to_owner:
        if not gateway.access.ids:
            raise ValueError("nobody is the owner: allow_from has no id")
        chat_id = gateway.access.ids[0]
        thread_id = None
    from copepod import answers

    await answers.send(gateway, chat_id, content, None, thread_id)
    forget("copepod.answers")
    return "sent"

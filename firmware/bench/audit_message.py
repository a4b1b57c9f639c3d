"""One message: a metadata dict with the study's seven keys against fields. Memory: per row."""

# pyright: reportAttributeAccessIssue=false

from copepod.messages import InboundMessage

_TEXT = "The tide turns at six."


class _Message:
    pass


def with_dict():
    """A message with the seven keys as strings in a dict, as the audited code has it."""
    message = _Message()
    message.channel = "telegram"
    message.sender_id = str(123456789)
    message.chat_id = str(123456789)
    message.content = _TEXT
    message.metadata = {
        "message_id": str(41),
        "user_id": str(123456789),
        "username": "tidepool",
        "first_name": "Ada",
        "is_group": "false",
        "peer_kind": "direct",
        "peer_id": str(123456789),
    }
    return message


def with_fields():
    """Copepod: the same facts in the fields that every message has."""
    message = InboundMessage()
    message.update_id = message.message_id = 41
    message.sender_id = message.chat_id = 123456789
    message.username = "tidepool"
    message.first_name = "Ada"
    message.text = _TEXT
    return message


ROWS = (("metadata dict of seven keys", with_dict), ("fields: InboundMessage", with_fields))

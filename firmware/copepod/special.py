"""An answer with buttons, or one that replaces another. Memory: loaded for one; what is called drops it."""

from copepod import answers
from copepod.once import forget
from copepod.telegram.methods import PLAIN

_MARKUP_B = 256  # of the buttons' JSON that are written at once


async def send(gateway, chat_id, markdown, reply_to, thread_id, markup, edits=None, msg=None):
    """Send `markdown` with the buttons `markup` (see keyboard.py) below the last piece; a Sent, or AnswerRefused.

    `edits`: the id of a message that the first piece replaces.
    """
    forget("copepod.special")
    sent = Special(gateway)
    sent.edits = edits
    sent.markup = markup
    await answers.send(gateway, chat_id, markdown, reply_to, thread_id, None, None, sent)
    if sent.markup is not None and not sent.last and sent.message_id is not None:
        # The last piece did not look like it: what came after it shows nothing. They are added to it, by a
        # message whose text is not written.
        await answers.send(gateway, sent.chat_id, "x", None, None, None, None, Buttons(sent))
    plain = answers.Sent(gateway)  # which knows no more than it has to
    plain.chat_id = sent.chat_id
    plain.thread_id = thread_id
    plain.message_id = sent.message_id
    if msg is not None:
        msg.sent = plain
    return plain


class Special(answers.Sent):
    """A Sent that knows what its requests have besides the text."""

    edits: "int | None" = None  # the message that the first piece replaces
    markup: "bytes | None" = None  # the buttons as JSON
    last = False  # the piece in hand has them

    def write(self, call, box) -> bool:
        """Write the buttons, if it is the last piece; all of the request, if it is an edit."""
        state = box.formatter.state
        editing = self.edits is not None and self.message_id is None and not box.pieces
        if editing:
            begin(call, b"editMessageText", box.message.chat_id, self.edits)
        self.last = state.finished and state.cut == state.held
        if self.last and self.markup is not None:
            write_markup(call, self.markup)
        if not editing:
            return False
        call.text(b',"link_preview_options":{"is_disabled":true},"text":"')
        if box.form == PLAIN:
            box.formatter.write_plain(call.run)
            call.text(b'"}')
        else:
            box.formatter.write(call.run)
            call.text(b'","parse_mode":"HTML"}')
        return True


class Buttons(answers.Sent):
    """The buttons alone, below what was sent."""

    def __init__(self, sent):
        super().__init__(sent.gateway)
        self.edits = sent.message_id
        self._markup = sent.markup

    def write(self, call, box) -> bool:
        """Write all of the request."""
        begin(call, b"editMessageReplyMarkup", box.message.chat_id, self.edits)
        write_markup(call, self._markup)
        call.text(b"}")
        return True


def begin(call, name, chat_id, message_id):
    """Begin the request anew, as a call of another method: an edit, which is sent as any answer is."""
    call.http.begin(call.path, name)
    call.text(b'{"chat_id":')
    call.number(chat_id)
    call.text(b',"message_id":')
    call.number(message_id)


def write_markup(call, markup):
    """Write the buttons."""
    call.text(b',"reply_markup":')
    view = memoryview(markup)
    for at in range(0, len(view), _MARKUP_B):
        call.text(view[at : at + _MARKUP_B])

"""A message as handlers get it: what they may ask it and say to it. Memory: loaded with a bot.py that has some."""

from copepod.messages import InboundMessage


class Received(InboundMessage):
    """What UpdateReader makes where there are handlers. A pressed button is one, too: its `text` is its data."""

    for_handlers = True
    sent: "Any" = None  # the last answer to it
    # Of a pressed button, see telegram/presses.py:
    notice_text: "str | None" = None  # what its answer says, None while that is open
    handled = False  # its handler has ended, or there is none
    pressed_ms: "int | None" = None  # when it was taken

    @property
    def args(self):
        """What follows the command, "on" of "/led on", or a button's prefix. Made when it is asked for."""
        return self.text[self.args_at :].strip() if self.args_at else ""

    @property
    def data(self):
        """The data of the button that was pressed; None of a message."""
        return self.text if self.kind == "callback" else None

    def answer(self, markdown, buttons=None):
        """Awaitable: send Markdown to the chat of this message, as a reply; over once Telegram has accepted it.

        `markdown`: a str, or an iterable or async iterable of str that may still be being written.
        `buttons`: rows of "label", ("label", "data") or ("label", "https://..."), below the last piece; ValueError.
        Gives a Sent. AnswerRefused when Telegram refuses it for good (the bot was blocked, the chat is gone).
        """
        from copepod import answers

        return answers.send(
            self.gateway, self.chat_id, markdown, self.message_id, self.thread_id, buttons, self
        )

    def answer_photo(self, *what, **named):
        """Awaitable: (source, caption=None) sends a picture to this chat, as a reply, with a caption in Markdown.

        Gives a Sent. `source`: a path, bytes, or an object with readinto() whose bytes are known (`size`, len(),
        seek()), of 10 MB at most. See telegram/upload.py. OSError and ValueError when it can't be read; AnswerRefused.
        """
        from copepod.telegram import upload

        return upload.answer(self, True, *what, **named)

    def answer_document(self, *what, **named):
        """Awaitable: (source, caption=None, name=None) sends a file of 50 MB at most in the same way.

        It is called `name` there, or as its path is.
        """
        from copepod.telegram import upload

        return upload.answer(self, False, *what, **named)

    def edit(self, markdown, buttons=None):
        """Awaitable: replace the message that carries the pressed button, or else the last answer to this message.

        Without `buttons` it loses those it has. RuntimeError when there is none. See Sent.edit.
        """
        from copepod import editing

        return editing.edit_of(self, markdown, buttons)

    def ask(self, question, buttons=None, timeout_s=120):
        """Awaitable: answer with `question` and wait for the next message, or press, of this person in this chat.

        Gives that message, which no handler gets; None when there is none in `timeout_s`, a day at most.
        RuntimeError when eight are being asked. See asking.py.
        """
        from copepod import asking

        return asking.ask(self, question, buttons, timeout_s)

    def notice(self, text):
        """Have Telegram show `text` for a moment to who has pressed the button; ValueError beyond 200 characters.

        False when it is too late, or this is no press.
        """
        from copepod.telegram import presses

        return presses.notice(self, text)

"""The bot, for whoever has no message at hand: a task, a timer, a pin. Memory: one object, where it is used."""

from copepod import registry


class Bot:
    """`from copepod.bot import bot`; a handler has the same in its message."""

    @property
    def state(self):
        """A small dict that is kept on flash, read when it is first asked for: see state.py."""
        if registry.state is None:
            from copepod import state

            registry.state = state.opened()
        return registry.state

    @property
    def owner(self):
        """The id of the first person in allow_from, or of the one who has paired; None when there is none."""
        gateway = registry.gateway
        return gateway.access.ids[0] if gateway is not None and gateway.access.ids else None

    def send(self, chat_id, markdown, buttons=None, durable=False, **file):
        """Awaitable: send Markdown to a chat; see Received.answer for what it may be, and what it gives and raises.

        It takes its turn in a queue that is bounded, and waits where that is full and while the network is away.
        `durable`: a str that is kept on flash until it is accepted, through a restart, too; see durable.py.
        `photo=` or `document=` (and `name=`) sends a file, which `markdown` is the caption of, or None: see
        Received.answer_photo.
        RuntimeError before the gateway is there: bot.py is loaded before, so begin with @on_start.
        """
        gateway = registry.gateway
        if gateway is None:
            raise RuntimeError("the gateway is not there yet: see on_start")
        if not isinstance(chat_id, int):
            raise TypeError("chat_id: an int, not %r" % (chat_id,))
        if file:
            from copepod.telegram import upload

            return upload.send(gateway, chat_id, markdown, **file)
        if durable:
            from copepod import durable as kept

            return kept.send(gateway, chat_id, markdown, buttons)
        from copepod import answers

        return answers.send(gateway, chat_id, markdown, None, None, buttons)


bot = Bot()

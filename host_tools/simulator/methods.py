"""The Bot API's methods, as far as a small bot uses them, with the server's error texts."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from host_tools.simulator.bot import MAX_LIMIT, MAX_TIMEOUT_S, Chats, Draft, Queue, Rejected, Sent
from host_tools.simulator.files import (
    MAX_DOWNLOAD_B,
    MAX_PHOTO_B,
    MAX_UPLOAD_B,
    Attached,
    Files,
)
from host_tools.simulator.http import Response, failure, ok
from host_tools.simulator.limits import Limits
from host_tools.simulator.markup import BadMarkup, check
from host_tools.simulator.params import Refused, bad, flag, number, object_of
from host_tools.simulator.updates import Json, chat

CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
WEBHOOK_CONFLICT = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
MAX_NOTICE = 200  # characters of answerCallbackQuery's text
ACTIONS = frozenset(
    [
        "typing",
        "choose_sticker",
        "find_location",
        *(f"upload_{what}" for what in ("photo", "video", "voice", "document", "video_note")),
        *(f"record_{what}" for what in ("video", "voice", "video_note")),
    ]
)

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Methods:
    """One bot's methods over its queue and its chats. Runs in the server's loop."""

    def __init__(self, bot: Json, queue: Queue, chats: Chats) -> None:
        self.bot = bot
        self.queue = queue
        self.chats = chats
        self.sent: list[Sent] = []
        self.rejected: list[Rejected] = []
        self.actions: list[tuple[int, str, float]] = []
        self.drafts: list[Draft] = []
        self.answered_callbacks: list[str] = []
        self.notices: list[tuple[str, str]] = []  # the same, and what was shown
        self.commands: list[Json] = []
        self.limits: Limits | None = None
        self.rich = False  # is sendRichMessage known?
        self.knows_drafts = True  # is sendMessageDraft?
        self.webhook = ""
        self.on_sent: Callable[[Sent], None] | None = None
        self.on_confirmed: Callable[[], None] | None = None  # a poll has told its offset
        self.files = Files()
        self._poll: asyncio.Future[str] | None = None
        self._table: dict[str, Callable[[Json], Awaitable[Any]]] = {
            name[3:].lower(): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    async def call(self, method: str, params: Json) -> Response:
        """Run one method; errors come back as the server words them."""
        run = self._table.get(method.lower())
        if run is None or self._unknown(method.lower()):
            return failure(404, "Not Found: method not found")
        try:
            result = await run(params)
            if run == self.do_getUpdates:
                return Response(200, b"", updates=result)
            return ok(result)
        except Refused as refused:
            if method.lower().startswith(("send", "edit")):
                description = json.loads(refused.response.body)["description"]
                self.rejected.append(Rejected(method, description, params, time.time()))
            return refused.response

    def _unknown(self, method: str) -> bool:
        rich = method == "sendrichmessage" and not self.rich
        return rich or (method == "sendmessagedraft" and not self.knows_drafts)

    # --- getting updates

    def wake(self) -> None:
        """Updates have arrived: let a waiting poll look."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result("updates")

    async def do_getUpdates(self, params: Json) -> Any:
        if self.webhook:
            raise Refused(409, WEBHOOK_CONFLICT)
        offset = number(params, "offset", 0)
        limit = min(max(number(params, "limit", MAX_LIMIT), 1), MAX_LIMIT)
        timeout = min(max(number(params, "timeout", 0), 0), MAX_TIMEOUT_S)
        self._allow(params)
        timeout = self.queue.effective_timeout(offset, timeout)
        start = self.queue.start(offset)
        deadline = time.monotonic() + timeout
        chosen = self.queue.get(start, limit)
        if self.on_confirmed:
            self.on_confirmed()
        while not chosen and timeout:
            if self._poll is not None and not self._poll.done():
                self._poll.set_result("conflict")
            poll = self._poll = asyncio.get_running_loop().create_future()
            try:
                why = await asyncio.wait_for(poll, max(0, deadline - time.monotonic()))
            except TimeoutError:
                break
            finally:
                if self._poll is poll:
                    self._poll = None
            if why == "conflict":
                raise Refused(409, CONFLICT)
            chosen = self.queue.get(start, limit)
        return chosen

    def _allow(self, params: Json) -> None:
        wanted = object_of(params, "allowed_updates")
        if not isinstance(wanted, list):
            return  # as before
        names = {str(name).lower() for name in wanted}
        self.queue.allowed = names or None

    # --- sending

    async def do_sendMessage(self, params: Json) -> Any:
        return self._send(params, self._judge(params))

    async def do_sendPhoto(self, params: Json) -> Any:
        return self._send_file(params, "photo", MAX_PHOTO_B)

    async def do_sendDocument(self, params: Json) -> Any:
        return self._send_file(params, "document", MAX_UPLOAD_B)

    def _send_file(self, params: Json, kind: str, most_b: int) -> Any:
        file = params.get(kind)
        if isinstance(file, str) and file in self.files:  # what the server has already
            file = self.files[file].file
        if isinstance(file, str) and file:
            raise bad("wrong remote file identifier specified: Wrong padding in the string")
        if not isinstance(file, Attached):
            raise bad(f"there is no {kind} in the request")
        if not file.data:
            raise bad("file must be non-empty")
        if file.size > MAX_UPLOAD_B:
            raise Refused(413, "Request Entity Too Large")
        if file.size > most_b:
            raise bad(
                f"file of size {file.size} bytes is too big for a photo; "
                f"the maximum size is {MAX_PHOTO_B} bytes"
            )
        captioned = params | {"text": params.get("caption", "")}
        verdict = self._judge(captioned, caption=True)
        if kind == "photo" and not file.is_picture():
            raise bad("IMAGE_PROCESS_FAILED")
        return self._send(captioned, verdict, file, kind)

    def _send(
        self, params: Json, verdict: Any, file: Attached | None = None, kind: str = "text"
    ) -> Any:
        chat_id = self._chat(params)
        reply_to = self._reply(params, chat_id)
        thread_id = self._thread(params, chat_id)
        preview = object_of(params, "link_preview_options")
        markup = self._markup(params)
        self._flood(chat_id)
        sent = Sent(
            chat_id=chat_id,
            text=verdict.text,
            entities=verdict.entities,
            html=str(params["text"]),
            message_id=self.chats.new_message_id(chat_id),
            reply_to=reply_to,
            at=time.time(),
            parse_mode=params.get("parse_mode"),
            thread_id=thread_id,
            preview_disabled=isinstance(preview, dict) and flag(preview.get("is_disabled")),
            dropped=verdict.dropped,
            markup=markup,
            file=file,
            kind=kind,
        )
        self.chats.from_bot[chat_id, sent.message_id] = sent
        self.sent.append(sent)
        if self.on_sent:
            self.on_sent(sent)
        return self.as_message(sent)

    async def do_sendRichMessage(self, params: Json) -> Any:
        rich = object_of(params, "rich_message")
        text = rich.get("markdown") or rich.get("html") if isinstance(rich, dict) else None
        if not text:
            raise bad("rich message must be non-empty")
        plain = {k: v for k, v in params.items() if k != "rich_message"}
        plain |= {"text": text, "parse_mode": None}
        return self._send(plain, self._judge(plain, rich=True))

    async def do_editMessageText(self, params: Json) -> Any:
        verdict = self._judge(params)
        chat_id = self._chat(params)
        sent = self._own(params, chat_id)
        if sent.file is not None:
            raise bad("there is no text in the message to edit")
        markup = self._markup(params)  # without one the message loses its own
        if (sent.text, sent.entities, sent.markup) == (verdict.text, verdict.entities, markup):
            raise bad(NOT_MODIFIED)
        self._flood(chat_id)
        sent.text, sent.entities, sent.html = verdict.text, verdict.entities, str(params["text"])
        return self._edited(sent, markup)

    async def do_editMessageReplyMarkup(self, params: Json) -> Any:
        chat_id = self._chat(params)
        sent = self._own(params, chat_id)
        markup = self._markup(params)
        if sent.markup == markup:
            raise bad(NOT_MODIFIED)
        self._flood(chat_id)
        return self._edited(sent, markup)

    def _edited(self, sent: Sent, markup: Json | None) -> Json:
        sent.markup = markup
        sent.edits += 1
        if self.on_sent:
            self.on_sent(sent)
        return self.as_message(sent) | {"edit_date": int(time.time())}

    def _own(self, params: Json, chat_id: int) -> Sent:
        """The bot's message that is to be edited."""
        message_id = number(params, "message_id", 0)
        sent = self.chats.from_bot.get((chat_id, message_id))
        if sent is None:
            known = self.chats.has(chat_id, message_id)
            raise bad("message can't be edited" if known else "message to edit not found")
        return sent

    async def do_deleteMessage(self, params: Json) -> Any:
        chat_id = self._chat(params)
        if self.chats.from_bot.pop((chat_id, number(params, "message_id", 0)), None) is None:
            raise bad("message to delete not found")
        return True

    async def do_sendChatAction(self, params: Json) -> Any:
        chat_id = self._chat(params)
        action = str(params.get("action", "")).lower()
        if action not in ACTIONS:
            raise bad("wrong parameter action in request")
        self.actions.append((chat_id, action, time.time()))
        return True

    async def do_sendMessageDraft(self, params: Json) -> Any:
        """A preview for 30 s, in a private chat, for the one draft_id; an empty text shows "Thinking…"."""
        text = str(params.get("text") or "")
        verdict = self._judge(params) if text else None
        chat_id = self._chat(params)
        if chat_id < 0:
            raise bad("TEXTDRAFT_PEER_INVALID")
        self._thread(params, chat_id)
        draft_id = number(params, "draft_id", 0)
        if not draft_id:
            raise bad("RANDOM_ID_INVALID")  # documented as an error, in whatever words
        self._flood(chat_id)
        shown = verdict.text if verdict else ""
        self.drafts.append(Draft(chat_id, draft_id, shown, time.time()))
        return True

    async def do_answerCallbackQuery(self, params: Json) -> Any:
        query_id = str(params.get("callback_query_id", ""))
        if query_id not in self.chats.callbacks:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        text = str(params.get("text") or "")
        if len(text) > MAX_NOTICE:
            raise bad("MESSAGE_TOO_LONG")
        self.chats.callbacks.discard(query_id)
        self.answered_callbacks.append(query_id)
        self.notices.append((query_id, text))
        return True

    # --- the bot itself

    async def do_getMe(self, params: Json) -> Any:
        return self.bot

    async def do_setMyCommands(self, params: Json) -> Any:
        commands = object_of(params, "commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise bad("can't parse commands list JSON object")
        for command in commands:
            name, text = str(command.get("command", "")), str(command.get("description", ""))
            if not _COMMAND.fullmatch(name.removeprefix("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(text) <= 256:
                raise bad("command description must be non-empty")
        self.commands = commands
        return True

    async def do_getMyCommands(self, params: Json) -> Any:
        return self.commands

    async def do_deleteWebhook(self, params: Json) -> Any:
        self.webhook = ""
        if flag(params.get("drop_pending_updates")):
            self.queue.get(self.queue.next_id, 1)
        return True

    async def do_setWebhook(self, params: Json) -> Any:
        self.webhook = str(params.get("url", ""))
        return True

    async def do_getWebhookInfo(self, params: Json) -> Any:
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.queue),
        }

    async def do_getFile(self, params: Json) -> Any:
        file_id = str(params.get("file_id") or "")
        if not file_id:
            raise bad("file_id not specified")
        if file_id not in self.files:
            raise bad("wrong file_id or the file is temporarily unavailable")
        kept = self.files[file_id]
        if kept.file.size > MAX_DOWNLOAD_B:
            raise bad("file is too big")
        self.files.told.add(kept.path)
        return {
            "file_id": file_id,
            "file_unique_id": kept.unique_id,
            "file_size": kept.file.size,
            "file_path": kept.path,
        }

    async def do_getChat(self, params: Json) -> Any:
        return chat(self._chat(params))

    # --- what the methods share

    def _markup(self, params: Json) -> Json | None:
        try:
            return check(object_of(params, "reply_markup"))
        except BadMarkup as error:
            raise bad(str(error)) from None

    def _judge(self, params: Json, *, rich: bool = False, caption: bool = False) -> Any:
        from host_tools.simulator.judge import judge  # loads TDLib, which takes half a second

        text, mode = str(params.get("text", "")), params.get("parse_mode") or None
        verdict = judge(text, mode, rich=rich, caption=caption)
        if not verdict.ok:
            raise Refused(400, verdict.error or "Bad Request")
        given = object_of(params, "entities")
        if given and not params.get("parse_mode"):
            verdict.entities = given
        return verdict

    def _chat(self, params: Json) -> int:
        if params.get("chat_id") in (None, ""):
            raise bad("chat_id is empty")
        chat_id = number(params, "chat_id", 0)
        if chat_id in self.chats.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id not in self.chats.known:
            raise bad("chat not found")
        return chat_id

    def _reply(self, params: Json, chat_id: int) -> int | None:
        reply = object_of(params, "reply_parameters")
        if reply is None:
            if "reply_to_message_id" not in params:
                return None
            reply = {
                "message_id": params["reply_to_message_id"],
                "allow_sending_without_reply": params.get("allow_sending_without_reply"),
            }
        if not isinstance(reply, dict):
            raise bad("object expected as reply parameters")
        message_id = number(reply, "message_id", 0)
        if self.chats.has(chat_id, message_id):
            return message_id
        if flag(reply.get("allow_sending_without_reply")):
            return None
        raise bad("message to be replied not found")

    def _thread(self, params: Json, chat_id: int) -> int | None:
        thread_id = number(params, "message_thread_id", 0)
        if not thread_id:
            return None
        if thread_id not in self.chats.threads.get(chat_id, ()):
            raise bad("message thread not found")
        return thread_id

    def _flood(self, chat_id: int) -> None:
        wait = self.limits.wait_s(chat_id) if self.limits else 0
        if wait:
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    def as_message(self, sent: Sent) -> Json:
        """The message as the server tells it."""
        made: Json = {
            "message_id": sent.message_id,
            "from": {k: self.bot[k] for k in ("id", "is_bot", "first_name", "username")},
            "chat": chat(sent.chat_id),
            "date": int(sent.at),
        }
        if sent.thread_id:
            made |= {"message_thread_id": sent.thread_id, "is_topic_message": True}
        if sent.reply_to:
            original = {"message_id": sent.reply_to, "chat": chat(sent.chat_id), "date": 0}
            made["reply_to_message"] = original
        if sent.file is not None:
            made |= self.files.described(sent.file, sent.kind)
            made |= {"caption": sent.text} if sent.text else {}
            return made | ({"caption_entities": sent.entities} if sent.entities else {})
        made["text"] = sent.text
        if isinstance(sent.markup, dict) and "inline_keyboard" in sent.markup:
            made["reply_markup"] = sent.markup
        return made | ({"entities": sent.entities} if sent.entities else {})

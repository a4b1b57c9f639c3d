"""State of one bot on the server: its update queue, the chats it knows, the messages in them.

The queue follows the server's rules: an update is confirmed by a later getUpdates whose offset is
higher than its id, a negative offset counts from the end and forgets what lies before, a second
long poll ends the first with 409.
"""

from __future__ import annotations

import itertools
import secrets
import string
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from host_tools.simulator.files import Attached
from host_tools.simulator.markup import find
from host_tools.simulator.updates import Json

MAX_LIMIT = 100
MAX_TIMEOUT_S = 50
MAX_ANSWER_B = 1 << 22  # one answer of getUpdates holds no more
FUTURE = 10  # an offset further than this beyond the last id counts as none

# Kinds of update that a bot gets only when it asks for them by name.
ON_REQUEST = frozenset(["chat_member", "message_reaction", "message_reaction_count"])


def new_token() -> str:
    """A token of the right form: bot id, colon, 35 characters."""
    letters = string.ascii_letters + string.digits
    return "123456789:" + "AA" + "".join(secrets.choice(letters) for _ in range(33))


@dataclass
class Update:
    """One queued update as it will be sent."""

    id: int
    kind: str  # "message", "callback_query", …
    raw: bytes
    pushed_at: float


@dataclass
class Sent:
    """A message that the bot sent and the server accepted."""

    chat_id: int
    text: str  # after parsing: what a reader sees
    entities: list[Json]
    html: str  # `text` as the bot wrote it
    message_id: int
    reply_to: int | None
    at: float
    parse_mode: str | None = None
    thread_id: int | None = None
    preview_disabled: bool = False
    dropped: list[Json] = field(default_factory=list)  # formatting the server left out
    edits: int = 0
    markup: Any = None
    file: Attached | None = None  # `text` is its caption
    kind: str = "text"  # "photo", "document"


@dataclass
class Draft:
    """A preview of what the bot is writing, as it was shown at a time."""

    chat_id: int
    draft_id: int
    text: str
    at: float


@dataclass
class Rejected:
    """A message that the server refused, and why."""

    method: str
    description: str
    params: Json
    at: float


class Queue:
    """Updates that wait for the bot. Thread-safe; waiting for them is the server's part."""

    def __init__(self, first_id: int) -> None:
        self.lock = threading.RLock()
        self.next_id = first_id
        self.confirmed = 0  # highest update id ever confirmed
        self.allowed: set[str] | None = None
        self.filtered = 0  # updates not queued because of allowed_updates
        self._waiting: OrderedDict[int, Update] = OrderedDict()
        self._confirmed_last: list[Update] = []
        self._previous_offset: int | None = None
        self._previous_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def take_id(self) -> int:
        with self.lock:
            number = self.next_id
            self.next_id += 1
            return number

    def put(self, update: Update) -> bool:
        """Queue it, unless the bot said that it does not want this kind."""
        with self.lock:
            if update.kind not in self.allowed if self.allowed else update.kind in ON_REQUEST:
                self.filtered += 1
                return False
            self._waiting[update.id] = update
            return True

    def effective_timeout(self, offset: int, timeout: int) -> int:
        """The same offset again within 3 s and a short timeout: the server waits 3 s instead."""
        now = time.monotonic()
        if offset == self._previous_offset and timeout < 3 and now < self._previous_at + 3:
            timeout = 3
        self._previous_offset = offset
        self._previous_at = now
        return timeout

    def forget_pace(self) -> None:
        """The bot that polls next is a new one: the server's three seconds would only be waited for."""
        self._previous_offset = None

    def start(self, offset: int) -> int:
        """The id from which an offset asks for updates."""
        with self.lock:
            first = next(
                iter(self._waiting), 0
            )  # not next_id: an update may have its id and not be here yet
            if offset < 0:
                offset += self.next_id
            if offset > self.next_id + FUTURE:
                return first
            return max(offset, first)

    def get(self, start: int, limit: int) -> list[Update]:
        """Confirm everything below `start` and return what is there from it on."""
        with self.lock:
            gone = list(itertools.takewhile(lambda key: key < start, self._waiting))
            if gone:
                self._confirmed_last = [self._waiting.pop(key) for key in gone][-MAX_LIMIT:]
                self.confirmed = max(self.confirmed, gone[-1])
            chosen: list[Update] = []
            room = MAX_ANSWER_B
            for update in self._waiting.values():
                room -= 50 + len(update.raw)
                if len(chosen) >= limit or (room <= 0 and chosen):
                    break
                chosen.append(update)
            return chosen

    def confirmed_before(self, count: int) -> list[Update]:
        """The updates confirmed last, for the fault that repeats them."""
        with self.lock:
            return self._confirmed_last[-count:]

    def pending(self) -> list[int]:
        with self.lock:
            return list(self._waiting)


class Chats:
    """Chats, message ids, and what was said by the bot."""

    def __init__(self) -> None:
        self.known: set[int] = set()
        self.threads: dict[int, set[int]] = {}
        self.blocked: set[int] = set()
        self.callbacks: set[str] = set()
        self.from_bot: dict[tuple[int, int], Sent] = {}
        self._ids: dict[int, set[int]] = {}
        self._next: dict[int, int] = {}
        self._queries = 0

    def new_message_id(self, chat_id: int) -> int:
        """Private chats share one sequence; a supergroup has its own."""
        sequence = 0 if chat_id > 0 else chat_id
        number = self._next.get(sequence, 1)
        self._next[sequence] = number + 1
        self.note(chat_id, number)
        return number

    def new_query_id(self) -> str:
        """Somebody has pressed a button, and waits for its answer."""
        self._queries += 1
        query_id = str(4_382_000_000_000_000_000 + self._queries)
        self.callbacks.add(query_id)
        return query_id

    def button(self, what: str, chat_id: int) -> tuple[Sent, str]:
        """The newest message with a button of this label or data, and its data; ValueError if there is none."""
        for sent in reversed(self.from_bot.values()):
            found = find(sent.markup, what) if sent.chat_id == chat_id else None
            if found:
                return sent, found["callback_data"]
        raise ValueError(f"no button {what!r} in chat {chat_id}")

    def note(self, chat_id: int, message_id: int, thread_id: int | None = None) -> None:
        """This message exists in this chat."""
        self.known.add(chat_id)
        self._ids.setdefault(chat_id, set()).add(message_id)
        if thread_id is not None:
            self.threads.setdefault(chat_id, set()).add(thread_id)

    def has(self, chat_id: int, message_id: int) -> bool:
        return message_id in self._ids.get(chat_id, ())

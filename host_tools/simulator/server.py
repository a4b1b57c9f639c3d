"""The Bot API simulator: a server in a thread, and the handle by which tests push and look."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from host_tools.simulator import updates as make
from host_tools.simulator.bot import Chats, Queue, Rejected, Sent, Update, new_token
from host_tools.simulator.certs import DEFAULT_CHAIN, NAMES, Authority
from host_tools.simulator.connection import Call, Connection, Protocol, Session, recorder
from host_tools.simulator.faults import Fault, Faults
from host_tools.simulator.files import Attached, mime_of
from host_tools.simulator.limits import Limits
from host_tools.simulator.methods import Methods
from host_tools.simulator.updates import USER, Json

BOT_USERNAME = "copepod_bot"


class Simulator:
    """`with Simulator() as sim:` runs a Bot API server until the block ends.

    `host` is the address to listen on, `names` are host names for the certificate beside
    localhost, `tls=False` serves plain HTTP, `token` defaults to a fresh one, `first_update_id`
    is the id of the first update. `chain` is the form of the certificates, one of certs.CHAINS;
    the authority's key is kept in `ca`, else in the user's cache.
    """

    def __init__(
        self,
        *,
        tls: bool = True,
        token: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        names: Sequence[str] = (),
        first_update_id: int = 100_000_001,
        limits: Limits | None = None,
        chain: str = DEFAULT_CHAIN,
        ca: Path | None = None,
    ) -> None:
        self.tls = tls
        self.token = token or new_token()
        self.host = host
        self.port = port
        every_name = dict.fromkeys((*NAMES, *names, *(() if _is_any(host) else (host,))))
        self.authority = Authority(tuple(every_name), chain, ca) if tls else None
        self.faults = Faults()
        self.queue = Queue(first_update_id)
        self.chats = Chats()
        bot = {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Copepod",
            "username": BOT_USERNAME,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.methods = Methods(bot, self.queue, self.chats)
        self.methods.limits = limits
        self.methods.on_confirmed = self.changed
        self.calls: list[Call] = []
        self.connections: list[Connection] = []
        self.hellos = 0  # TLS handshakes begun
        self.handshakes = 0  # TLS handshakes completed
        self.tls_errors: list[str] = []
        self.protocol_errors: list[str] = []  # where the client broke HTTP
        self.delivered: dict[int, float] = {}  # update id -> first time in an answer
        self._condition = threading.Condition(threading.RLock())
        self._sessions: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._accepting = asyncio.Event()
        self._reserved: socket.socket | None = None
        self._thread: threading.Thread | None = None

    # --- where it is

    @property
    def base_url(self) -> str:
        """The URL for a client on this machine."""
        return self.url_for("localhost")

    def url_for(self, host: str) -> str:
        """The URL for a client that knows this machine as `host`."""
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def ca_der(self) -> bytes:
        """The authority's certificate in DER, the only thing that a client needs to trust."""
        if self.authority is None:
            raise ValueError("without TLS there is no certificate")
        return self.authority.der

    # --- what happened

    @property
    def sent(self) -> list[Sent]:
        """Messages that the bot sent and the server accepted, in order."""
        return self.methods.sent

    @property
    def rejected(self) -> list[Rejected]:
        """Messages that the server refused by itself (faults are not among them)."""
        return self.methods.rejected

    @property
    def confirmed(self) -> int:
        """The highest update id that the bot has acknowledged."""
        return self.queue.confirmed

    def calls_of(self, method: str) -> list[Call]:
        """The calls of one method, whatever the letter case."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    def wait(self, predicate: Callable[[], Any], timeout: float = 10.0) -> bool:
        """Wait until `predicate()` is true; it is asked again whenever something changes."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not predicate():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(min(left, 0.25))
        return True

    # --- what Telegram's users do

    def push_text(
        self,
        text: str,
        *,
        user: int | Json = USER,
        chat: int | Json | None = None,
        kind: str = "message",
        pad: int = 0,
        pad_at: str = "after",
        order: str = "chat-first",
        id_last: bool = False,
        ascii_: bool = True,
        **fields: Any,
    ) -> int:
        """Somebody sends a text; returns the update's id.

        `pad` blows the update up to about that many bytes, placed by `pad_at` and `order`;
        `id_last` puts update_id last; `ascii_` False sends raw UTF-8; `fields` join the message.
        """
        content = self._message(user, chat, make.text_fields(text) | fields)
        body: Json | bytes = {kind: content}
        if pad:
            body = make.pad({kind: content}, pad, pad_at, order)
        return self._queue(kind, body, id_last=id_last, ascii_=ascii_)

    def push_media(
        self, kind: str, *, user: int | Json = USER, chat: int | Json | None = None, **fields: Any
    ) -> int:
        """Somebody sends what is no text: a key of updates.MEDIA."""
        content = self._message(user, chat, make.MEDIA[kind] | fields)
        return self._queue("message", {"message": content})

    def push_file(
        self,
        data: bytes,
        name: str = "notes.txt",
        *,
        kind: str = "document",
        mime: str | None = None,
        user: int | Json = USER,
        chat: int | Json | None = None,
        **fields: Any,
    ) -> int:
        """Somebody sends a file of these bytes, which getFile then knows: `kind` is a key of Files.FOLDERS."""
        file = Attached(name, data, mime or mime_of(name))
        content = self.methods.files.described(file, kind) | fields
        return self._queue("message", {"message": self._message(user, chat, content)})

    def push_callback(self, data: str, *, user: int = USER, chat: int | Json | None = None) -> int:
        """Somebody presses a button with this data under a message of the bot's, of before the test."""
        origin = self._message(self.methods.bot, chat or user, {"text": "buttons"})
        return self._press(data, user, origin)

    def press(self, what: str, *, user: int = USER, chat: int | None = None) -> int:
        """Somebody presses the newest button there with this label, or this data; returns the update's id.

        ValueError when no message in the chat has such a button now.
        """
        sent, data = self.chats.button(what, user if chat is None else chat)
        return self._press(data, user, self.methods.as_message(sent))

    def _press(self, data: str, user: int, origin: Json) -> int:
        query = make.callback(self.chats.new_query_id(), user, origin, data)
        return self._queue("callback_query", {"callback_query": query})

    def push(self, update: Json) -> int:
        """Any update; `update_id` is put in. The chats and messages in it become known."""
        body = {key: value for key, value in update.items() if key != "update_id"}
        kind = next(iter(body))
        content = body[kind]
        if isinstance(content, dict):
            inner = content if "chat" in content else content.get("message", {})
            if "chat" in inner:
                thread = inner.get("message_thread_id")
                self.chats.note(inner["chat"]["id"], inner.get("message_id", 0), thread)
        return self._queue(kind, body)

    def push_raw(self, raw: bytes, kind: str = "message") -> int:
        """An element of getUpdates' result to the byte; UPDATE_ID in it becomes the id."""
        number = self.queue.take_id()
        self._put(Update(number, kind, raw.replace(b"UPDATE_ID", b"%d" % number), time.time()))
        return number

    def know(self, chat_id: int) -> None:
        """The bot may write to this chat."""
        self.chats.known.add(chat_id)

    # --- what goes wrong

    def fault(
        self,
        kind: str,
        method: str = "*",
        count: int | None = 1,
        after: int = 0,
        every: int = 1,
        **args: Any,
    ) -> Fault:
        """Let something go wrong: see faults.KINDS."""
        return self.faults.add(Fault(kind, method, count, after, every, args))

    def refuse(self, seconds: float | None = None) -> None:
        """Drop every connection and refuse new ones for so long, or until accept()."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: self._spawn(self._refuse(seconds)))

    def accept(self) -> None:
        """End a refuse() now; returns when connections are accepted."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._accepting.set)
        self.wait(lambda: self._server is not None)

    def drop_connections(self) -> None:
        """Close every connection now, as a front end does when it restarts."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cancel_sessions)

    # --- life

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> Simulator:
        """Listen; returns when connections are accepted. Raises OSError if the port is taken."""
        ready = threading.Event()
        failure: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._main, args=(ready, failure), name="bot-api-simulator", daemon=True
        )
        self._thread.start()
        ready.wait()
        if failure:
            self._thread.join()
            raise failure[0]
        return self

    def stop(self) -> None:
        """Close everything and end the thread."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _main(self, ready: threading.Event, failure: list[BaseException]) -> None:
        loop = self._loop = asyncio.new_event_loop()
        loop.set_exception_handler(self._on_loop_error)
        try:
            loop.run_until_complete(self._listen())
        except OSError as error:
            failure.append(error)
            ready.set()
            loop.close()
            return
        ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._shut())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _listen(self) -> None:
        sock = self._reserved or self._bound()
        self._reserved = None
        loop = asyncio.get_running_loop()

        def protocol() -> Protocol:
            reader = asyncio.StreamReader(limit=1 << 17, loop=loop)
            return Protocol(reader, self._on_connection, loop=loop)

        context = None
        if self.authority is not None:
            context = self.authority.context()
            context.sni_callback = self._on_hello
            context.sslobject_class = recorder(self._on_tls_error)
        self._server = await loop.create_server(protocol, sock=sock, ssl=context, backlog=64)

    def _bound(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, self.port))
        self.port = sock.getsockname()[1]
        return sock

    async def _refuse(self, seconds: float | None) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        self._cancel_sessions()
        self._reserved = self._bound()  # bound but not listening: the port stays ours
        self._accepting.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._accepting.wait(), seconds)
        await self._listen()
        self.changed()

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._reserved is not None:
            self._reserved.close()
        self._cancel_sessions()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work, loop=self._loop)
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    def _cancel_sessions(self) -> None:
        for task in list(self._sessions):
            if task.get_name().startswith("session"):
                task.cancel()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name(f"session {len(self.connections)}")
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await Session(self, reader, writer).run()

    def _on_hello(self, tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        self.hellos += 1
        wrong = self.faults.for_handshake()
        if wrong and self.authority is not None:
            tls.context = self.authority.context(wrong)

    def _on_tls_error(self, text: str) -> None:
        self.tls_errors.append(text)
        self.changed()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), (OSError, asyncio.CancelledError)):
            loop.default_exception_handler(context)

    # --- called by sessions, in the server's thread

    def new_connection(self, tls_version: str | None) -> Connection:
        """Record an accepted connection."""
        record = Connection(len(self.connections), time.monotonic(), tls_version)
        self.connections.append(record)
        if tls_version:
            self.handshakes += 1
        self.changed()
        return record

    def note(self, call: Call) -> None:
        """Record a call."""
        self.calls.append(call)
        self.changed()

    def changed(self) -> None:
        """Wake whoever waits for something to happen."""
        with self._condition:
            self._condition.notify_all()

    def render(self, chosen: list[Update], by_kind: dict[str, Fault]) -> bytes:
        """getUpdates' answer, with the faults of content."""
        now = time.time()
        for update in chosen:
            self.delivered.setdefault(update.id, now)
        if "duplicate" in by_kind:
            chosen = self.queue.confirmed_before(by_kind["duplicate"].args.get("n", 1)) + chosen
        if "big" in by_kind:
            parts = [make.blown_up(update.raw, by_kind["big"].args) for update in chosen]
        else:
            parts = [update.raw for update in chosen]
        return b'{"ok":true,"result":[' + b",".join(parts) + b"]}"

    # --- pushing

    def _message(self, user: int | Json, chat: int | Json | None, content: Json) -> Json:
        private: int | Json = user["id"] if isinstance(user, dict) else user
        place = make.chat(private if chat is None else chat)
        number = self.chats.new_message_id(place["id"])
        thread = content.get("message_thread_id")
        if thread is not None:
            self.chats.note(place["id"], number, thread)
        return make.message(number, user, place, **content)

    def _queue(self, kind: str, body: Json | bytes, **how: Any) -> int:
        number = self.queue.take_id()
        self._put(Update(number, kind, make.render(body, number, **how), time.time()))
        return number

    def _put(self, update: Update) -> None:
        if self.queue.put(update) and self._loop is not None:
            self._loop.call_soon_threadsafe(self.methods.wake)


def _is_any(host: str) -> bool:
    """True for 0.0.0.0 and the like, which are no names."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
    return False

"""What can be made to go wrong, by method and count.

A fault waits in a table until a call of its method arrives. `after` calls of that method pass
first, then every `every`-th is hit until `count` were. Certificates are chosen when a client says
hello, so their "method" is the handshake itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from host_tools.simulator.certs import WRONG

# kind -> what it does. An answer that is replaced means: the method did not run.
ANSWERS = {
    "429": "Too Many Requests with retry_after (args: retry_after=1)",
    "400": "Bad Request (args: description)",
    "401": "Unauthorized",
    "403": "Forbidden: the bot was blocked by the user",
    "404": "Not Found",
    "409": "Conflict: another getUpdates is running",
    "500": "Internal Server Error as JSON",
    "502": "Bad Gateway as an HTML page",
    "503": "Service Unavailable as an HTML page, connection closed",
    "malformed": "200 with JSON that breaks off in the middle of a string, correct length",
    "html": "200 with an HTML page, as captive portals do",
}
TRANSPORT = {
    "reset": "TCP reset (args: at=before|lost|body|upload; before, and upload, in the middle of the request's "
    "body, or of its first size=…: the method did not run)",
    "close": "connection closed without an answer (args: at=before|lost|body|upload)",
    "truncate": "connection closed in the middle of a body of known length; the method did run",
    "stall": "silence (args: seconds=60, at=before|body), then the connection is closed",
    "bytes": "the answer arrives byte by byte",
    "chunks": "the answer is chunked in odd sizes, with extensions and a trailer",
    "until-close": "the answer has no length and ends with the connection",
    "close-after": "Connection: close, and the connection is closed after the answer",
    "close-silent": "the connection is closed after the answer, unannounced",
    "headers": "64 kB of headers before the answer",
    "slow": "the answer comes late (args: seconds=1)",
}
CONTENT = {
    "duplicate": "getUpdates repeats updates that were confirmed before",
    "big": "the updates in this answer are padded (args: size=1000000, at=before|after|around, "
    "order=chat-first|text-first)",
}
LISTENING = {
    "refuse": "stop listening and drop every connection (args: seconds=2)",
}
KINDS = {**ANSWERS, **TRANSPORT, **CONTENT, **LISTENING, **WRONG}


@dataclass
class Fault:
    """One entry of the table; `hits` counts how often it struck."""

    kind: str
    method: str = "*"
    count: int | None = 1  # None: for ever
    after: int = 0
    every: int = 1
    args: dict[str, Any] = field(default_factory=dict)
    hits: int = 0
    seen: int = 0

    def matches(self, method: str) -> bool:
        return self.method in ("*", method)

    def strikes(self) -> bool:
        """Count one matching call and say whether it is hit."""
        if self.count is not None and self.hits >= self.count:
            return False
        self.seen += 1
        if self.seen <= self.after or (self.seen - self.after - 1) % self.every:
            return False
        self.hits += 1
        return True


class Faults:
    """The table, used from the test's thread and from the server's."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        if fault.kind not in KINDS:
            raise ValueError(f"no fault {fault.kind!r}; there are {', '.join(KINDS)}")
        if fault.every < 1 or fault.after < 0:
            raise ValueError("a fault's `every` is 1 or more and its `after` 0 or more")
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def told(self) -> list[dict[str, Any]]:
        """What was planned and how often each struck, for a report."""
        with self._lock:
            return [{"kind": f.kind, "method": f.method, "hits": f.hits} for f in self._faults]

    def for_call(self, method: str) -> list[Fault]:
        """Every fault that hits this call; certificates are not among them."""
        with self._lock:
            return [
                fault
                for fault in self._faults
                if fault.kind not in WRONG and fault.matches(method) and fault.strikes()
            ]

    def for_handshake(self) -> str | None:
        """The kind of wrong certificate for this handshake, or None."""
        with self._lock:
            hit = [f.kind for f in self._faults if f.kind in WRONG and f.strikes()]
        return hit[0] if hit else None

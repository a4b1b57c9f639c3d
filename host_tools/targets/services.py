"""DNS and NTP for an emulated board, answered on the wire between it and QEMU's user network.

QEMU's user-mode network gives addresses (DHCP) and TCP, no time, and names only as this machine
resolves them. So queries for a name or for the time are answered here; every other frame goes on
to QEMU.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

ETHERNET = 14
IPV4 = b"\x08\x00"
UDP = 17
UDP_HEADER = 8
DNS_PORT = 53
NTP_PORT = 123
NTP_SIZE = 48
NTP_EPOCH = 2_208_988_800  # of 1970, in seconds since 1900
NTP_CLIENT = 3  # the mode in a query's lowest three bits
NTP_SERVER = 0x24  # no warning, version 4, mode server
DNS_HEADER = 12
TYPE_A = 1
NO_ERROR, NO_NAME = 0x8180, 0x8183
ANSWER_TTL_S = 60


def checksum(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Datagram:
    """A UDP datagram in an Ethernet frame."""

    def __init__(self, frame: bytes, at: int, payload: bytes) -> None:
        self._frame = frame
        self._at = at  # where UDP's header begins
        self.port = int.from_bytes(frame[at + 2 : at + 4], "big")
        self.payload = payload

    @classmethod
    def parse(cls, frame: bytes) -> Datagram | None:
        """The datagram in this frame, None if there is another thing in it."""
        if len(frame) < ETHERNET + 20 or frame[12:14] != IPV4 or frame[ETHERNET + 9] != UDP:
            return None
        at = ETHERNET + (frame[ETHERNET] & 0x0F) * 4
        if len(frame) < at + UDP_HEADER or frame[ETHERNET + 6] & 0x3F or frame[ETHERNET + 7]:
            return None  # too short, or a fragment
        size = int.from_bytes(frame[at + 4 : at + 6], "big")
        return cls(frame, at, frame[at + UDP_HEADER : at + size])

    def reply(self, payload: bytes) -> bytes:
        """A frame that carries `payload` back to the sender."""
        frame, at = self._frame, self._at
        size = UDP_HEADER + len(payload)
        source, target = frame[ETHERNET + 12 : ETHERNET + 16], frame[ETHERNET + 16 : ETHERNET + 20]
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0, 64, UDP, 0, target, source)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        udp = frame[at + 2 : at + 4] + frame[at : at + 2] + struct.pack("!HH", size, 0)
        return frame[6:12] + frame[:6] + IPV4 + header + udp + payload


def question(query: bytes) -> tuple[str, int, int] | None:
    """Name, type and end of a DNS query's one question; None if there is no such thing."""
    if len(query) < DNS_HEADER or query[2] & 0x80 or query[4:6] != b"\x00\x01":
        return None
    labels, at = [], DNS_HEADER
    while at < len(query) and (size := query[at]):
        labels.append(query[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    if at + 5 > len(query):
        return None
    kind = int.from_bytes(query[at + 1 : at + 3], "big")
    return ".".join(labels).lower(), kind, at + 5


class Services:
    """Answers for one board. `hosts` are names and their addresses; others this machine resolves."""

    def __init__(self, hosts: dict[str, str]) -> None:
        self.hosts = hosts
        self.asked: list[str] = []  # names that were asked for, and "ntp"
        self.ntp = self.dns = True  # False: that server is silent

    def takes(self, frame: bytes) -> bool:
        """Is this a query that is answered here, and not by QEMU?"""
        datagram = Datagram.parse(frame)
        return datagram is not None and datagram.port in (DNS_PORT, NTP_PORT)

    def answer(self, frame: bytes) -> bytes | None:
        """The frame that answers this query, None if nobody answers it. May wait for a name."""
        datagram = Datagram.parse(frame)
        if datagram is None:
            return None
        payload = None
        if datagram.port == DNS_PORT and self.dns:
            payload = self.name(datagram.payload)
        elif datagram.port == NTP_PORT and self.ntp:
            payload = self.time(datagram.payload)
        return payload and datagram.reply(payload)

    def name(self, query: bytes) -> bytes | None:
        """DNS: the response to this query."""
        asked = question(query)
        if asked is None:
            return None
        name, kind, end = asked
        self.asked.append(name)
        address = self.hosts.get(name)
        if address is None:
            with contextlib.suppress(OSError, UnicodeError):
                address = socket.gethostbyname(name)
        code = NO_NAME if address is None else NO_ERROR
        records = b""
        if address is not None and kind == TYPE_A:
            records = struct.pack("!HHHIH", 0xC000 | DNS_HEADER, TYPE_A, 1, ANSWER_TTL_S, 4)
            records += socket.inet_aton(address)
        head = query[:2] + struct.pack("!HHHHH", code, 1, 1 if records else 0, 0, 0)
        return head + query[DNS_HEADER:end] + records

    def time(self, query: bytes) -> bytes | None:
        """NTP: this machine's time."""
        if len(query) < NTP_SIZE or query[0] & 7 != NTP_CLIENT:
            return None
        self.asked.append("ntp")
        now = time.time() + NTP_EPOCH
        stamp = struct.pack("!II", int(now) & 0xFFFFFFFF, int(now % 1 * (1 << 32)))
        head = struct.pack("!BBbbII4s", NTP_SERVER, 1, 6, -20, 0, 0, b"LOCL")
        return head + stamp + query[40:48] + stamp + stamp

"""A TLS handshake with nobody, before the memory is divided. Memory: dropped after it; 25 kB outside for 0.1 s.

ESP-IDF makes some small things in the first handshake and keeps them for good: the locks of the accelerators for
SHA and RSA, the interrupt of the second, newlib's struct tm, and mbedTLS a number for each root's key (256 B). In a
real first handshake they come to lie between its buffers, and once these are given back the largest free block is
31 kB smaller for ever. So a handshake is rehearsed while the system's heap is still empty, with a server that is a few
bytes long: it says hello (RFC 5246, 7.4.1.3), shows the root with one bit changed (7.4.2), so that the root's key has
to check it, and signs its share of a key with nonsense (7.4.3), which ends the handshake. Measured on a stock ESP32
(docs/boards.md): largest free block after a session 53 kB instead of 23.
"""

import io
import tls

_HELLO = b"\x03\x03" + bytes(32) + b"\0\xc0\x2f\0"  # TLS 1.2, ECDHE-RSA with AES-128-GCM
# Curve P-256, its base point as the server's share, and a signature by SHA-256 and RSA.
_KEY_EXCHANGE = (
    b"\x03\x00\x17\x41\x04k\x17\xd1\xf2\xe1,BG\xf8\xbc\xe6\xe5c\xa4@\xf2w\x03}\x81-\xeb3\xa0"
    b"\xf4\xa19E\xd8\x98\xc2\x96O\xe3B\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xebJ|\x0f\x9e\x16+\xce3Wk1^\xce"
    b"\xcb\xb6@h7\xbfQ\xf5\x04\x01\x01\x00" + b"\x01" * 256
)


class _Server(io.IOBase):
    """A stream that has `parts` to say, whatever it hears."""

    def __init__(self, parts):
        self._parts = parts
        self._at = 0

    def readinto(self, buffer):
        if not self._parts:
            return 0
        part = self._parts[0]
        count = min(len(buffer), len(part) - self._at)
        buffer[:count] = part[self._at : self._at + count]
        self._at += count
        if self._at == len(part):
            self._parts.pop(0)
            self._at = 0
        return count

    def write(self, data):
        return len(data)

    def ioctl(self, request, argument):
        return 0


def _message(kind, size_b):
    # The heads of a record and of the one handshake message in it, whose body has `size_b` bytes.
    record_b = size_b + 4
    return bytes((22, 3, 3, record_b >> 8, record_b & 255, kind, 0, size_b >> 8, size_b & 255))


def rehearse(context, root):
    """Go through the part of a handshake that makes what stays; `root` is the DER of a root of `context`."""
    size_b = len(root)
    list_b = size_b + 3
    context.verify_mode = tls.CERT_OPTIONAL  # pyright: ignore[reportAttributeAccessIssue]: go on after the check
    server = _Server(
        [
            _message(2, len(_HELLO)) + _HELLO,
            _message(11, list_b + 3) + bytes((0, list_b >> 8, list_b & 255, 0, size_b >> 8, size_b & 255)),
            root[:-1],
            bytes((root[-1] ^ 1,)),
            _message(12, len(_KEY_EXCHANGE)) + _KEY_EXCHANGE,
        ]
    )
    try:
        context.wrap_socket(server, server_hostname="rehearsal")
    except (OSError, ValueError):
        pass  # the end that was meant
    finally:
        context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]

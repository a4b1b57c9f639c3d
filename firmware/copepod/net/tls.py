"""TLS contexts that always verify. Memory: a context, made once at start; this file is dropped after it.

A context is about 1.7 kB of Python's heap. On ESP32 the parsed root takes 1.1 to 2.3 kB of the IDF heap, and a
session with Telegram's chain of four RSA-2048 certificates 34 kB, 41 kB while it is being set up.
"""

import tls

from copepod.net.tls_rehearsal import rehearse
from copepod.once import forget
from copepod.platform import port


def make(path):
    """The context that verifies against the certificates in the file at `path`, or the bundled root if it is "".

    OSError, whose text names the file and the remedy, when they can't be used.
    """
    if not path:
        from copepod.net import roots

        found = roots.DER
        forget("copepod.net.roots")
    else:
        try:
            with open(path, "rb") as file:
                found = split_der(file.read())
        except (OSError, ValueError) as error:
            raise OSError("tls.ca: %s can't be used (%s): expected certificates in DER" % (path, error))
    try:
        made = context(found)
    except ValueError as error:
        # mbedTLS has one word for a certificate that it can't read and one that it has no memory for.
        if _short_of_memory():
            raise OSError("tls.ca: no memory to read the certificates (%s): reset the board" % error)
        raise OSError("tls.ca: %s can't be used (%s): expected certificates in DER" % (path, error))
    if port.keeps_after_tls:
        rehearse(made, found[0])
    return made


def context(ca):
    """A client context that verifies the server against `ca`, a list of DER certificates, and nothing else.

    mbedTLS keeps its own copy of them. ValueError if a certificate can't be read.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]
    for der in ca:
        made.load_verify_locations(der)
    return made


def split_der(data):
    """The certificates of a file that holds one or several in DER, one after the other."""
    found = []
    at = 0
    while at < len(data):
        if data[at] != 0x30 or at + 4 > len(data) or data[at + 1] != 0x82:
            raise ValueError("not a certificate in DER")
        end = at + 4 + (data[at + 2] << 8 | data[at + 3])
        if end > len(data):
            raise ValueError("the certificate is cut short")
        found.append(data[at:end])
        at = end
    if not found:
        raise ValueError("the file is empty")
    return found


def _short_of_memory():
    largest_b = port.heap()[1]
    return largest_b is not None and largest_b < 8192

"""TLS contexts that always verify. Memory: a context is about 1.7 kB, made once; this file is dropped after it.

On ESP32 the certificates and the session live in the ESP-IDF heap, outside Python's: one session is
about 27 kB there, and 15 kB more while it is being set up.
"""

import tls


def context(ca=None):
    """A client context that verifies the server against `ca`, a list of DER certificates.

    Without `ca` the roots that the build bundled are used; mbedTLS keeps its own copy, so their module
    may be dropped then. ValueError if a certificate can't be read.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]
    if ca is None:
        from copepod.net import roots

        ca = roots.DER
    for der in ca:
        made.load_verify_locations(der)
    return made


def from_file(path):
    """A context that trusts the certificates in a file, one or several in DER. OSError, ValueError."""
    with open(path, "rb") as file:
        return context(split_der(file.read()))


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
    return found

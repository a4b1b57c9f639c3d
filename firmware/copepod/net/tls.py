"""TLS contexts that always verify, and errors in plain words. Memory: a context is about 1.7 kB, made once.

On ESP32 the certificates and the session live in the ESP-IDF heap, outside Python's: one session is
about 27 kB there, and 15 kB more while it is being set up.
"""

import sys
import time
import tls
from micropython import const

from copepod.platform import port

_YEAR_BUILT = const(2026)
_CLOCK = "the clock is not set (it says %d): TLS can't tell whether a certificate is valid"
_MEMORY = "no memory for TLS outside Python's heap"
_HANDSHAKE_B = const(32768)  # a handshake peaks at 28 kB; mbedTLS calls a check it has no memory for a failed one
_UNCHECKED = ", or it could not be checked: %d B is the largest block left outside Python's heap"

# What mbedTLS says of a certificate (x509_crt_verify_info), and what that means here. The first that fits.
_REASONS = (
    ("future", "the server's certificate is not valid yet"),
    ("expired", "the server's certificate has expired"),
    ("(CN)", "the server's certificate is for another host"),
    ("trusted CA", "the server's certificate is not signed by an authority we know"),
)
# mbedTLS codes between -256 and 0 arrive as positive errnos: 16 is -0x10, MPI_ALLOC_FAILED, not EBUSY.
_CODES = {
    12: _MEMORY,
    16: _MEMORY,
    -10368: _MEMORY,
    -17168: _MEMORY,
    -29184: "the server does not speak TLS",
    -30336: "no root certificates to verify the server with",
    -30592: "the server ended the TLS handshake",
    103: "the connection was aborted",
    104: "the connection was reset",
    110: "the server did not answer in time",
    116: "the server did not answer in time",
    111: "the connection was refused",
    113: "no route to the server",
    118: "no route to the server",
    105: "no network buffers",
    -2: "the server's name is unknown",
    -3: "no name server answered",
    -202: "the server's name is unknown",
}


def context(ca=None):
    """A client context that verifies the server against `ca`, a list of DER certificates.

    Without `ca` the roots that the build bundled are used. ValueError if a certificate can't be read.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]
    bundled = ca is None
    if bundled:
        from copepod.net import roots

        ca = roots.DER
    for der in ca:
        made.load_verify_locations(der)
    if bundled:  # mbedTLS keeps its own copy
        del sys.modules["copepod.net.roots"]
        del sys.modules["copepod.net"].roots
        delattr(sys.modules["copepod.net"], "roots")  # the package refers to it, too
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
    return found


def explain(error):
    """One line for the log about a connection that failed, certificate problems included."""
    if isinstance(error, OSError):
        code = error.args[0] if error.args else 0
        text = str(error.args[1]) if len(error.args) > 1 else ""
        if isinstance(code, str):
            return code
        if code in _CODES:
            return _CODES[code]
        if "lloc" in text:  # "Memory allocation failed", "Allocation of memory failed", …
            return _MEMORY
        return "network error %s %s" % (code, text)
    text = str(error)
    for sign, meaning in _REASONS:
        if sign in text:
            year = time.localtime()[0]
            if sign == "future" and year < _YEAR_BUILT:
                return _CLOCK % year
            largest_b = port.heap()[1]
            if sign == "trusted CA" and largest_b is not None and largest_b < _HANDSHAKE_B:
                meaning += _UNCHECKED % largest_b
            return meaning
    return text.split("\n")[0]

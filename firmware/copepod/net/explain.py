"""TLS and network errors in plain words. Memory: loaded when something fails, dropped after it."""

import time

from micropython import const

from copepod.platform import port

_YEAR_BUILT = const(2026)
_CLOCK = "the clock is not set (it says %d): TLS can't tell whether a certificate is valid"
_MEMORY = "no memory for TLS outside Python's heap"
# What a handshake with Telegram's chain takes; mbedTLS calls a check that it has no memory for a failed one.
_HANDSHAKE_B = const(41300)
_TLS = const(-4096)  # mbedTLS codes of keys, certificates and TLS lie below
_UNCHECKED = ", or it could not be checked: %d B is the largest block left outside Python's heap"

# What mbedTLS says of a certificate (x509_crt_verify_info), and what that means here. The first that fits.
_REASONS = (
    ("future", "the server's certificate is not valid yet"),
    ("expired", "the server's certificate has expired"),
    ("(CN)", "the server's certificate is for another host"),
    ("trusted CA", "the server's certificate is not signed by an authority we know"),
)
_LOOKUP = "[addrinfo error "  # how the Unix port begins what getaddrinfo answers
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


def explain(error):
    """One line for the log about a connection that failed, certificate problems included."""
    if isinstance(error, OSError):
        code = error.args[0] if error.args else 0
        text = str(error.args[1]) if len(error.args) > 1 else ""
        if isinstance(code, str):
            if not code.startswith(_LOOKUP):
                return code
            code = int(code[len(_LOOKUP) : -1])
            return _CODES.get(code, "the server's name can't be looked up (%d)" % code)
        if code in _CODES:
            return _CODES[code]
        if code and -256 < code < 0 and -code in _CODES:  # lwIP's, passed on with its sign
            return _CODES[-code]
        if "lloc" in text:  # "Memory allocation failed", "Allocation of memory failed", …
            return _MEMORY
        if code and code < _TLS and _short():  # a key that can't be taken apart is called an invalid one
            return _MEMORY
        return ("network error %s %s" % (code or "", text)).strip()
    text = str(error)
    for sign, meaning in _REASONS:
        if sign in text:
            year = time.localtime()[0]
            if sign == "future" and year < _YEAR_BUILT:
                return _CLOCK % year
            if sign == "trusted CA" and _short():
                meaning += _UNCHECKED % port.heap()[1]
            return meaning
    return text.split("\n")[0]


def _short():
    """True where no handshake fits into what is left outside Python's heap."""
    largest_b = port.heap()[1]
    return largest_b is not None and largest_b < _HANDSHAKE_B

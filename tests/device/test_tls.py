"""TLS contexts that verify, certificates apart in a file, and errors in plain words."""

import sys
import time

from copepod.net import explain as words
from copepod.net import tls
from copepod.once import forget

# A certificate for nobody's host, from a test authority: only its form matters here.
DER = bytes.fromhex("3082000430020500")


class Clock:
    """Takes the place of the time module in the module under test."""

    def __init__(self, year):
        self.year = year

    def localtime(self):
        return (self.year, 1, 1, 0, 0, 0, 0, 1)


class Heap:
    """Takes the place of the platform: so much in one piece outside Python's heap."""

    def __init__(self, largest_b):
        self.largest_b = largest_b

    def heap(self):
        return 2 * self.largest_b, self.largest_b


def explain(error, year=2030):
    words.time = Clock(year)
    try:
        line = words.explain(error)
    finally:
        words.time = time
    assert "\n" not in line and len(line) < 120
    return line


def test_certificates():
    # The words are mbedTLS's.
    wrong_host = "The certificate Common Name (CN) does not match with the expected CN\n"
    unknown = "The certificate is not correctly signed by the trusted CA\n"
    expired = "The certificate validity has expired\n"
    future = "The certificate validity starts in the future\n"
    for text, sign in (
        (wrong_host, "another host"),
        (unknown, "authority"),
        (expired, "expired"),
        (future, "not valid yet"),
        (expired + unknown, "expired"),
        (wrong_host + unknown, "another host"),
    ):
        line = explain(ValueError(text))
        assert sign in line, (text, line)
        assert "clock" not in line
    for year in (1970, 2000, 2025):
        line = explain(ValueError(future), year)
        assert "clock" in line and str(year) in line


def test_memory():
    for error in (
        OSError(12),
        OSError(16),
        OSError(-10368),
        OSError(-17168, "RSA - The private key operation failed : BIGNUM - Memory allocation failed"),
        OSError(-9999, "X509 - Allocation of memory failed"),
    ):
        assert "memory" in explain(error), error


def test_a_key_that_there_is_no_memory_for_is_not_called_invalid():
    invalid = OSError(-15104, "MBEDTLS_ERR_PK_INVALID_PUBKEY")
    assert explain(invalid) == "network error -15104 MBEDTLS_ERR_PK_INVALID_PUBKEY"
    port = words.port
    try:
        words.port = Heap(20888)
        assert "no memory for TLS" in explain(invalid)
        words.port = Heap(36864)  # which a handshake with Telegram's chain does not fit into, either
        assert "no memory for TLS" in explain(invalid)
        words.port = Heap(66440)
        assert "INVALID_PUBKEY" in explain(invalid)
    finally:
        words.port = port


def test_network():
    for code, sign in (
        (111, "refused"),
        (104, "reset"),
        (110, "in time"),
        (113, "no route"),
        (-2, "name"),
        (-202, "name"),
        (-29184, "does not speak TLS"),
        (-30592, "handshake"),
        (-30336, "root"),
    ):
        assert sign in explain(OSError(code)), code
    for code in (-104, -110, -111, -113):
        assert explain(OSError(code)) == explain(OSError(-code)), code
    assert explain(OSError("[addrinfo error -2]")) == "the server's name is unknown"
    assert explain(OSError("[addrinfo error -3]")) == "no name server answered"
    assert explain(OSError("[addrinfo error -11]")) == "the server's name can't be looked up (-11)"
    assert explain(OSError(77)) == "network error 77"
    assert explain(OSError(-1, "SOMETHING")) == "network error -1 SOMETHING"
    assert explain(OSError("the server answers 502")) == "the server answers 502"
    assert explain(OSError()) == "network error"
    assert explain(ValueError("malformed JSON near byte 7")) == "malformed JSON near byte 7"


def test_several_certificates_in_a_file():
    assert tls.split_der(DER) == [DER]
    assert tls.split_der(DER * 3) == [DER] * 3
    for wrong in (b"", b"-----BEGIN CERTIFICATE-----", DER[:5], DER + b"\0", DER + DER[:3]):
        try:
            tls.split_der(wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


def test_a_context_always_verifies():
    import tls as built_in

    made = tls.context([])
    assert made.verify_mode == built_in.CERT_REQUIRED
    try:
        tls.context([b"not a certificate"])
        raise AssertionError("accepted")
    except ValueError:
        pass


def test_a_module_that_served_is_forgotten():
    import copepod.net as package

    assert package.explain is words
    forget("copepod.net.explain")
    assert "copepod.net.explain" not in sys.modules
    assert not hasattr(package, "explain")
    package.explain = sys.modules["copepod.net.explain"] = words

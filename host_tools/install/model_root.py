"""The one root certificate that a model's host needs: found here, the only one that the board trusts for it.

A handshake is made with the roots of certifi, then with this machine's (SSL_CERT_FILE is among
them); the certificate that the verified chain ends in is what the board gets, in DER.
"""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.errors import UserError
from host_tools.install.model import TIMEOUT_S, Unreachable, only, why

FILE = "model.der"  # beside the config, here and on the board
SOON = datetime.timedelta(days=90)

# What OpenSSL says of a certificate (X509_V_ERR_…), and what to do.
_EXPIRED, _NOT_YET, _HOST = 10, 9, 62
_REMEDIES = {
    _EXPIRED: "the host has to renew it",
    _NOT_YET: "is this machine's clock right?",
    _HOST: "use the name that the certificate is for",
}
_OWN = (
    "with a root of your own: SSL_CERT_FILE=root.pem, or its DER beside the config and its name in "
    "tls.model_ca"
)


@dataclass(frozen=True)
class Root:
    """A certificate that chains end in."""

    der: bytes
    name: str
    until: datetime.datetime
    since: datetime.datetime
    known: bool = True  # to certifi, and so to everybody


def parse(data: bytes) -> Root:
    """A file's one certificate, DER or PEM; UserError if it is none."""
    try:
        if data.lstrip().startswith(b"-----BEGIN"):
            found = x509.load_pem_x509_certificate(data)
        else:
            found = x509.load_der_x509_certificate(data)
    except ValueError:
        raise UserError("it holds no certificate in DER") from None
    return _root(found)


def _root(certificate: x509.Certificate, *, known: bool = True) -> Root:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    name = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return Root(
        certificate.public_bytes(Encoding.DER),
        name,
        certificate.not_valid_after_utc,
        certificate.not_valid_before_utc,
        known,
    )


def find(host: str, port: int) -> Root:
    """The root that the host's chain ends in, tried with it alone; UserError is one line."""
    error: ssl.SSLCertVerificationError | None = None
    for known, context in ((True, _of_certifi), (False, ssl.create_default_context)):
        try:
            chain = _chain(host, port, context())
        except ssl.SSLCertVerificationError as failed:
            error = failed
            continue
        root = _root(x509.load_der_x509_certificate(chain[-1]), known=known)
        ends_in(host, port, root.der)
        return root
    assert error is not None
    raise UserError(_refusal(host, error))


def ends_in(host: str, port: int, der: bytes) -> None:
    """UserError in one line unless the host's chain ends in this certificate."""
    try:
        _chain(host, port, only(der))
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _REMEDIES:
            raise UserError(_refusal(host, error)) from None
        raise UserError(f"{host}'s certificate does not end in it any more") from None


def _of_certifi() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def _chain(host: str, port: int, context: ssl.SSLContext) -> list[bytes]:
    """The verified chain in DER, its root last; SSLCertVerificationError, or Unreachable."""
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as tls,
        ):
            return _verified(tls)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        reason = error.reason or why(error)
        raise Unreachable(f"{host}:{port} speaks no TLS that is known here ({reason})") from None
    except OSError as error:
        raise Unreachable(f"{host}:{port} can't be reached: {why(error)}") from None


def _verified(tls: ssl.SSLSocket) -> list[bytes]:
    public: Callable[[], list[bytes]] | None = getattr(tls, "get_verified_chain", None)
    if public is not None:  # since Python 3.13
        return public()
    inner: Any = tls._sslobj  # pyright: ignore[reportAttributeAccessIssue]
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_verified_chain()]


def _refusal(host: str, error: ssl.SSLCertVerificationError) -> str:
    remedy = _REMEDIES.get(error.verify_code, _OWN)
    return f"{host}'s certificate is refused ({error.verify_message}): {remedy}"

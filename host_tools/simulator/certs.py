"""Certificates for the simulator: one authority, one right certificate, and every wrong one.

A client is given only `Authority.der`. Each entry of WRONG is a TLS context whose certificate a
careful client must refuse, each for another reason.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Sequence

import trustme

# fault kind -> why a client must refuse the certificate
WRONG = {
    "cert-host": "the certificate is for another host",
    "cert-ca": "the certificate is signed by an unknown authority",
    "cert-expired": "the certificate has expired",
    "cert-future": "the certificate is not yet valid",
}

# Names that this machine has for a client: itself, and QEMU's user-mode network.
NAMES = ("localhost", "127.0.0.1", "10.0.2.2")


class Authority:
    """A certificate authority made for one run, and server contexts signed by it."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self._names = tuple(names)
        self._ca = trustme.CA(organization_name="Copepod simulator")
        self.pem: str = self._ca.cert_pem.bytes().decode()
        self.der: bytes = ssl.PEM_cert_to_DER_cert(self.pem)
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, kind: str = "right") -> ssl.SSLContext:
        """A server context whose certificate is "right" or one of WRONG; made on first use."""
        if kind not in self._contexts:
            self._contexts[kind] = self._make(kind)
        return self._contexts[kind]

    def _make(self, kind: str) -> ssl.SSLContext:
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.UTC)
        if kind == "right":
            leaf = self._ca.issue_cert(*self._names)
        elif kind == "cert-host":
            leaf = self._ca.issue_cert("elsewhere.example")
        elif kind == "cert-ca":
            leaf = trustme.CA(organization_name="Nobody").issue_cert(*self._names)
        elif kind == "cert-expired":
            leaf = self._ca.issue_cert(*self._names, not_before=now - 9 * day, not_after=now - day)
        elif kind == "cert-future":
            leaf = self._ca.issue_cert(*self._names, not_before=now + day, not_after=now + 9 * day)
        else:
            raise ValueError(
                f"no certificate of kind {kind!r}; there are right, {', '.join(WRONG)}"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context

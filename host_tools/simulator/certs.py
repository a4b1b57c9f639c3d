"""Certificates for the simulator: the chain that a client sees, the root it trusts, wrong ones.

The chain "rsa" has the form and the sizes of the one that api.telegram.org sends, because what a
TLS handshake costs a board depends on it:

    leaf ← Secure CA ← Root, signed by Class 2 ← Class 2, signed by itself

All four are sent, RSA-2048, 5.3 kB. A client trusts the Root in the form in which it is
signed by itself, so it needs neither the third nor the fourth. The chain "ec" is a single small
certificate. Each entry of WRONG is a certificate that a careful client must refuse, each for
another reason.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

from host_tools.simulator.keys import KINDS, PrivateKey, pem, private_key

CHAINS = KINDS
DEFAULT_CHAIN = "rsa"

# fault kind -> why a client must refuse the certificate
WRONG = {
    "cert-host": "the certificate is for another host",
    "cert-ca": "the certificate is signed by an unknown authority",
    "cert-expired": "the certificate has expired",
    "cert-future": "the certificate is not yet valid",
}

# Names that this machine has for a client: itself, and QEMU's user-mode network.
NAMES = ("localhost", "127.0.0.1", "10.0.2.2")

# Bytes of DER. What a certificate is short of its size is made up by an extension.
LEAF_B = 1553
SECURE_CA_B = 1270
CROSS_SIGNED_ROOT_B = 1250
CLASS_2_B = 1250
ROOT_B = 1200  # the trusted one

# An authority's certificates are the same each time, as its key is: only a leaf is of today.
SINCE = datetime.datetime(2009, 9, 1, tzinfo=datetime.UTC)
UNTIL = datetime.datetime(2037, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)

# extensions that may have any length, and the tag of their value
_COMMENT = (ObjectIdentifier("2.16.840.1.113730.1.13"), b"\x16")  # Netscape's, an IA5String
_TIMESTAMPS = (ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), b"\x04")  # Certificate Transparency
_CPS = ObjectIdentifier("2.16.840.1.114413.1.7.23.1")
_URL = "http://ca.simulator.example"


@dataclass(frozen=True)
class Signer:
    """Who signs: a name and a key."""

    name: x509.Name
    key: PrivateKey


class Authority:
    """A certificate authority, and server contexts signed by it.

    `chain` is one of CHAINS, `names` are those the certificate is valid for. The authority is the
    same one whenever its key is, which is kept in `folder`, else in the user's cache.
    """

    def __init__(
        self,
        names: Sequence[str] = NAMES,
        chain: str = DEFAULT_CHAIN,
        folder: Path | None = None,
    ) -> None:
        if chain not in CHAINS:
            raise ValueError(f"no chain {chain!r}; there are {', '.join(CHAINS)}")
        self.chain = chain
        self._names = tuple(names)
        self._root = Signer(_authority_name("Root"), private_key(chain, "root", folder))
        certificate = _root(self._root, ROOT_B if chain == "rsa" else 0)
        self.pem: str = certificate.public_bytes(Encoding.PEM).decode()
        self.der: bytes = certificate.public_bytes(Encoding.DER)
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, kind: str = "right") -> ssl.SSLContext:
        """A server context whose certificate is "right" or one of WRONG; made on first use."""
        if kind not in self._contexts:
            self._contexts[kind] = _context(
                self.certificates(kind), private_key(self.chain, "leaf")
            )
        return self._contexts[kind]

    def certificates(self, kind: str = "right") -> list[x509.Certificate]:
        """What the server sends, the leaf first."""
        now = datetime.datetime.now(datetime.UTC)
        names, since, until, root = self._names, now - DAY, now + 90 * DAY, self._root
        if kind == "cert-host":
            names = ("elsewhere.example",)
        elif kind == "cert-ca":
            root = Signer(_authority_name("Nobody's"), private_key(self.chain, "nobody"))
        elif kind == "cert-expired":
            since, until = now - 9 * DAY, now - DAY
        elif kind == "cert-future":
            since, until = now + DAY, now + 9 * DAY
        elif kind != "right":
            raise ValueError(
                f"no certificate of kind {kind!r}; there are right, {', '.join(WRONG)}"
            )
        if self.chain == "ec":
            return [_leaf(names, root, self.chain, since, until, 0)]
        secure = Signer(_authority_name("Secure"), private_key(self.chain, "secure"))
        class_2 = Signer(_class_2_name(), private_key(self.chain, "class-2"))
        return [
            _leaf(names, secure, self.chain, since, until, LEAF_B),
            _intermediate(secure, root, SECURE_CA_B),
            _intermediate(root, class_2, CROSS_SIGNED_ROOT_B),
            _root(class_2, CLASS_2_B),
        ]


def _context(certificates: list[x509.Certificate], key: PrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # mode 0600
        file.write(pem(key))
        file.writelines(each.public_bytes(Encoding.PEM) for each in certificates)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _name(**parts: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(getattr(NameOID, key), text) for key, text in parts.items()]
    )


def _authority_name(which: str) -> x509.Name:
    return _name(
        COUNTRY_NAME="US",
        STATE_OR_PROVINCE_NAME="Arizona",
        LOCALITY_NAME="Scottsdale",
        ORGANIZATION_NAME="Copepod simulator",
        COMMON_NAME=f"Copepod Simulator {which} Certificate Authority - G2",
    )


def _class_2_name() -> x509.Name:
    return _name(
        COUNTRY_NAME="US",
        ORGANIZATION_NAME="The Copepod Simulator Group",
        ORGANIZATIONAL_UNIT_NAME="Copepod Simulator Class 2 Certification Authority",
    )


def _leaf(
    names: Sequence[str],
    issuer: Signer,
    chain: str,
    since: datetime.datetime,
    until: datetime.datetime,
    size: int,
) -> x509.Certificate:
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    name, key = _name(COMMON_NAME=names[0]), private_key(chain, "leaf")
    builder = (
        _builder(name, key, issuer, secrets.randbits(62))
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(alternatives, critical=False)
    )
    if size:
        builder = _with_places(builder)
    return _signed(builder, issuer, size, _TIMESTAMPS)


def _intermediate(subject: Signer, issuer: Signer, size: int) -> x509.Certificate:
    builder = _of_authority(subject, issuer)
    return _signed(_with_places(builder), issuer, size, _COMMENT)


def _root(signer: Signer, size: int) -> x509.Certificate:
    return _signed(_of_authority(signer, signer), signer, size, _COMMENT)


def _of_authority(subject: Signer, issuer: Signer) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(subject.key.public_key())
    number = int.from_bytes(own.digest[:7])
    return (
        _builder(subject.name, subject.key, issuer, number)
        .not_valid_before(SINCE)
        .not_valid_after(UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
    )


def _builder(
    name: x509.Name, key: PrivateKey, issuer: Signer, number: int
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.name)
        .public_key(key.public_key())
        .serial_number(number | 1 << 62)  # eight bytes, always
        .add_extension(own, critical=False)
        .add_extension(above, critical=False)
    )


def _with_places(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    """With the addresses that every public authority puts in."""
    crl = x509.UniformResourceIdentifier(f"{_URL}/root-g2.crl")
    ocsp = x509.UniformResourceIdentifier(f"{_URL}/ocsp")
    policy = x509.PolicyInformation(_CPS, [f"{_URL}/repository/"])
    return (
        builder.add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp)]
            ),
            critical=False,
        )
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())


def _signed(
    builder: x509.CertificateBuilder,
    issuer: Signer,
    size: int,
    filler: tuple[ObjectIdentifier, bytes],
) -> x509.Certificate:
    """The certificate, with an extension of `filler`'s kind that brings it to `size` bytes."""
    kind, tag = filler
    bare = made = _sign(builder, issuer)
    spare = size - _size(bare)
    while spare > 0:
        value = tag + _length(spare) + b"." * spare
        made = _sign(
            builder.add_extension(x509.UnrecognizedExtension(kind, value), critical=False),
            issuer,
        )
        if _size(made) <= size:
            return made
        spare -= _size(made) - size
    return bare


def _sign(builder: x509.CertificateBuilder, issuer: Signer) -> x509.Certificate:
    # deterministic, so that an authority's certificate is the same to the byte each time
    if isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        return builder.sign(issuer.key, hashes.SHA256(), ecdsa_deterministic=True)
    return builder.sign(issuer.key, hashes.SHA256())


def _size(certificate: x509.Certificate) -> int:
    return len(certificate.public_bytes(Encoding.DER))


def _length(count: int) -> bytes:
    """A length as DER writes it."""
    if count < 128:
        return bytes([count])
    written = count.to_bytes((count.bit_length() + 7) // 8)
    return bytes([0x80 | len(written)]) + written

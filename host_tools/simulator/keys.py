"""Private keys for the simulator's certificates: made once on a machine, then read.

An RSA key takes up to a second to make, and a test suite starts hundreds of simulators. A key is
a file that only its owner can read; two processes that need the same one at the same time get the
same one. Nobody but the simulator's clients trusts what these keys sign.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from host_tools.errors import UserError
from host_tools.paths import cache_folder

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KINDS = ("rsa", "ec")  # RSA of 2,048 bits, and P-256


def private_key(kind: str, name: str, folder: Path | None = None) -> PrivateKey:
    """The key of that name, made on first use; kept in `folder`, else in the user's cache.

    UserError when the given folder can't keep it; without a cache each process makes its own.
    """
    place = folder or cache_folder("simulator")
    return _read_or_make(kind, place / f"{kind}-{name}.key", folder is not None)


@functools.cache
def _read_or_make(kind: str, path: Path, must_keep: bool) -> PrivateKey:
    if not path.exists():
        made = _make(kind)
        try:
            _keep(path, pem(made))
        except OSError as error:
            if must_keep:
                raise UserError(f"{path}: {error.strerror}") from None
            return made
    try:
        # what was written here needs no check for primes, which takes longer than the rest
        key = serialization.load_pem_private_key(
            path.read_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
    except (OSError, ValueError, TypeError):
        raise UserError(f"{path}: not a private key in PEM; delete it") from None
    if not isinstance(key, PrivateKey):
        raise UserError(f"{path}: neither an RSA key nor an EC key; delete it")
    return key


def pem(key: PrivateKey) -> bytes:
    """The key as an unencrypted PEM file has it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _make(kind: str) -> PrivateKey:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _keep(path: Path, data: bytes) -> None:
    """Put the file there whole, unless another process was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        os.unlink(part)

"""Reading certificates and keys that anybody may have written: truncated, or mixed up."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_BLOCK = re.compile(
    rb"^-----BEGIN CERTIFICATE-----[ \t]*\r?\n([^-]*)^-----END CERTIFICATE-----[ \t\r]*$", flags=re.MULTILINE
)
"""What Go's CertPool.AppendCertsFromPEM reads, and so kube-apiserver: lines of their own, and no headers."""


class CertificateError(ValueError):
    """A certificate or key cannot be used; the message says why."""


def read_pem(path: Path) -> bytes:
    """Return the content of a file; raises CertificateError, which names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror or error}") from error


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates in a PEM text in their order; like Go, it skips anything else."""
    found = (_certificate(base64_text) for base64_text in _BLOCK.findall(pem))
    return [certificate for certificate in found if certificate is not None]


def private_key(pem: bytes) -> PrivateKeyTypes:
    """Return an unencrypted private key; raises CertificateError."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise CertificateError("the key is encrypted; a key without a passphrase is needed") from error
    except Exception as error:
        raise CertificateError("the key is not a PEM private key") from error


def extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """Return the extension of a kind, or None."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def why_not_valid(certificate: x509.Certificate, now: datetime) -> str | None:
    """Return why the certificate is not valid at this time, or None."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begin:
        return f"it is not valid before {begin:%Y-%m-%d %H:%M:%S} UTC"
    if now >= end:
        return f"it expired at {end:%Y-%m-%d %H:%M:%S} UTC"
    return None


def encoded(certificate: x509.Certificate) -> bytes:
    """Return the certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


@lru_cache(maxsize=64)
def _certificate(base64_text: bytes) -> x509.Certificate | None:
    """Fields are decoded when they are read: read all here, so that an invalid one raises nowhere else."""
    try:
        der = base64.b64decode(base64_text.translate(None, b" \t\r\n"), validate=True)
        certificate = x509.load_der_x509_certificate(der)
        for field in ("subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
            getattr(certificate, field)
        certificate.public_key()
        positive = certificate.serial_number >= 0
    except Exception:
        return None
    return certificate if positive else None

"""Serving certificates."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.pem import CertificateError, certificates, encoded, private_key, read_pem

CLOCK_SKEW = timedelta(hours=1)
"""Certificates are valid from so long before they are made, since clocks differ."""
COMMON_NAME = "migratability-webhook"
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A serving certificate with its chain, and its private key, both PEM."""

    chain: bytes
    key: bytes = field(repr=False)

    @classmethod
    def read(cls, chain: Path, key: Path) -> Leaf:
        """Return the content of two files, unchecked; raises CertificateError where one cannot be read."""
        return cls(read_pem(chain), read_pem(key))

    def load_into(self, context: ssl.SSLContext) -> None:
        """Serve this certificate from the next handshake on; raises CertificateError where OpenSSL rejects it.

        OpenSSL only reads files. They exist during the call, in memory where possible, readable only by this user.
        """
        with tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as folder:
            chain, key = Path(folder, "chain"), Path(folder, "key")
            chain.write_bytes(self.chain)
            key.write_bytes(self.key)
            try:
                context.load_cert_chain(chain, key, password=_no_password)
            except (ssl.SSLError, ValueError) as error:
                raise CertificateError(f"no certificate with its key that can be served: {error}") from error

    def parsed(self) -> list[x509.Certificate]:
        """Return the certificate, then those of its chain.

        Raises CertificateError where there is no certificate, or where the key is not that of the first.
        """
        found = certificates(self.chain)
        if not found:
            raise CertificateError("there is no certificate in PEM")
        if found[0].public_key() != private_key(self.key).public_key():
            raise CertificateError("the key is not that of the certificate")
        return found


def self_signed(names: Iterable[str], lifetime: timedelta) -> Leaf:
    """Return a new self-signed certificate for DNS names and IP addresses (ECDSA P-256)."""
    key = new_key()
    subject = common_name(COMMON_NAME)
    certificate = (
        begun(subject, key, lifetime, datetime.now(UTC))
        .issuer_name(subject)
        .add_extension(alternative_names(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Leaf(encoded(certificate), key_pem(key))


def service_names(service: str, namespace: str, address: str | None = None) -> list[str]:
    """Return the names of a replica: those of its Service, and its address if any.

    kube-apiserver calls SERVICE.NAMESPACE.svc; the kubelet and people use the others.
    """
    names = [service, f"{service}.{namespace}", f"{service}.{namespace}.svc"]
    return [*names, address] if address else names


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM, not encrypted."""
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*shape, serialization.NoEncryption())


def common_name(name: str) -> x509.Name:
    """Return a distinguished name of a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def alternative_names(names: Iterable[str]) -> x509.SubjectAlternativeName:
    """Return the extension for DNS names and IP addresses."""
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def begun(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, lifetime: timedelta, now: datetime
) -> x509.CertificateBuilder:
    """Return the common part of a certificate: subject, key and its id, random serial number and validity.

    Certificates count whole seconds: it expires up to one second before now + lifetime.
    """
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _no_password() -> str:
    raise ValueError("the key is encrypted; a key without a passphrase is needed")


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

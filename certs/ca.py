"""A self-signed CA, and the certificates that it signs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from inspect import signature

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.leaf import CLOCK_SKEW, COMMON_NAME, Leaf, alternative_names, begun, common_name, key_pem, new_key
from certs.pem import CertificateError, certificates, encoded, extension, private_key


@dataclass(frozen=True, slots=True)
class CA:
    """The certificate of a CA and its private key, both PEM; ``make`` and ``parse`` ensure that they fit."""

    certificate: bytes
    key: bytes = field(repr=False)

    @classmethod
    def make(cls, lifetime: timedelta, now: datetime) -> CA:
        """Return a new CA with a new key (ECDSA P-256), which may sign leaves and no other CAs."""
        key = new_key()
        subject = common_name(f"{COMMON_NAME} {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        certificate = (
            begun(subject, key, lifetime, now)
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(encoded(certificate), key_pem(key))

    @classmethod
    def parse(cls, certificate: bytes, key: bytes) -> CA:
        """Return the CA in two PEM texts of unknown origin; its validity period is not checked.

        Raises CertificateError where they are not one self-signed certificate of a CA and its P-256 key.
        """
        found, private = certificates(certificate), private_key(key)
        if len(found) != 1:
            raise CertificateError(f"one certificate in PEM is needed, there are {len(found)}")
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise CertificateError("the key is not of the type ECDSA P-256")
        if found[0].public_key() != private.public_key():
            raise CertificateError("the key is not that of the certificate")
        constraints, usage = extension(found[0], x509.BasicConstraints), extension(found[0], x509.KeyUsage)
        if not (constraints and constraints.ca and usage and usage.key_cert_sign):
            raise CertificateError("the certificate is not that of a CA")
        ca = cls(encoded(found[0]), key_pem(private))
        if not ca.signed(found[0]):
            raise CertificateError("the certificate is not signed with its own key")
        return ca

    @property
    def not_before(self) -> datetime:
        """The beginning of its validity: an hour before it was made."""
        return self._parsed().not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """When it expires."""
        return self._parsed().not_valid_after_utc

    def sign(self, names: Iterable[str], lifetime: timedelta, now: datetime) -> Leaf:
        """Return a new serving certificate for DNS names and IP addresses, with a new key.

        It never outlives the CA. Raises CertificateError where the CA has expired.
        """
        ca, key, signing_key = self._parsed(), new_key(), private_key(self.key)
        assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
        left = ca.not_valid_after_utc - now
        if left <= timedelta(0):
            raise CertificateError(f"the CA expired at {self.not_after:%Y-%m-%d %H:%M:%S} UTC")
        certificate = (
            begun(common_name(COMMON_NAME), key, min(lifetime, left), now)
            .issuer_name(ca.subject)
            .add_extension(alternative_names(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_id_of(ca), critical=False)
            .sign(signing_key, hashes.SHA256())
        )
        return Leaf(encoded(certificate), key_pem(key))

    def signed(self, certificate: x509.Certificate) -> bool:
        """Return whether this CA signed the certificate."""
        try:
            certificate.verify_directly_issued_by(self._parsed())
        except Exception:
            return False
        return True

    def _parsed(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate)


def renewal(begin: datetime, end: datetime) -> datetime:
    """Return when to renew a certificate that we made: after two thirds of the time from its making to its end.

    It was made an hour after ``begin``, the beginning of its validity: this also works for lifetimes of seconds.
    """
    made = begin + CLOCK_SKEW
    return made + (end - made) * 2 / 3


def _key_id_of(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    if own := extension(ca, x509.SubjectKeyIdentifier):
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    public = ca.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in allowed for name in signature(x509.KeyUsage).parameters})

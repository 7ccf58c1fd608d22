"""Bundles: the CAs that a webhook configuration trusts (``caBundle``), as PEM."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from certs.leaf import Leaf
from certs.pem import CertificateError, certificates, encoded, why_not_valid


def union(*pems: bytes, now: datetime) -> bytes:
    """Return every certificate of the bundles once, in the order of its first appearance, but those that have ended.

    What is no certificate is left out; one that is not valid yet stays. Of nothing it is empty.
    """
    found = dict.fromkeys(
        encoded(certificate)
        for pem in pems
        for certificate in certificates(pem)
        if now < certificate.not_valid_after_utc
    )
    return b"".join(found)


def why_not_trusted(bundle: bytes, leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why a client that trusts this bundle would deny the leaf for this DNS name, or None.

    It follows what kube-apiserver, that is Go's x509.Certificate.Verify, looks at: the key is that of the certificate,
    time, name, purpose, and a chain to a certificate of the bundle. A leaf that is itself in the bundle is trusted.
    Certificates whose keys are neither RSA nor ECDSA are not trusted, where Go would trust Ed25519 too.
    """
    return why_not_usable(leaf, name, now) or why_no_chain(certificates(bundle), leaf, name, now)


def why_not_usable(leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why no client at all would accept the leaf for this DNS name, or None."""
    try:
        certificate = leaf.parsed()[0]
    except CertificateError as error:
        return str(error)
    if reason := why_not_valid(certificate, now):
        return f"the certificate is not valid: {reason}"
    names = _names(certificate)
    if not any(_is_named(name, pattern) for pattern in names):
        return f"the certificate is not for {name}, but for {', '.join(names) or 'no name'}"
    if not _is_for_servers(certificate):
        return "the certificate is not for servers"
    return None


def why_no_chain(trusted: Collection[x509.Certificate], leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why the leaf, usable for the name, leads to none of the trusted certificates, or None."""
    certificate, *others = certificates(leaf.chain)
    if certificate in trusted:
        return None
    if not trusted:
        return "there is no certificate in the bundle"
    verifier = (
        PolicyBuilder()
        .store(Store(list(trusted)))
        .time(now)
        .extension_policies(ca_policy=_CA, ee_policy=_LEAF)
        .build_server_verifier(x509.DNSName(name))
    )
    try:
        verifier.verify(certificate, others)
    except VerificationError:
        return f"the bundle has no CA valid now that signed it (issuer {certificate.issuer.rfc4514_string()!r})"
    return None


_CA = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
_LEAF = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _is_named(name: str, pattern: str) -> bool:
    """A wildcard stands for the whole first label, as in RFC 6125 §6.4.3."""
    name, pattern = name.lower(), pattern.lower()
    return name == pattern or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])


def _is_for_servers(certificate: x509.Certificate) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in purposes or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes

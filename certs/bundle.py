"""Bundles: the CAs that a webhook configuration trusts (``caBundle``), as PEM."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from certs.leaf import Leaf
from certs.pem import CertificateError, certificates, encoded, extension, why_not_valid


def union(*pems: bytes, now: datetime) -> bytes:
    """Return every certificate of the bundles once, in the order of its first appearance, except expired ones.

    Anything that is not a certificate is left out; a certificate that is not valid yet stays.
    """
    found = dict.fromkeys(
        encoded(certificate)
        for pem in pems
        for certificate in certificates(pem)
        if now < certificate.not_valid_after_utc
    )
    return b"".join(found)


def why_not_usable(leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why no client would accept the leaf for this DNS name, whatever it trusts, or None.

    As Go's x509.Certificate.Verify, and so kube-apiserver, it checks that the key fits, time, name and purpose.
    """
    try:
        certificate = leaf.parsed()[0]
    except CertificateError as error:
        return str(error)
    if reason := why_not_valid(certificate, now):
        return f"the certificate is not valid: {reason}"
    alternative = extension(certificate, x509.SubjectAlternativeName)
    names = alternative.get_values_for_type(x509.DNSName) if alternative else []
    if not any(_is_named(name, pattern) for pattern in names):
        return f"the certificate is not for {name}, but for {', '.join(names) or 'no name'}"
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and _FOR_SERVERS.isdisjoint(purposes):
        return "the certificate is not for servers"
    return None


def why_no_chain(trusted: Collection[x509.Certificate], leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why the leaf, usable for the name, has no chain to one of the trusted certificates, or None.

    A leaf that is itself trusted needs none. Keys other than RSA and ECDSA are not trusted; Go trusts Ed25519 too.
    """
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
_FOR_SERVERS = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_LEAF = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


def _is_named(name: str, pattern: str) -> bool:
    """A wildcard stands for the whole first label: RFC 6125 §6.4.3."""
    name, pattern = name.lower(), pattern.lower()
    return name == pattern or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])

"""Bundles: joined without loss, and asked whether they trust a leaf."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import CA, Leaf, union
from tests.certs import build
from tests.certs.build import CA_CERTIFICATE, DAY, HOUR, NAME, NAMES, NOW, SECOND, Issued, named

A, B, C = (CA.make(days * DAY, NOW) for days in (10, 20, 30))


def pems(*ca_certificates: CA) -> bytes:
    return b"".join(each.certificate for each in ca_certificates)


def version_5() -> bytes:
    """Return a certificate of an unknown version, for which cryptography raises another exception."""
    der = ssl.PEM_cert_to_DER_cert(pems(A).decode())
    return ssl.DER_cert_to_PEM_cert(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)).encode()


JOINED = {
    "empty ones": ([b"", b""], b""),
    "the order of first appearance": ([pems(B, A), pems(C, A)], pems(B, A, C)),
    "words around": ([b"# ours\n" + pems(A) + b"\n\n# theirs\n" + pems(B)], pems(A, B)),
    "Windows line ends": ([pems(A).replace(b"\n", b"\r\n"), pems(A)], pems(A)),
    "empty lines": ([pems(A).replace(b"\n", b"\n\n")], pems(A)),
    "a certificate cut short, before a whole one": ([pems(A)[:200] + b"\n" + pems(B)], pems(B)),
    "one cut short that hides the beginning of the next": ([pems(A)[:200] + pems(B) + pems(C)], pems(C)),
    "two without a line between": ([pems(A).rstrip() + pems(B) + pems(C)], pems(C)),
    "spaces at the ends of lines": ([pems(A).replace(b"\n", b" \n")], pems(A)),
    "a key": ([A.key + pems(A)], pems(A)),
    "nonsense in the armour": (
        [b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n", pems(A)],
        pems(A),
    ),
    "one without a line end": ([pems(A).rstrip(), pems(B)], pems(A, B)),
    "an unknown version": ([version_5(), pems(B)], pems(B)),
}


@pytest.mark.parametrize(("bundles", "joined"), JOINED.values(), ids=JOINED)
def test_each_certificate_is_kept_once(bundles: list[bytes], joined: bytes) -> None:
    assert union(*bundles, now=NOW) == joined


def test_only_expired_certificates_are_dropped() -> None:
    assert union(pems(A, B, C), now=NOW - 2 * DAY) == pems(A, B, C)
    assert union(pems(A, B, C), now=NOW + 10 * DAY - SECOND) == pems(A, B, C)
    assert union(pems(A, B, C), now=NOW + 10 * DAY) == pems(B, C)
    assert union(pems(A, B, C), now=NOW + 40 * DAY) == b""


def leaf(issuer: Issued, *extensions: x509.ExtensionType) -> Leaf:
    return Issued("leaf", *(extensions or [named(NAME)]), issuer=issuer).leaf()


ROOT = Issued("root", CA_CERTIFICATE)
BETWEEN = Issued("between", CA_CERTIFICATE, issuer=ROOT)
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
ANY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
OURS = A.sign(NAMES, DAY, NOW)
RSA_ROOT = Issued("openshift-service-serving-signer", CA_CERTIFICATE, key=rsa.generate_private_key(65537, 2048))
RSA_LEAF = Issued("leaf", named(NAME), SERVER, issuer=RSA_ROOT, key=rsa.generate_private_key(65537, 2048))
ALONE = Issued("leaf", named(NAME))
P384 = Issued("root", CA_CERTIFICATE, key=ec.generate_private_key(ec.SECP384R1()))

TRUSTED = {
    "ours": (pems(A), OURS),
    "among others": (pems(C, B, A), OURS),
    "of a root": (ROOT.pem, leaf(ROOT)),
    "over an intermediate": (ROOT.pem, Issued("leaf", named(NAME), issuer=BETWEEN).leaf(BETWEEN)),
    "of a trusted intermediate": (BETWEEN.pem, leaf(BETWEEN)),
    "RSA, as OpenShift's service CA": (RSA_ROOT.pem, RSA_LEAF.leaf(RSA_ROOT)),
    "of another curve": (P384.pem, leaf(P384)),
    "self-signed, itself in the bundle": (ALONE.pem, ALONE.leaf()),
    "for any purpose": (ROOT.pem, leaf(ROOT, named(NAME), ANY)),
    "with a wildcard": (ROOT.pem, leaf(ROOT, named("*.migratability.svc"))),
    "whatever the case": (ROOT.pem, leaf(ROOT, named("Webhook.Migratability.svc"))),
}


@pytest.mark.parametrize(("bundle", "leaf"), TRUSTED.values(), ids=TRUSTED)
def test_a_leaf_is_trusted(bundle: bytes, leaf: Leaf) -> None:
    assert build.why_not_trusted(bundle, leaf, NAME, NOW) is None


ED = Issued("root", CA_CERTIFICATE, key=ed25519.Ed25519PrivateKey.generate())
ENDED = Issued("root", CA_CERTIFICATE, begin=NOW - 2 * DAY, end=NOW - DAY)
NO_CA = Issued("root", named(NAME))
LEAF_ONLY = Issued("root", named(NAME), x509.BasicConstraints(ca=False, path_length=None))
TWIN = CA.make(10 * DAY, NOW)

DENIED = {
    "an empty bundle": (b"", OURS, "there is no certificate in the bundle"),
    "another of the same name": (TWIN.certificate, OURS, "the bundle has no CA valid now that signed it"),
    "an expired CA": (ENDED.pem, leaf(ENDED), "the bundle has no CA valid now that signed it (issuer 'CN=root')"),
    "no CA": (NO_CA.pem, leaf(NO_CA), "has no CA"),
    "one that says it is no CA": (LEAF_ONLY.pem, leaf(LEAF_ONLY), "has no"),
    "an intermediate that is not sent": (ROOT.pem, leaf(BETWEEN), "no CA"),
    "keys of Ed25519": (ED.pem, leaf(ED), "has no CA"),
    "another name": (ROOT.pem, leaf(ROOT, named("a.svc", "b.svc")), f"is not for {NAME}, but for a.svc, b.svc"),
    "a name in the subject only": (ROOT.pem, Issued(NAME, issuer=ROOT).leaf(), f"not for {NAME}, but for no name"),
    "a wildcard that is too short": (ROOT.pem, leaf(ROOT, named("*.svc")), "but for *.svc"),
    "a certificate for clients": (ROOT.pem, leaf(ROOT, named(NAME), build.FOR_CLIENTS), "not for servers"),
    "the key of another": (pems(A), Leaf(OURS.chain, B.key), "the key is not that of the certificate"),
    "another's leaf, itself in the bundle, of another name": (ALONE.pem, Issued("leaf", named("a")).leaf(), "not for"),
}


@pytest.mark.parametrize(("bundle", "leaf", "reason"), DENIED.values(), ids=DENIED)
def test_a_leaf_that_is_not_trusted_says_why(bundle: bytes, leaf: Leaf, reason: str) -> None:
    assert reason in (build.why_not_trusted(bundle, leaf, NAME, NOW) or "")


def test_a_leaf_is_trusted_while_it_is_valid() -> None:
    times = (-HOUR - SECOND, -HOUR, DAY - SECOND, DAY)
    before, *meanwhile, after = (build.why_not_trusted(pems(A), OURS, NAME, NOW + time) for time in times)
    assert before == "the certificate is not valid: it is not valid before 2027-03-01 11:00:00 UTC"
    assert meanwhile == [None, None]
    assert after == "the certificate is not valid: it expired at 2027-03-02 12:00:00 UTC"

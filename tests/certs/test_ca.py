"""A CA of our own: what it is, what it signs, and what is not taken for one."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import CA, CertificateError, Leaf
from certs.ca import renewal
from tests.certs.build import (
    CA_CERTIFICATE,
    DAY,
    HOUR,
    NAME,
    NAMES,
    NOW,
    P256,
    SECOND,
    USAGES,
    Issued,
    certificate,
    handshake,
    named,
    serving,
    trusting,
    usage,
)

YEAR, WEEK = timedelta(days=365), timedelta(days=7)
MADE = CA.make(YEAR, NOW)
LEAF = MADE.sign(NAMES, WEEK, NOW)
ROOT = x509.load_pem_x509_certificate(MADE.certificate)


def key_usages(of: x509.Certificate) -> set[str]:
    value = of.extensions.get_extension_for_class(x509.KeyUsage).value
    return {name for name in USAGES[:-2] if getattr(value, name)}


def key_id(of: x509.Certificate) -> bytes:
    return of.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_it_is_valid_from_an_hour_ago_for_its_lifetime() -> None:
    assert (MADE.not_before, MADE.not_after) == (NOW - HOUR, NOW + YEAR)


def test_so_is_a_leaf() -> None:
    leaf = certificate(LEAF)
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (NOW - HOUR, NOW + WEEK)


def test_it_may_sign_leaves_and_no_other_cas() -> None:
    constraints = ROOT.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert key_usages(ROOT) == {"key_cert_sign", "crl_sign"}


def test_a_leaf_is_for_servers_and_signs_nothing() -> None:
    extensions = certificate(LEAF).extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert key_usages(certificate(LEAF)) == {"digital_signature"}
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_leaf_names_the_key_that_signed_it() -> None:
    signer = certificate(LEAF).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert signer.key_identifier == key_id(ROOT)
    assert key_id(certificate(LEAF)) != key_id(ROOT)


@pytest.mark.parametrize("key", [MADE.key, LEAF.key], ids=["authority", "leaf"])
def test_keys_are_p_256_and_not_encrypted(key: bytes) -> None:
    private = load_pem_private_key(key, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert isinstance(private.curve, ec.SECP256R1)


def test_no_two_have_the_same_key_or_serial_number() -> None:
    leaves = [certificate(MADE.sign(NAMES, WEEK, NOW)) for _ in range(3)]
    roots = [x509.load_pem_x509_certificate(CA.make(YEAR, NOW).certificate) for _ in range(3)]
    assert len({each.serial_number for each in leaves + roots}) == 6
    assert (
        len({each.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value for each in leaves + roots}) == 6
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_it_accepts_its_leaf_for_each_name(name: str) -> None:
    now = datetime.now().astimezone()
    ca = CA.make(DAY, now)
    leaf = ca.sign(NAMES, HOUR, now)
    handshake(serving(leaf), trusting(ca.certificate), name)


def test_a_leaf_never_outlives_it() -> None:
    late = NOW + YEAR - DAY
    assert certificate(MADE.sign(NAMES, WEEK, late)).not_valid_after_utc == MADE.not_after


@pytest.mark.parametrize("late", [timedelta(0), SECOND, YEAR])
def test_it_signs_nothing_once_it_has_ended(late: timedelta) -> None:
    with pytest.raises(CertificateError, match="the CA expired at 2028-02-29 12:00:00 UTC"):
        MADE.sign(NAMES, WEEK, NOW + YEAR + late)


def test_it_knows_its_own_leaves_from_others() -> None:
    assert MADE.signed(certificate(LEAF))
    assert not CA.make(YEAR, NOW).signed(certificate(LEAF))


@pytest.mark.parametrize("lifetime", [20 * SECOND, HOUR, YEAR])
def test_it_is_to_be_renewed_at_two_thirds_however_short_it_lives(lifetime: timedelta) -> None:
    made = CA.make(lifetime, NOW)
    assert renewal(made.not_before, made.not_after) == NOW + lifetime * 2 / 3


def test_what_was_written_down_is_read_again() -> None:
    assert CA.parse(MADE.certificate, MADE.key) == MADE


def test_the_key_is_not_shown_where_it_is() -> None:
    assert "PRIVATE" not in repr(MADE)


def other_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    issued = Issued("other", CA_CERTIFICATE, usage(), key=key)
    return issued.pem, issued.key


def encrypted() -> tuple[bytes, bytes]:
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    key = load_pem_private_key(MADE.key, None)
    return MADE.certificate, key.private_bytes(*shape, serialization.BestAvailableEncryption(b"secret"))


def unknown_curve() -> bytes:
    """Return a key whose curve has another number, which fails otherwise than other nonsense."""
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    der = load_pem_private_key(MADE.key, None).private_bytes(serialization.Encoding.DER, *form)
    spoilt = base64.b64encode(der.replace(b"\xce\x3d\x03\x01\x07", b"\xce\x3d\x03\x01\x7f"))
    return b"-----BEGIN PRIVATE KEY-----\n" + spoilt + b"\n-----END PRIVATE KEY-----\n"


def pair(issued: Issued) -> tuple[bytes, bytes]:
    return issued.pem, issued.key


def forged() -> tuple[bytes, bytes]:
    """Return a certificate that names itself as its issuer, signed with another key."""
    real, other = Issued("ca", CA_CERTIFICATE, usage()), Issued("ca", CA_CERTIFICATE, usage())
    return Issued("ca", CA_CERTIFICATE, usage(), issuer=other, key=real.private).pem, real.key


FOREIGN: dict[str, tuple[Callable[[], tuple[bytes, bytes]], str]] = {
    "nothing": (lambda: (b"", b""), "the key is no private key in PEM"),
    "no certificate": (lambda: (b"", MADE.key), "one certificate in PEM is needed, there are 0"),
    "two certificates": (lambda: (MADE.certificate * 2, MADE.key), "one certificate in PEM is needed, there are 2"),
    "half a certificate": (lambda: (MADE.certificate[:300], MADE.key), "one certificate in PEM is needed, there are 0"),
    "half a key": (lambda: (MADE.certificate, MADE.key[:100]), "the key is no private key in PEM"),
    "the key of another": (lambda: (MADE.certificate, LEAF.key), "the key is not that of the certificate"),
    "an encrypted key": (encrypted, "the key is encrypted"),
    "an RSA key": (lambda: other_key(rsa.generate_private_key(65537, 2048)), "not of the type ECDSA P-256"),
    "another curve": (lambda: other_key(ec.generate_private_key(ec.SECP384R1())), "not of the type ECDSA P-256"),
    "a curve that nobody knows": (lambda: (MADE.certificate, unknown_curve()), "the key is no private key in PEM"),
    "a leaf": (lambda: (LEAF.chain, LEAF.key), "not that of a CA"),
    "no constraints": (lambda: pair(Issued("ca", usage())), "not that of a CA"),
    "no right to sign": (
        lambda: pair(Issued("ca", CA_CERTIFICATE, usage(key_cert_sign=False))),
        "not that of a CA",
    ),
    "an intermediate": (
        lambda: pair(Issued("ca", CA_CERTIFICATE, usage(), issuer=Issued("root", CA_CERTIFICATE))),
        "not signed with its own key",
    ),
    "a forged signature": (forged, "not signed with its own key"),
}


@pytest.mark.parametrize(("make", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_ca_of_ours_says_why(make: Callable[[], tuple[bytes, bytes]], reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        CA.parse(*make())


def test_one_made_elsewhere_signs_leaves_that_are_trusted() -> None:
    now = datetime.now().astimezone()
    made = Issued(
        "corporate", CA_CERTIFICATE, usage(), begin=now - HOUR, end=now + DAY, key=ec.generate_private_key(P256)
    )
    leaf = CA.parse(made.pem, made.key).sign([NAME], HOUR, now)
    assert isinstance(leaf, Leaf)
    handshake(serving(leaf), trusting(made.pem))


def test_its_name_is_no_name_of_a_server() -> None:
    with pytest.raises(x509.ExtensionNotFound):
        ROOT.extensions.get_extension_for_class(type(named()))

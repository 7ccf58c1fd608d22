"""The certificates that we make, and the CAs of others that are accepted."""

import base64
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import CA, CertificateError, self_signed
from tests.certs import build
from tests.certs.build import CA_CERTIFICATE, DAY, HOUR, NAME, NAMES, NOW, USAGES, Issued

YEAR, WEEK = timedelta(days=365), timedelta(days=7)
MADE = CA.make(YEAR, NOW)
LEAF = MADE.sign(NAMES, WEEK, NOW)
ALONE = self_signed([*NAMES, "::1"], DAY)
ROOT = x509.load_pem_x509_certificate(MADE.certificate)


def key_usages(of: x509.Certificate) -> set[str]:
    value = of.extensions.get_extension_for_class(x509.KeyUsage).value
    return {name for name in USAGES[:-2] if getattr(value, name)}


def key_id(of: x509.Certificate) -> bytes:
    return of.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_certificates_are_valid_from_an_hour_ago_for_their_lifetime() -> None:
    leaf = build.certificate(LEAF)
    assert (MADE.not_before, MADE.not_after) == (NOW - HOUR, NOW + YEAR)
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (NOW - HOUR, NOW + WEEK)
    before = datetime.now(UTC).replace(microsecond=0)
    made = build.certificate(self_signed(NAMES, DAY))
    assert before - HOUR <= made.not_valid_before_utc <= datetime.now(UTC) - HOUR
    assert before + DAY <= made.not_valid_after_utc <= datetime.now(UTC) + DAY


def test_a_ca_signs_leaves_only_and_is_no_server() -> None:
    constraints = ROOT.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert key_usages(ROOT) == {"key_cert_sign", "crl_sign"}
    with pytest.raises(x509.ExtensionNotFound):
        ROOT.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_leaf_is_for_servers_and_signs_nothing() -> None:
    assert not build.certificate(LEAF).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert key_usages(build.certificate(LEAF)) == {"digital_signature"}
    for leaf in (LEAF, ALONE):
        purposes = build.certificate(leaf).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_leaf_names_the_key_that_signed_it_and_its_ca_recognises_it() -> None:
    signer = build.certificate(LEAF).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert signer.key_identifier == key_id(ROOT) != key_id(build.certificate(LEAF))
    assert MADE.signed(build.certificate(LEAF))
    assert not CA.make(YEAR, NOW).signed(build.certificate(LEAF))


@pytest.mark.parametrize("made", [MADE, LEAF, ALONE], ids=["CA", "leaf", "self-signed leaf"])
def test_keys_are_p_256_not_encrypted_and_never_shown(made: CA) -> None:
    private = load_pem_private_key(made.key, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert isinstance(private.curve, ec.SECP256R1)
    assert "PRIVATE" not in repr(made)


def test_no_two_certificates_have_the_same_key_or_serial_number() -> None:
    leaves = [build.certificate(MADE.sign(NAMES, WEEK, NOW)) for _ in range(3)]
    alone = [build.certificate(self_signed(NAMES, DAY)) for _ in range(3)]
    made = leaves + alone + [x509.load_pem_x509_certificate(CA.make(YEAR, NOW).certificate) for _ in range(3)]
    assert len({each.serial_number for each in made}) == len({key_id(each) for each in made}) == 9


def test_clients_that_trust_its_ca_accept_a_leaf_for_each_of_its_names_and_no_other() -> None:
    now = datetime.now(UTC)
    ca, other = CA.make(DAY, now), CA.make(DAY, now)
    for bundle, leaf in ((ca.certificate, ca.sign([*NAMES, "::1"], HOUR, now)), (ALONE.chain, ALONE)):
        for name in (*NAMES, "::1"):
            build.handshake(build.serving(leaf), build.trusting(bundle), name)
        for name, trusted in (("127.0.0.2", bundle), ("elsewhere", bundle), ("svc", bundle), (NAME, other.certificate)):
            server, client = build.serving(leaf), build.trusting(trusted)
            with pytest.raises(ssl.SSLCertVerificationError):
                build.handshake(server, client, name)


def test_a_leaf_never_outlives_its_ca_which_signs_nothing_once_it_has_expired() -> None:
    assert build.certificate(MADE.sign(NAMES, WEEK, NOW + YEAR - DAY)).not_valid_after_utc == MADE.not_after
    for late in (NOW + YEAR, NOW + 2 * YEAR):
        with pytest.raises(CertificateError, match="the CA expired at 2028-02-29 12:00:00 UTC"):
            MADE.sign(NAMES, WEEK, late)


def pair(*extensions: x509.ExtensionType, issuer: Issued | None = None, key: Any = None) -> tuple[bytes, bytes]:
    issued = Issued("ca", *extensions, issuer=issuer, key=key)
    return issued.pem, issued.key


def encrypted() -> tuple[bytes, bytes]:
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    key = load_pem_private_key(MADE.key, None)
    return MADE.certificate, key.private_bytes(*shape, serialization.BestAvailableEncryption(b"secret"))


def unknown_curve() -> bytes:
    """Return a key whose curve has another number, for which cryptography raises another exception."""
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    der = load_pem_private_key(MADE.key, None).private_bytes(serialization.Encoding.DER, *form)
    invalid = base64.b64encode(der.replace(b"\xce\x3d\x03\x01\x07", b"\xce\x3d\x03\x01\x7f"))
    return b"-----BEGIN PRIVATE KEY-----\n" + invalid + b"\n-----END PRIVATE KEY-----\n"


OF_CA = (CA_CERTIFICATE, build.usage())
RSA, P384 = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())
INVALID = {
    "nothing": ((b"", b""), "the key is not a PEM private key"),
    "no certificate": ((b"", MADE.key), "one certificate in PEM is needed, there are 0"),
    "two certificates": ((MADE.certificate * 2, MADE.key), "one certificate in PEM is needed, there are 2"),
    "the key of another": ((MADE.certificate, LEAF.key), "the key is not that of the certificate"),
    "an encrypted key": (encrypted(), "the key is encrypted"),
    "an RSA key": (pair(*OF_CA, key=RSA), "not of the type ECDSA P-256"),
    "another curve": (pair(*OF_CA, key=P384), "not of the type ECDSA P-256"),
    "an unknown curve": ((MADE.certificate, unknown_curve()), "the key is not a PEM private key"),
    "a leaf": ((LEAF.chain, LEAF.key), "not that of a CA"),
    "no constraints": (pair(build.usage()), "not that of a CA"),
    "no right to sign": (pair(CA_CERTIFICATE, build.usage(key_cert_sign=False)), "not that of a CA"),
    "a forged signature": (pair(*OF_CA, issuer=Issued("ca", CA_CERTIFICATE)), "not signed with its own key"),
}


@pytest.mark.parametrize(("pems", "reason"), INVALID.values(), ids=INVALID)
def test_an_invalid_ca_is_rejected_with_the_reason(pems: tuple[bytes, bytes], reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        CA.parse(*pems)


def test_a_ca_that_another_program_made_signs_leaves_that_are_trusted() -> None:
    now = datetime.now(UTC)
    made = Issued("corporate", CA_CERTIFICATE, build.usage(), begin=now - HOUR, end=now + DAY)
    leaf = CA.parse(made.pem, made.key).sign([NAME], HOUR, now)
    build.handshake(build.serving(leaf), build.trusting(made.pem))

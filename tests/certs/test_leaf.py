"""Serving certificates: made for names, and loaded without leaving the key anywhere."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import CertificateError, Leaf, self_signed, service_names
from certs.leaf import CLOCK_SKEW
from tests.certs.build import certificate, handshake, serving, trusting

LIFETIME = timedelta(days=30)


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost", "webhook.migratability.svc"])
def test_a_client_that_trusts_it_accepts_it_for_each_of_its_names(name: str) -> None:
    leaf = self_signed(["127.0.0.1", "::1", "localhost", "webhook.migratability.svc"], LIFETIME)
    handshake(serving(leaf), trusting(leaf.chain), name)


@pytest.mark.parametrize("name", ["127.0.0.2", "elsewhere", "svc"])
def test_it_is_good_for_no_other_name(name: str) -> None:
    leaf = self_signed(["127.0.0.1", "localhost"], LIFETIME)
    client = trusting(leaf.chain)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(serving(leaf), client, name)


def test_it_is_valid_from_an_hour_ago_for_its_lifetime() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    made = certificate(self_signed(["localhost"], LIFETIME))
    after = datetime.now(UTC)
    assert before - CLOCK_SKEW <= made.not_valid_before_utc <= after - CLOCK_SKEW
    assert before + LIFETIME <= made.not_valid_after_utc <= after + LIFETIME


def test_its_key_is_p_256_and_not_encrypted() -> None:
    key = load_pem_private_key(self_signed(["localhost"], LIFETIME).key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)


def test_it_is_for_servers() -> None:
    usage = certificate(self_signed(["localhost"], LIFETIME)).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_no_two_are_alike() -> None:
    one, other = (self_signed(["localhost"], LIFETIME) for _ in range(2))
    assert one.key != other.key
    assert certificate(one).serial_number != certificate(other).serial_number


class Watching(ssl.SSLContext):
    """A context that notes what it was given to load."""

    modes: dict[str, int]

    def load_cert_chain(self, certfile: object, keyfile: object = None, password: object = None) -> None:
        key = Path(str(keyfile))
        self.modes = {"folder": stat.S_IMODE(key.parent.stat().st_mode), "key": len(key.read_bytes())}


def test_while_it_is_loaded_nobody_else_can_read_the_key() -> None:
    context = Watching(ssl.PROTOCOL_TLS_SERVER)
    self_signed(["localhost"], LIFETIME).load_into(context)
    assert context.modes["folder"] & 0o077 == 0
    assert context.modes["key"] > 0


@pytest.mark.parametrize("fits", [True, False], ids=["a pair", "no pair"])
def test_loading_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: bool) -> None:
    monkeypatch.setattr("certs.leaf._MEMORY", tmp_path)
    leaf, other = (self_signed(["localhost"], LIFETIME) for _ in range(2))
    if fits:
        serving(leaf)
    else:
        with pytest.raises(CertificateError, match="no certificate with its key that can be served"):
            serving(Leaf(leaf.chain, other.key))
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_folder_in_memory_a_temporary_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certs.leaf._MEMORY", tmp_path / "absent")
    serving(self_signed(["localhost"], LIFETIME))


JUNK = {"empty": b"", "words": b"not a certificate", "half": self_signed(["localhost"], LIFETIME).chain[:100]}


@pytest.mark.parametrize("chain", JUNK.values(), ids=JUNK)
def test_what_is_no_certificate_cannot_be_loaded(chain: bytes) -> None:
    with pytest.raises(CertificateError, match="no certificate with its key that can be served"):
        serving(Leaf(chain, self_signed(["localhost"], LIFETIME).key))


def test_the_key_is_not_shown_where_the_leaf_is() -> None:
    assert "PRIVATE" not in repr(self_signed(["localhost"], timedelta(days=1)))


def test_a_replica_is_called_by_the_names_of_its_service_and_its_own_address() -> None:
    assert service_names("webhook", "ns", "10.0.0.7") == ["webhook", "webhook.ns", "webhook.ns.svc", "10.0.0.7"]
    assert service_names("webhook", "ns") == ["webhook", "webhook.ns", "webhook.ns.svc"]


ONE, OTHER = (self_signed(["localhost"], LIFETIME) for _ in range(2))
NO_PAIR = {
    "nothing": (Leaf(b"", b""), "there is no certificate in PEM"),
    "no certificate": (Leaf(ONE.key, ONE.key), "there is no certificate in PEM"),
    "half a certificate": (Leaf(JUNK["half"], ONE.key), "there is no certificate in PEM"),
    "no key": (Leaf(ONE.chain, ONE.chain), "the key is no private key in PEM"),
    "half a key": (Leaf(ONE.chain, ONE.key[:100]), "the key is no private key in PEM"),
    "the key of another": (Leaf(ONE.chain, OTHER.key), "the key is not that of the certificate"),
}


@pytest.mark.parametrize(("leaf", "reason"), NO_PAIR.values(), ids=NO_PAIR)
def test_what_is_no_pair_of_certificate_and_key_says_why(leaf: Leaf, reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        leaf.parsed()

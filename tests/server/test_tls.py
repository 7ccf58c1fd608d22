"""What is shown at a handshake: which leaf, which versions and suites, and whom it asks for a certificate."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from certs import CertificateError, Leaf, self_signed
from tests.certs.build import CA_CERTIFICATE, FOR_CLIENTS, Issued, handshake, issued_today, named, usage
from webhook.server.client_authentication import Clients
from webhook.server.tls import TLS_VERSIONS, TlsContext

ADDRESS = "127.0.0.1"
ONE, TWO = (self_signed([ADDRESS], timedelta(days=1)) for _ in range(2))


class Source:
    """Decides what is served, as a test tells it."""

    def __init__(self, leaf: Leaf | None) -> None:
        self.leaf = leaf

    def current(self) -> Leaf | None:
        return self.leaf


def client(**options: object) -> ssl.SSLContext:
    """Return a client's context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


def shown(tls: TlsContext) -> bytes | None:
    return handshake(tls.current(), client(), ADDRESS).getpeercert(binary_form=True)


def der(leaf: Leaf) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.chain.decode())


def test_what_the_source_has_is_served_from_the_next_handshake_on() -> None:
    source = Source(ONE)
    tls = TlsContext(source, ADDRESS)
    assert shown(tls) == der(ONE)
    source.leaf = TWO
    assert shown(tls) == der(TWO)


def test_while_the_source_has_nothing_a_self_signed_certificate_is_shown_so_that_probes_get_an_answer() -> None:
    source = Source(None)
    tls = TlsContext(source, ADDRESS)
    own = shown(tls)
    assert own
    assert shown(tls) == own
    handshake(tls.current(), ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(own)), ADDRESS)
    source.leaf = ONE
    assert shown(tls) == der(ONE)


def test_a_context_is_made_only_when_the_leaf_changes() -> None:
    source = Source(ONE)
    tls = TlsContext(source, ADDRESS)
    first = tls.current()
    source.leaf = Leaf(ONE.chain, ONE.key)
    assert tls.current() is first
    source.leaf = TWO
    second = tls.current()
    assert second is not first
    assert tls.current() is second


def test_what_cannot_be_loaded_is_said_once_and_the_old_one_served(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(ONE)
    tls = TlsContext(source, ADDRESS)
    source.leaf = Leaf(TWO.chain, ONE.key)
    assert shown(tls) == shown(tls) == der(ONE)
    assert [record.getMessage()[:38] for record in caplog.records] == ["still serving the old certificate: the"]
    source.leaf = TWO
    assert shown(tls) == der(TWO)


def test_the_versions_to_choose_from_are_those_of_the_settings() -> None:
    assert list(TLS_VERSIONS) == ["1.2", "1.3"]


VERSIONS = {
    ("1.2", ssl.TLSVersion.TLSv1_2): "TLSv1.2",
    ("1.2", ssl.TLSVersion.TLSv1_3): "TLSv1.3",
    ("1.3", ssl.TLSVersion.TLSv1_3): "TLSv1.3",
    ("1.3", ssl.TLSVersion.TLSv1_2): None,
}


@pytest.mark.parametrize(("minimum", "offered"), VERSIONS)
def test_a_version_below_the_minimum_is_denied(minimum: str, offered: ssl.TLSVersion) -> None:
    tls = TlsContext(None, ADDRESS, minimum=TLS_VERSIONS[minimum])
    spoken = VERSIONS[minimum, offered]
    if spoken is None:
        with pytest.raises(ssl.SSLError):
            handshake(tls.current(), client(maximum_version=offered), ADDRESS)
    else:
        assert handshake(tls.current(), client(maximum_version=offered), ADDRESS).version() == spoken


def test_tls_1_2_is_the_minimum_where_nothing_else_is_said() -> None:
    assert TlsContext(None, ADDRESS).current().minimum_version == ssl.TLSVersion.TLSv1_2


def test_every_suite_has_forward_secrecy_and_authenticated_encryption() -> None:
    suites = TlsContext(None, ADDRESS).current().get_ciphers()
    assert suites
    assert all(suite["aead"] for suite in suites)
    assert all(suite["protocol"] == "TLSv1.3" or suite["kea"] == "kx-ecdhe" for suite in suites)


@pytest.mark.parametrize("suites", ["ECDHE+AESGCM", "ECDHE+CHACHA20"])
def test_a_client_of_tls_1_2_finds_a_suite(suites: str) -> None:
    wanted = client(maximum_version=ssl.TLSVersion.TLSv1_2)
    wanted.set_ciphers(suites)
    handshake(TlsContext(None, ADDRESS).current(), wanted, ADDRESS)


@pytest.mark.parametrize("suites", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_a_client_that_speaks_only_cbc_does_not(suites: str) -> None:
    wanted = client(maximum_version=ssl.TLSVersion.TLSv1_2)
    wanted.set_ciphers(f"{suites}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        handshake(TlsContext(None, ADDRESS).current(), wanted, ADDRESS)


ROOT, OTHER_ROOT = (issued_today("clients", CA_CERTIFICATE, usage()) for _ in range(2))
"""Two CAs of one name."""
APISERVER, FORGED = (
    issued_today("kube-apiserver", named("any"), FOR_CLIENTS, issuer=issuer) for issuer in (ROOT, OTHER_ROOT)
)


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "clients.crt"
    path.write_bytes(ROOT.pem)
    return path


def showing(issued: Issued) -> ssl.SSLContext:
    """Return a client of TLS 1.2, which hears at the handshake whether its certificate is accepted."""
    context = client(maximum_version=ssl.TLSVersion.TLSv1_2)
    issued.leaf().load_into(context)
    return context


def test_a_client_certificate_of_the_right_ca_is_accepted(ca_file: Path) -> None:
    tls = TlsContext(None, ADDRESS, clients=Clients(ca_file))
    handshake(tls.current(), showing(APISERVER), ADDRESS)


def test_one_of_another_ca_fails_the_handshake(ca_file: Path) -> None:
    tls = TlsContext(None, ADDRESS, clients=Clients(ca_file))
    with pytest.raises(ssl.SSLError):
        handshake(tls.current(), showing(FORGED), ADDRESS)


def test_a_client_without_one_may_shake_hands_since_probes_have_none(ca_file: Path) -> None:
    handshake(TlsContext(None, ADDRESS, clients=Clients(ca_file)).current(), client(), ADDRESS)


def test_a_replaced_file_of_cas_is_followed(ca_file: Path) -> None:
    tls = TlsContext(None, ADDRESS, clients=Clients(ca_file))
    before = tls.current()
    ca_file.write_bytes(OTHER_ROOT.pem)
    handshake(tls.current(), showing(FORGED), ADDRESS)
    ca_file.write_bytes(b"")
    handshake(tls.current(), showing(FORGED), ADDRESS)
    assert tls.current() is not before


NO_CAS = {"none": None, "empty": b"", "words": b"garbage", "no ASCII": b"\xff", "half": ROOT.pem[:100]}


@pytest.mark.parametrize("content", NO_CAS.values(), ids=NO_CAS)
def test_a_file_without_cas_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clients.crt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CertificateError, match=r"clients\.crt: No such file|clients\.crt: no certificates of CAs"):
        TlsContext(None, ADDRESS, clients=Clients(path))

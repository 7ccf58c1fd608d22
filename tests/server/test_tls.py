"""The TLS context: which certificate, versions and suites it serves, and whose certificates it verifies."""

import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from certs import CertificateError, Leaf, self_signed
from tests.certs.build import CA_CERTIFICATE, FOR_CLIENTS, Issued, handshake, issued_today, named, usage
from tests.localcluster.probes import unverified
from tests.server.conftest import ADDRESS, CHECKOUT
from webhook.server.client_authentication import Clients
from webhook.server.tls import TLS_VERSIONS, TlsContext

ONE, TWO = (self_signed([ADDRESS], timedelta(days=1)) for _ in range(2))


class Source:
    def __init__(self, leaf: Leaf | None) -> None:
        self.leaf = leaf

    def current(self) -> Leaf | None:
        return self.leaf


def client(maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
    """Return a client's context that accepts any certificate."""
    context = unverified()
    context.maximum_version = maximum
    return context


def shown(tls: TlsContext) -> bytes | None:
    return handshake(tls.current(), client(), ADDRESS).getpeercert(binary_form=True)


def der(leaf: Leaf) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.chain.decode())


def test_without_a_leaf_a_self_signed_certificate_for_the_address_is_served() -> None:
    source = Source(None)
    tls = TlsContext(source, ADDRESS)
    own = shown(tls)
    assert own
    assert shown(tls) == own
    handshake(tls.current(), ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(own)), ADDRESS)
    source.leaf = ONE
    assert shown(tls) == der(ONE)


def test_new_leaf_of_the_source_is_served_from_the_next_handshake_on_and_only_then_makes_a_context() -> None:
    source = Source(ONE)
    tls = TlsContext(source, ADDRESS)
    first = tls.current()
    assert shown(tls) == der(ONE)
    source.leaf = Leaf(ONE.chain, ONE.key)
    assert tls.current() is first
    source.leaf = TWO
    second = tls.current()
    assert shown(tls) == der(TWO)
    assert tls.current() is second


def write(folder: Path, leaf: Leaf) -> tuple[Path, Path]:
    (folder / "tls.crt").write_bytes(leaf.chain)
    (folder / "tls.key").write_bytes(leaf.key)
    return folder / "tls.crt", folder / "tls.key"


UNUSABLE: dict[str, Callable[[Path, Path], object]] = {
    "new certificate, old key": lambda chain, _: chain.write_bytes(TWO.chain),
    "old certificate, new key": lambda _, key: key.write_bytes(TWO.key),
    "half a certificate": lambda chain, _: chain.write_bytes(ONE.chain[: len(ONE.chain) // 2]),
    "empty key": lambda _, key: key.write_bytes(b""),
    "no certificate": lambda chain, _: chain.unlink(),
}


@pytest.mark.parametrize("corrupt", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_pair_is_logged_once_and_the_old_one_served(
    corrupt: Callable[[Path, Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = TlsContext(files := write(tmp_path, ONE), ADDRESS)
    corrupt(*files)
    assert shown(tls) == shown(tls) == der(ONE)
    assert [message.partition(": ")[0] for message in caplog.messages] == ["still serving the old certificate"]
    write(tmp_path, TWO)
    assert shown(tls) == der(TWO)


@pytest.mark.parametrize(("minimum", "offered"), [("1.2", "1.2"), ("1.2", "1.3"), ("1.3", "1.3"), ("1.3", "1.2")])
def test_version_below_the_minimum_is_denied(minimum: str, offered: str) -> None:
    tls = TlsContext(None, ADDRESS, minimum=TLS_VERSIONS[minimum])
    with nullcontext() if minimum <= offered else pytest.raises(ssl.SSLError):
        assert handshake(tls.current(), client(TLS_VERSIONS[offered]), ADDRESS).version() == f"TLSv{offered}"


def test_default_is_tls_1_2_and_every_suite_has_forward_secrecy_and_authenticated_encryption() -> None:
    context = TlsContext(None, ADDRESS).current()
    suites = context.get_ciphers()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert all(suite["aead"] for suite in suites)
    assert all(suite["protocol"] == "TLSv1.3" or suite["kea"] == "kx-ecdhe" for suite in suites)
    of_tls_1_2 = {suite["symmetric"] for suite in suites if suite["protocol"] == "TLSv1.2"}
    assert of_tls_1_2 == {"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"}
    wanted = client(ssl.TLSVersion.TLSv1_2)
    wanted.set_ciphers("ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        handshake(context, wanted, ADDRESS)


ROOT, OTHER_ROOT = (issued_today("clients", CA_CERTIFICATE, usage()) for _ in range(2))
"""Two CAs with the same name."""
APISERVER, FORGED = (
    issued_today("kube-apiserver", named("any"), FOR_CLIENTS, issuer=issuer) for issuer in (ROOT, OTHER_ROOT)
)


def showing(issued: Issued) -> ssl.SSLContext:
    """Return a client of TLS 1.2, whose handshake fails where its certificate is not accepted."""
    context = client(ssl.TLSVersion.TLSv1_2)
    issued.leaf().load_into(context)
    return context


def test_client_certificate_must_be_of_the_ca_but_may_be_absent_as_probes_have_none(tmp_path: Path) -> None:
    (ca_file := tmp_path / "clients.crt").write_bytes(ROOT.pem)
    tls = TlsContext(None, ADDRESS, clients=Clients(ca_file))
    handshake(tls.current(), showing(APISERVER), ADDRESS)
    handshake(tls.current(), client(), ADDRESS)
    with pytest.raises(ssl.SSLError):
        handshake(tls.current(), showing(FORGED), ADDRESS)


def test_replaced_ca_file_is_followed_and_an_empty_one_ignored(tmp_path: Path) -> None:
    (ca_file := tmp_path / "clients.crt").write_bytes(ROOT.pem)
    tls = TlsContext(None, ADDRESS, clients=Clients(ca_file))
    before = tls.current()
    ca_file.write_bytes(OTHER_ROOT.pem)
    handshake(tls.current(), showing(FORGED), ADDRESS)
    ca_file.write_bytes(b"")
    handshake(tls.current(), showing(FORGED), ADDRESS)
    assert tls.current() is not before


NO_CAS = {"none": None, "empty": b"", "no ASCII": b"\xff", "half": ROOT.pem[:100]}


@pytest.mark.parametrize("content", NO_CAS.values(), ids=NO_CAS)
def test_file_without_ca_certificates_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clients.crt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CertificateError, match=r"clients\.crt: No such file|clients\.crt: no CA certificates"):
        TlsContext(None, ADDRESS, clients=Clients(path))


SCRIPT = """
import itertools, logging, sys, threading
from pathlib import Path
from tests.certs.build import handshake
from tests.server.test_tls import ADDRESS, ONE, TWO, client, write
from webhook.server.tls import TlsContext

def shake_hands():
    try:
        for _ in range(100):
            handshake(tls.current(), client(), ADDRESS)
    except BaseException as error:
        failures.append(error)

logging.disable()
folder, failures = Path(sys.argv[1]), []
tls = TlsContext(write(folder, ONE), ADDRESS)
threads = [threading.Thread(target=shake_hands) for _ in range(8)]
for thread in threads:
    thread.start()
for leaf in itertools.cycle((TWO, ONE)):
    write(folder, leaf)
    if not any(thread.is_alive() for thread in threads):
        break
sys.exit(repr(failures[0]) if failures else 0)
"""


def test_a_certificate_can_be_replaced_while_many_clients_shake_hands(tmp_path: Path) -> None:
    """In a process of its own, since an error in OpenSSL crashes it."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-500:]}"

"""Serving certificates: checked, and loaded without leaving the key anywhere."""

import ssl
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certs import CertificateError, Leaf, self_signed, service_names
from tests.certs.build import handshake, serving, trusting

ONE, OTHER = (self_signed(["localhost"], timedelta(days=30)) for _ in range(2))


class Watching(ssl.SSLContext):
    """A context that asserts who may read the key."""

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        assert stat.S_IMODE(Path(keyfile).parent.stat().st_mode) & 0o077 == 0
        super().load_cert_chain(certfile, keyfile, password)


def test_the_key_is_readable_by_nobody_else_while_it_is_loaded() -> None:
    context = Watching(ssl.PROTOCOL_TLS_SERVER)
    ONE.load_into(context)
    handshake(context, trusting(ONE.chain), "localhost")


INVALID = {"no pair": OTHER.chain, "empty": b"", "words": b"not a certificate", "half": ONE.chain[:100]}


@pytest.mark.parametrize("chain", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("folder", [".", "absent"], ids=["in memory", "no folder in memory"])
def test_loading_leaves_no_file_behind_also_where_the_certificate_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, chain: bytes
) -> None:
    monkeypatch.setattr("certs.leaf._MEMORY", tmp_path / folder)
    serving(ONE)
    with pytest.raises(CertificateError, match="no certificate with its key that can be served"):
        serving(Leaf(chain, ONE.key))
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_a_replica_are_those_of_its_service_and_its_own_address() -> None:
    assert service_names("webhook", "ns", "10.0.0.7") == ["webhook", "webhook.ns", "webhook.ns.svc", "10.0.0.7"]
    assert service_names("webhook", "ns") == ["webhook", "webhook.ns", "webhook.ns.svc"]

"""A running server follows its files: the process goes on, and open connections too."""

import ssl
from datetime import timedelta
from pathlib import Path

from certs import self_signed
from tests.build import disk, review, vm
from tests.server.conftest import Serve, send
from tests.server.test_settings_file import replace

OLD, NEW = (self_signed(["127.0.0.1"], timedelta(days=1)) for _ in range(2))


def test_replaced_certificate_and_settings_are_used_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    chain, key, settings = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "settings.yaml"
    chain.write_bytes(OLD.chain)
    key.write_bytes(OLD.key)
    settings.write_text("mode: warn\n")
    old, new = (ssl.PEM_cert_to_DER_cert(leaf.chain.decode()) for leaf in (OLD, NEW))
    bad = review(vm(disk("once"), evictionStrategy="LiveMigrate"))
    server = serve("--cert-file", chain, "--key-file", key, "--config", settings)
    assert (server.certificate(), server.validate(bad)["allowed"]) == (old, True)
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200

    replace(chain, NEW.chain)
    assert server.certificate() == old
    server.await_log("still serving the old certificate")
    replace(key, NEW.key)
    replace(settings, b"mode: deny\n")
    assert (server.certificate(), server.validate(bad)["allowed"]) == (new, False)
    assert send(connection, "GET", "/livez")[0] == 200
    assert connection.sock.getpeercert(binary_form=True) == old
    connection.close()
    assert server.log().count("Booting worker") == 1

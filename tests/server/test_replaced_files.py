"""Certificate and settings follow their files: the process goes on, and what cannot be used is not taken over."""

import os
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from certs import Leaf, self_signed
from tests.build import Object, disk, review, vm
from tests.server.conftest import Serve, Server, send

REQUEST = review(vm(disk("once"), evictionStrategy="LiveMigrate"))
OLD, NEW = (self_signed(["127.0.0.1"], timedelta(days=1)) for _ in range(2))


def replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of an old one, as kubelet does."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)


class Files:
    """A certificate and its key on disk."""

    def __init__(self, folder: Path) -> None:
        self.chain, self.key = folder / "tls.crt", folder / "tls.key"
        self.put(OLD)

    def put(self, leaf: Leaf) -> None:
        replace(self.chain, leaf.chain)
        replace(self.key, leaf.key)

    @property
    def arguments(self) -> tuple[str | Path, ...]:
        return "--cert-file", self.chain, "--key-file", self.key


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def der(leaf: Leaf) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.chain.decode())


def test_the_certificate_in_the_files_is_served(serve: Serve, files: Files) -> None:
    assert serve(*files.arguments).certificate() == der(OLD)


def test_a_replaced_certificate_is_served_without_a_restart_and_old_connections_live_on(
    serve: Serve, files: Files
) -> None:
    server = serve(*files.arguments)
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200
    files.put(NEW)
    assert server.certificate() == der(NEW)
    assert send(connection, "GET", "/livez")[0] == 200
    assert connection.sock.getpeercert(binary_form=True) == der(OLD)
    connection.close()
    assert server.log().count("Booting worker") == 1


UNUSABLE: dict[str, Callable[[Files], None]] = {
    "the new certificate beside the old key": lambda files: replace(files.chain, NEW.chain),
    "the new key beside the old certificate": lambda files: replace(files.key, NEW.key),
    "half a certificate": lambda files: replace(files.chain, OLD.chain[: len(OLD.chain) // 2]),
    "an empty key": lambda files: replace(files.key, b""),
    "no certificate": lambda files: files.chain.unlink(),
}


@pytest.mark.parametrize("corrupt", UNUSABLE.values(), ids=UNUSABLE)
def test_a_pair_that_cannot_be_served_keeps_the_old_one_and_is_logged(
    serve: Serve, files: Files, corrupt: Callable[[Files], None]
) -> None:
    server = serve(*files.arguments)
    corrupt(files)
    assert server.certificate() == der(OLD)
    server.await_log("still serving the old certificate")
    assert server.request("GET", "/readyz")[0] == 200
    files.put(NEW)
    assert server.certificate() == der(NEW)


def test_a_self_signed_certificate_names_the_address_it_is_served_at(serve: Serve) -> None:
    server = serve()
    server.context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(server.certificate()))
    assert server.request("GET", "/livez")[0] == 200


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text("mode: deny\n")
    return path


def outcome(server: Server) -> str:
    """Return what becomes of a VM with a ReadWriteOnce disk."""
    response: Object = server.validate(REQUEST)
    if not response["allowed"]:
        return "refused"
    return "warned" if "warnings" in response else "admitted"


def test_the_next_request_is_evaluated_by_edited_settings(serve: Serve, settings: Path) -> None:
    server = serve("--config", settings)
    seen = [outcome(server)]
    for mode in ("warn", '"off"', "off", "deny"):
        replace(settings, f"mode: {mode}\n".encode())
        seen.append(outcome(server))
    assert seen == ["refused", "warned", "admitted", "admitted", "refused"]


def test_settings_that_change_in_place_are_noticed_too(serve: Serve, settings: Path) -> None:
    server = serve("--config", settings)
    settings.write_text("rules: {shared-access: warn}\n")
    assert outcome(server) == "warned"


BROKEN = {
    "not YAML": b"mode: [",
    "a mode that there is not": b"mode: maybe\n",
    "a setting that there is not": b"mood: deny\n",
    "no mapping": b"- deny\n",
    "not UTF-8": b"mode: \xff\n",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_settings_keep_the_old_ones_in_force_and_are_logged(
    serve: Serve, settings: Path, content: bytes
) -> None:
    replace(settings, b"mode: warn\n")
    server = serve("--config", settings)
    replace(settings, content)
    assert [outcome(server), outcome(server)] == ["warned", "warned"]
    assert server.log().count("settings not taken over, the old ones stay in force") == 1
    replace(settings, b"mode: deny\n")
    assert outcome(server) == "refused"


def test_settings_that_are_taken_away_stay_in_force(serve: Serve, settings: Path) -> None:
    replace(settings, b"mode: warn\n")
    server = serve("--config", settings)
    settings.unlink()
    assert outcome(server) == "warned"

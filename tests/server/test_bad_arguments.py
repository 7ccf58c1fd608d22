"""Where the server cannot begin it says why in one line and ends with status 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization

from certs import self_signed
from tests.controller.fake import INSTALLATION
from tests.server.conftest import ADDRESS, CHECKOUT
from webhook.cli.main import main

POD = {"POD_NAME": "pod-1", "POD_NAMESPACE": "migratability", "POD_IP": "10.0.0.1"}
KUBECONFIG = {
    "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    "users": [{"name": "x", "user": {}}],
    "current-context": "x",
}
LEAF, OTHER = (self_signed(["localhost"], timedelta(days=1)) for _ in range(2))

USAGE = {
    "port 0": (["--port", "0"], "'0' is not a port from 1 to 65535"),
    "port 65536": (["--port", "65536"], "'65536' is not a port from 1 to 65535"),
    "port a word": (["--port", "https"], "'https' is not a port from 1 to 65535"),
    "an unknown option": (["--http"], "unrecognized arguments: --http"),
}
"""argparse shows the usage first; the last line says what is wrong."""

ONE_LINE = {
    "a certificate without key": (["--cert-file", "tls.crt"], "--cert-file and --key-file go together"),
    "a key without certificate": (["--key-file", "tls.key"], "--cert-file and --key-file go together"),
    "no such certificate": (["--cert-file", "none", "--key-file", "tls.key"], "none: No such file or directory"),
    "no such key": (["--cert-file", "tls.crt", "--key-file", "none"], "none: No such file or directory"),
    "a key of another certificate": (["--cert-file", "tls.crt", "--key-file", "other.key"], "no certificate with its"),
    "a certificate that is none": (["--cert-file", "cluster.yaml", "--key-file", "tls.key"], "no certificate with its"),
    "an encrypted key": (["--cert-file", "tls.crt", "--key-file", "encrypted.key"], "the key is encrypted"),
    "an address that is not ours": (["--address", "192.0.2.1"], "cannot listen on 192.0.2.1 port 8443"),
    "no such snapshot": (["--cluster", "none"], "none: No such file or directory"),
    "a snapshot that is no YAML": (["--cluster", "bad.yaml"], "bad.yaml: neither YAML nor JSON"),
    "no such settings": (["--config", "none"], "none: No such file or directory"),
    "settings that cannot be": (["--config", "settings.yaml"], "settings.yaml: mode: must be one of deny, warn, off"),
}


def encrypted(key: bytes) -> bytes:
    """Return a private key behind a passphrase."""
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return serialization.load_pem_private_key(key, None).private_bytes(
        *shape, serialization.BestAvailableEncryption(b"secret")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the tables name."""
    folder = tmp_path_factory.mktemp("arguments")
    contents = {
        "tls.crt": LEAF.chain,
        "tls.key": LEAF.key,
        "other.key": OTHER.key,
        "encrypted.key": encrypted(LEAF.key),
        "cluster.yaml": b"",
        "bad.yaml": b"kind: [",
        "settings.yaml": b"mode: maybe",
        "kubeconfig": yaml.safe_dump(KUBECONFIG).encode(),
        "installation.yaml": yaml.safe_dump(INSTALLATION).encode(),
        "clients.yaml": yaml.safe_dump({**INSTALLATION, "clientAuthentication": {"caFile": "none.crt"}}).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def serve(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run the command in the folder, in this process; it must end before it serves."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("webhook.cli.serve.configure_logging", lambda: None)
    monkeypatch.setattr("webhook.server.run.Server.run", lambda _: pytest.fail("it serves"))

    def run(*arguments: str) -> Done:
        try:
            status = main(["serve", "--address", ADDRESS, *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Done(status, *capsys.readouterr())

    return run


def is_one_line(done: Done, complaint: str) -> bool:
    (line,) = done.err.splitlines()
    is_about = line.startswith("migratability: ") and complaint in line
    return is_about and (done.status, done.out) == (2, "")


@pytest.mark.parametrize(("arguments", "complaint"), ONE_LINE.values(), ids=ONE_LINE)
def test_bad_input_is_one_line_and_status_2(serve: Callable[..., Done], arguments: list[str], complaint: str) -> None:
    cluster = () if "--cluster" in arguments else ("--cluster", "cluster.yaml")
    assert is_one_line(serve(*cluster, *arguments), complaint)


@pytest.mark.parametrize(("arguments", "complaint"), USAGE.values(), ids=USAGE)
def test_a_bad_option_is_said_last_and_status_2(
    serve: Callable[..., Done], arguments: list[str], complaint: str
) -> None:
    done = serve(*arguments)
    assert complaint in done.err.splitlines()[-1]
    assert (done.status, done.out) == (2, "")


INSTALLED = {
    "no such installation": ({}, ["--installation", "none"], "none: No such file or directory"),
    "an installation that cannot be": ({}, ["--installation", "settings.yaml"], "installation: unknown setting 'mode'"),
    "no pod": ({"POD_IP": ""}, ["--installation", "installation.yaml"], "the environment variable POD_IP is not set"),
    "a pod elsewhere": (
        {"POD_NAMESPACE": "default"},
        ["--installation", "installation.yaml"],
        "namespace: is migratability, but this pod is in default",
    ),
    "a snapshot too": ({}, ["--installation", "installation.yaml", "--cluster", "cluster.yaml"], "goes with neither"),
    "a certificate too": (
        {},
        ["--installation", "installation.yaml", "--cert-file", "tls.crt", "--key-file", "tls.key"],
        "goes with neither",
    ),
    "no CA of its clients": (
        {"KUBECONFIG": "kubeconfig"},
        ["--installation", "clients.yaml"],
        "none.crt: No such file or directory",
    ),
}


@pytest.mark.parametrize(("pod", "arguments", "complaint"), INSTALLED.values(), ids=INSTALLED)
def test_an_installation_that_cannot_be_is_one_line_and_status_2(
    serve: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    pod: dict[str, str],
    arguments: list[str],
    complaint: str,
) -> None:
    for name, value in {**POD, **pod}.items():
        monkeypatch.setenv(name, value)
    assert is_one_line(serve(*arguments), complaint)


def test_without_a_cluster_to_ask_it_says_what_to_name(folder: Path) -> None:
    """As a process of its own, so that nothing else is printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}
    done = subprocess.run(
        [sys.executable, "-m", "webhook.cli.main", "serve", "--address", ADDRESS],
        cwd=folder,
        env={**environment, "HOME": str(folder), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    (line,) = done.stderr.splitlines()
    assert "name a kubeconfig in KUBECONFIG, or give --cluster a snapshot" in line
    assert done.returncode == 2

"""A server that cannot start says why on one line and ends with status 2."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from certs import self_signed
from tests.controller.fake import INSTALLATION
from tests.server.conftest import ADDRESS
from webhook.cli.main import main

Complaint = Callable[..., str]
POD = {"POD_NAME": "pod-1", "POD_NAMESPACE": "migratability", "POD_IP": "10.0.0.1", "KUBECONFIG": "kubeconfig"}
KUBECONFIG = b"""
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
users: [{name: x, user: {}}]
current-context: x
"""
LEAF, OTHER = (self_signed(["localhost"], timedelta(days=1)) for _ in range(2))

FILES = ["--cert-file", "tls.crt", "--key-file", "tls.key"]
INSTALLED = ["--installation", "installation.yaml"]
BAD: dict[str, tuple[list[str], str]] = {
    "port 0": (["--port", "0"], "'0' is not a port from 1 to 65535"),
    "port 65536": (["--port", "65536"], "'65536' is not a port from 1 to 65535"),
    "certificate without key": (FILES[:2], "--cert-file and --key-file go together"),
    "key without certificate": (FILES[2:], "--cert-file and --key-file go together"),
    "missing key": ([*FILES[:3], "none"], "none: No such file or directory"),
    "key of another certificate": ([*FILES[:3], "other.key"], "no certificate with its"),
    "foreign address": (["--address", "192.0.2.1"], "cannot listen on 192.0.2.1 port 8443"),
    "missing snapshot": (["--cluster", "none"], "none: No such file or directory"),
    "invalid settings": (["--config", "settings.yaml"], "settings.yaml: mode: must be one of deny, warn, off"),
    "missing installation": (["--installation", "none"], "none: No such file or directory"),
    "invalid installation": (["--installation", "settings.yaml"], "installation: unknown setting 'mode'"),
    "installation and snapshot": ([*INSTALLED, "--cluster", "cluster.yaml"], "goes with neither"),
    "installation and certificate": ([*INSTALLED, *FILES], "goes with neither"),
    "no CA of its clients": (["--installation", "clients.yaml"], "none.crt: No such file or directory"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arguments")
    contents = {
        "tls.crt": LEAF.chain,
        "tls.key": LEAF.key,
        "other.key": OTHER.key,
        "cluster.yaml": b"",
        "settings.yaml": b"mode: maybe",
        "kubeconfig": KUBECONFIG,
        "installation.yaml": yaml.safe_dump(INSTALLATION).encode(),
        "clients.yaml": yaml.safe_dump({**INSTALLATION, "clientAuthentication": {"caFile": "none.crt"}}).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def complaint(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complaint:
    """Run the command in the folder, in this process; it must end with status 2, and say why on the last line."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("webhook.cli.serve.configure_logging", lambda: None)
    monkeypatch.setattr("webhook.server.run.Server.run", lambda _: pytest.fail("it serves"))
    for name, value in POD.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        try:
            status = main(["serve", "--address", ADDRESS, *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert (status, out) == (2, "")
        usage, _, line = err.rstrip("\n").rpartition("\n")
        assert usage == "" or usage.startswith("usage: ")
        return line

    return run


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_status_2(complaint: Complaint, arguments: list[str], words: str) -> None:
    snapshot = [] if {"--cluster", "--installation"} & set(arguments) else ["--cluster", "cluster.yaml"]
    line = complaint(*snapshot, *arguments)
    assert line.startswith("migratability")
    assert words in line


UNFIT = {
    "POD_IP": ("", INSTALLED, "the environment variable POD_IP is not set"),
    "POD_NAMESPACE": ("default", INSTALLED, "namespace: is migratability, but this pod is in default"),
    "KUBECONFIG": ("none", [], "name a kubeconfig in KUBECONFIG, or give --cluster a snapshot"),
}


@pytest.mark.parametrize(("name", "value", "arguments", "words"), [(name, *row) for name, row in UNFIT.items()])
def test_environment_without_api_server_or_of_another_pod_than_the_installations_is_bad_input(
    complaint: Complaint, monkeypatch: pytest.MonkeyPatch, name: str, value: str, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv(name, value)
    assert words in complaint(*arguments)

"""A server that cannot start says why on one line and ends with status 2."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from certs import self_signed
from tests.controller.fake import INSTALLATION
from tests.server.conftest import ADDRESS
from webhook.cli.main import main

KUBECONFIG = b"""
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
users: [{name: x, user: {}}]
current-context: x
"""
LEAF, OTHER = (self_signed(["localhost"], timedelta(days=1)) for _ in range(2))

SNAPSHOT, FILES = "--cluster cluster.yaml", "--cert-file tls.crt --key-file"
INSTALLED = "--installation installation.yaml"
POD = "POD_NAME=pod-1 POD_NAMESPACE=migratability POD_IP=10.0.0.1 KUBECONFIG=kubeconfig"
BAD: dict[str, str] = {
    f"{SNAPSHOT} --port 0": "'0' is not a port from 1 to 65535",
    f"{SNAPSHOT} --port 65536": "'65536' is not a port from 1 to 65535",
    f"{SNAPSHOT} --cert-file tls.crt": "--cert-file and --key-file go together",
    f"{SNAPSHOT} --key-file tls.key": "--cert-file and --key-file go together",
    f"{SNAPSHOT} {FILES} none": "none: No such file or directory",
    f"{SNAPSHOT} {FILES} other.key": "no certificate with its",
    f"{SNAPSHOT} --address 192.0.2.1": "cannot listen on 192.0.2.1 port 8443",
    f"{SNAPSHOT} --config settings.yaml": "settings.yaml: mode: must be one of deny, warn, off",
    "--cluster none": "none: No such file or directory",
    "KUBECONFIG=none": "name a kubeconfig in KUBECONFIG, or give --cluster a snapshot",
    "--installation none": "none: No such file or directory",
    "--installation settings.yaml": "installation: unknown setting 'mode'",
    "--installation clients.yaml": "none.crt: No such file or directory",
    f"{INSTALLED} {SNAPSHOT}": "goes with neither",
    f"{INSTALLED} {FILES} tls.key": "goes with neither",
    f"POD_IP= {INSTALLED}": "the environment variable POD_IP is not set",
    f"POD_NAMESPACE=default {INSTALLED}": "namespace: is migratability, but this pod is in default",
}
"""What is wrong with arguments, after variables of the environment."""


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


@pytest.mark.parametrize(("command", "words"), BAD.items(), ids=BAD)
def test_bad_input_is_one_line_and_status_2(
    command: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("webhook.cli.serve.configure_logging", lambda: None)
    monkeypatch.setattr("webhook.server.run.Server.run", lambda _: pytest.fail("it serves"))
    arguments = ["--address", ADDRESS]
    for word in f"{POD} {command}".split():
        name, is_variable, value = word.partition("=")
        monkeypatch.setenv(name, value) if is_variable else arguments.append(word)
    try:
        status = main(["serve", *arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)
    out, err = capsys.readouterr()
    usage, _, line = err.rstrip("\n").rpartition("\n")
    assert (status, out) == (2, "")
    assert usage == "" or usage.startswith("usage: ")
    assert line.startswith("migratability")
    assert words in line

"""Real kubectl, and the kubeconfig files it reads."""

import base64
import os
import subprocess
from pathlib import Path

import yaml

from tests.localcluster.controlplane import write_secret
from tests.localcluster.credentials import Identity
from tests.localcluster.errors import KubectlError


def write_kubeconfig(path: Path, url: str, ca_pem: bytes, user: str, identity: Identity) -> None:
    """Write a kubeconfig that holds all it needs in itself."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority-data": _base64(ca_pem)}}],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _base64(identity.certificate),
                    "client-key-data": _base64(identity.key),
                },
            }
        ],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
        "current-context": "local",
    }
    write_secret(path, yaml.safe_dump(config, sort_keys=False).encode())


def run(
    program: Path,
    arguments: tuple[str, ...],
    *,
    kubeconfig: Path,
    home: Path,
    stdin: str | None,
    check: bool,
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """Run kubectl with `home` as its home, where its caches go.

    Raises KubectlError when it takes longer than `timeout` seconds or, with `check`, ends with an error.
    """
    command = f"kubectl {' '.join(arguments)}"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(home / "cache")}
    try:
        done = subprocess.run(
            [program, *arguments],
            input="" if stdin is None else stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KubectlError(f"`{command}` took longer than {timeout:g} s") from error
    if check and done.returncode != 0:
        raise KubectlError(f"`{command}` ended with {done.returncode}:\n{done.stderr.strip()}")
    return done


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()

"""How the process that stands for a container finds the volumes of its pod.

Containers see their volumes at mount paths of their own. A process without a mount namespace cannot, and making one
needs rights that not every user has, so nothing is mounted at all: wherever a mount path stands in the arguments, the
environment or a mounted ConfigMap of a container, the volume's folder is put in its place. That is the same for every
user and on every VM.

One path stands in nobody's text: the official Python client reads the service account's token and CA from a fixed
place. `BOOTSTRAP` starts the program with these two constants of the client changed. A kubeconfig with a `tokenFile`
would need no such change, but the client reads that file only once, while a token in a pod is read again each minute:
the program would take another way than in a pod, and would lose its access when its token ends.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.localcluster.api import Object

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_BEFORE, _AFTER = r"(?<![\w./-])", r"(?![\w.-])"

BOOTSTRAP = """
import importlib.machinery, runpy, sys

MODULE = "kubernetes.config.incluster_config"

class InCluster:
    @staticmethod
    def find_spec(name, path, target=None):
        if name != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            module.SERVICE_TOKEN_FILENAME = folder + "/token"
            module.SERVICE_CERT_FILENAME = folder + "/ca.crt"
        spec.loader.exec_module = exec_module
        return spec

_, folder, *arguments = sys.argv
sys.argv = ["migratability", *arguments]
sys.meta_path.insert(0, InCluster)
runpy.run_module("webhook.cli.main", run_name="__main__", alter_sys=True)
"""
"""Runs the webhook's command line; its first argument is the folder of the service account."""


@dataclass(frozen=True)
class Mounts:
    """The mount paths of a container, or of several, and the folders or files they stand for."""

    targets: tuple[tuple[str, Path], ...]

    @classmethod
    def of(cls, containers: Sequence[Object], volumes: Path) -> "Mounts":
        """Return the mounts of containers whose volumes are folders below `volumes`."""
        targets = {}
        for container in containers:
            for mount in container.get("volumeMounts") or []:
                source = volumes / mount["name"]
                targets[mount["mountPath"].rstrip("/")] = source / mount["subPath"] if "subPath" in mount else source
        return cls(tuple(targets.items()))

    @property
    def paths(self) -> set[str]:
        """The mount paths."""
        return {path for path, _ in self.targets}

    def translate(self, text: str) -> str:
        """Put the folders in the place of the mount paths that stand in `text`; the longest path goes first."""
        if not self.targets:
            return text
        paths = sorted(self.paths, key=len, reverse=True)
        found = dict(self.targets)
        pattern = f"{_BEFORE}({'|'.join(map(re.escape, paths))}){_AFTER}"
        return re.sub(pattern, lambda match: str(found[match[1]]), text)

    def folder(self, path: str) -> Path:
        """Return what stands for a path in the container."""
        return Path(self.translate(path))

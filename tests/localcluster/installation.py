"""The webhook on the local cluster: its process behind a Service, its permissions and its webhook configurations."""

import base64
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.localcluster.cluster import LocalCluster
from tests.localcluster.credentials import CA
from tests.localcluster.errors import StartError
from tests.localcluster.processes import Child, spawn
from webhook.cluster.resources import RESOURCES
from webhook.controller.webhook_configurations import webhook_configurations

NAMESPACE = "migratability"
SERVICE = "migratability-webhook"
CLUSTER_IP = "127.96.0.50"
ACCOUNT = "migratability-webhook"
_START_SECONDS = 180.0
_COUNTER = "migratability_admission_requests_total"
_PROBE = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
}
"""A VM that is never stored: it only makes the API server call us."""


class Installation:
    """One process of the webhook that answers the local cluster's API server through a Service.

    It asks the API server as a user of its own, who may read what `webhook.cluster.resources` names and nothing else.
    """

    def __init__(self, cluster: LocalCluster, arguments: Sequence[str] = ()) -> None:
        """Install into a running cluster; ``arguments`` go to ``migratability serve``."""
        self.cluster = cluster
        self.port = free_port(CLUSTER_IP)
        self.url = f"https://{CLUSTER_IP}:{self.port}"
        self.log = cluster.directory / f"webhook-{self.port}.log"
        self._arguments = arguments
        self._ca = CA("migratability webhook test CA")
        self._trusting = ssl.create_default_context(cadata=self._ca.pem.decode())
        self._child: Child | None = None

    def __enter__(self) -> Self:
        """Start the process, wait until it is ready, apply the webhook configurations."""
        self.start()
        self.configure()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the webhook configurations away, then end the process."""
        self.cleanup()
        self.stop()

    def start(self) -> None:
        """Apply Service and permissions and start the process; returns when it is ready.

        Raises StartError with the end of the process' log where it does not become ready.
        """
        apply(self.cluster, _foundation(self.port))
        certificate = self._ca.server(SERVICE, [CLUSTER_IP, f"{SERVICE}.{NAMESPACE}.svc"])
        files = {"cert": certificate.certificate, "key": certificate.key}
        options = []
        for name, content in files.items():
            path = self.cluster.directory / f"webhook-{self.port}.{name}"
            path.write_bytes(content)
            path.chmod(0o600)
            options += [f"--{name}-file", str(path)]
        serve = (sys.executable, "-m", "webhook.cli.main", "serve", "--address", CLUSTER_IP, "--port", str(self.port))
        self._child = spawn(
            "migratability",
            [*serve, *options, *self._arguments],
            self.log,
            Path.cwd(),
            {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig_for(ACCOUNT))},
        )
        self._await_ready(self._child)

    def stop(self) -> None:
        """End the process with SIGTERM."""
        if self._child:
            self._child.stop(grace=40)

    def configure(self) -> None:
        """Apply both webhook configurations; returns when the API server goes by both.

        Raises StartError where it does not within a minute.
        """
        service = {"namespace": NAMESPACE, "name": SERVICE, "port": self.port}
        apply(self.cluster, webhook_configurations(service, base64.b64encode(self._ca.pem).decode()))
        deadline = time.monotonic() + _START_SECONDS
        before = self.calls()
        while any(now <= then for now, then in zip(self.calls(), before, strict=True)):
            if time.monotonic() > deadline:
                raise StartError("the API server does not call the webhook")
            self.cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(_PROBE), check=False)

    def calls(self) -> tuple[float, float]:
        """Return how many requests /mutate and /validate have answered."""
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(f"{_COUNTER}{{")]
        mutated, validated = (
            sum(float(line.split()[-1]) for line in lines if f'path="{path}"' in line)
            for path in ("/mutate", "/validate")
        )
        return mutated, validated

    def cleanup(self) -> None:
        """Delete both webhook configurations."""
        kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
        self.cluster.kubectl("delete", kinds, "--all", "--ignore-not-found")

    def get(self, path: str) -> str:
        """Return the body of a GET from the process."""
        with urllib.request.urlopen(self.url + path, context=self._trusting, timeout=60) as response:
            body: bytes = response.read()
        return body.decode()

    def _await_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.get("/readyz")
                return
            except (urllib.error.URLError, OSError) as error:
                if child.process.poll() is not None or time.monotonic() > deadline:
                    child.stop()
                    raise StartError(f"the webhook did not become ready: {error}\n{child.tail()}") from error
            time.sleep(0.05)


def apply(cluster: LocalCluster, objects: Sequence[dict[str, Any]]) -> None:
    """Apply objects, and then the status of those that have one, as the controller that owns it would write it."""
    cluster.kubectl("apply", "-f", "-", stdin=_list(objects))
    with_status = [obj for obj in objects if "status" in obj]
    if with_status:
        options = ("--server-side", "--force-conflicts", "--subresource=status")
        cluster.kubectl("apply", *options, "-f", "-", stdin=_list(with_status))


def _list(objects: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def _foundation(port: int) -> list[dict[str, Any]]:
    """Namespace, Service and permissions."""
    rules = [
        {
            "apiGroups": [resource.group],
            "resources": [resource.plural],
            "verbs": ["get", "list", "watch"] if resource.watched else ["get"],
        }
        for resource in RESOURCES
    ]
    rules.append({"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]})
    subject = {"kind": "User", "name": ACCOUNT, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": NAMESPACE},
            "spec": {"clusterIP": CLUSTER_IP, "ports": [{"port": port}]},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": ACCOUNT},
            "rules": rules,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def free_port(address: str) -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
    return port

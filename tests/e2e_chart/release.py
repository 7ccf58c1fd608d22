"""The chart, installed by Helm on the local cluster's nodes, and what can be seen of the release."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.build import Object
from tests.chart.helm import run
from tests.clusters import PORT, WithNodes
from tests.documentation import CHART
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import OWNED, VALIDATING, Seen
from tests.eventually import eventually
from webhook.objects import at, items

_VALUES = f"--set=service.port={PORT},test.namespace=vms,certificates.trustDelay=2s"
"""A port that needs no root, a namespace for test VMs, and certificates that are served soon."""
_OURS = f"app.kubernetes.io/name={NAME},app.kubernetes.io/instance={NAME}"
_WAIT = ("--wait", "--timeout=300s")


class Release(Seen):
    """At most one release of the chart, with two replicas unless its values say otherwise."""

    def __init__(self, site: WithNodes) -> None:
        """Use a cluster with nodes; install nothing yet."""
        super().__init__(site.cluster)
        self.site, self.nodes = site, site.nodes
        self.values: Object = {}

    def helm(self, *arguments: str, **options: Any) -> None:
        """Run Helm; raises AssertionError where it fails."""
        done = self.try_helm(*arguments, **options)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.logs[-6000:]}"

    def try_helm(
        self, *arguments: str, program: str = "helm", namespace: str = NAMESPACE, values: Object | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run Helm as the administrator, with values beside those of all releases."""
        options = ["--kubeconfig", str(self.cluster.kubeconfig), "--namespace", namespace]
        options += [] if values is None else [_VALUES, "--values=-"]
        return run(*arguments, *options, stdin=json.dumps(values), program=program)

    def install(self, values: Object | None = None, program: str = "helm", *, wait: bool = True) -> None:
        """Install with values; returns when Helm says that it is done, or at once."""
        self.values = values or {}
        options = ("--create-namespace", *(_WAIT if wait else ()))
        self.helm("install", NAME, str(CHART), *options, program=program, values=self.values)

    def upgrade(self, values: Object | None = None, *options: str) -> None:
        """Change to these values; returns when Helm says that it is done."""
        self.values = values or {}
        self.helm("upgrade", NAME, str(CHART), *_WAIT, *options, values=self.values)

    def uninstall(self) -> None:
        """Uninstall the release; returns when its pods are gone too."""
        self.helm("uninstall", NAME, *_WAIT)
        self.await_no_pods()

    def remove(self) -> None:
        """Remove the release without hooks, if there is one; returns when nothing of it is left."""
        self.try_helm("uninstall", NAME, "--no-hooks")
        self.cluster.kubectl("delete", "pods", "--all", "--namespace", NAMESPACE, "--grace-period=0", "--force")
        eventually("nothing of the release is left", lambda: not self.pods and self.left_over == [])

    @contextmanager
    def installed(self, values: Object, *, wait: bool = True) -> Iterator["Release"]:
        """Give a release with values of its own; it is removed afterwards, without hooks."""
        try:
            self.install(values, wait=wait)
            if wait:
                self.await_in_force()
            yield self
        finally:
            self.remove()

    def await_in_force(self) -> None:
        """Return when all pods are ready and the API server denies and patches by what they say."""
        replicas = self.values.get("replicaCount", 2)
        eventually("all replicas are ready", lambda: len(self.ready_pods) == len(self.pods) == replicas)
        eventually("the webhook denies and patches", lambda: self.denies and self.answer("good") == "LiveMigrate")

    def await_no_pods(self) -> None:
        """Return when no pod of the release is there any more."""
        eventually("all pods are gone", lambda: not self.pods)

    @property
    def pods(self) -> list[Object]:
        """The pods of the release."""
        return list(self.api.list(f"/api/v1/namespaces/{NAMESPACE}/pods", {"labelSelector": _OURS}))

    @property
    def ready_pods(self) -> dict[str, str]:
        """The addresses of the pods that are ready and stay, by name."""
        return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in self.pods if is_ready(pod)}

    @property
    def logs(self) -> str:
        """The logs of the pods that are there."""
        return "\n".join(self.nodes.logs(pod["metadata"]["name"], NAMESPACE) for pod in self.pods)

    @property
    def address(self) -> tuple[str, int]:
        """Where the Service is reached."""
        return str(at(self.read(f"/api/v1/namespaces/{NAMESPACE}/services/{NAME}"), "spec", "clusterIP")), PORT

    def edit(self, path: str, patch: Object) -> None:
        """Merge a patch into an object, as somebody does by hand."""
        kind, name = path.split("/")[-2:]
        self.cluster.kubectl("patch", kind, name, "-n", NAMESPACE, "--type=merge", "--patch", json.dumps(patch))

    def configured(self, field: str) -> set[Any]:
        """Return the values of a field of the validating webhooks that are about VirtualMachines."""
        found = items((self.read(VALIDATING) or {}).get("webhooks"))
        return {webhook[field] for webhook in found if webhook["name"].startswith("virtualmachines.")}

    @property
    def left_over(self) -> list[str]:
        """The paths of what the webhook makes for itself and is there."""
        return [path for path in OWNED if self.read(path)]

    @property
    def labelled(self) -> list[str]:
        """Names of all objects that are labelled as ours or the release's."""
        kinds = ",".join(self.cluster.kubectl("api-resources", "--verbs=list", "--output=name").stdout.split())
        labels = (f"app.kubernetes.io/{key}={NAME}" for key in ("managed-by", "part-of", "instance"))
        found = (self.cluster.kubectl("get", kinds, "-A", "-o", "name", "-l", label).stdout for label in labels)
        return sorted({name for names in found for name in names.split()})

    def doctor(self) -> tuple[int, list[tuple[str, str]]]:
        """Return the doctor's exit status, and status and words of what it finds, as an administrator runs it."""
        command = [sys.executable, "-m", "webhook.cli.main", "doctor", "--namespace=vms", "--output=json"]
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.stdout, done.stderr
        return done.returncode, [(found["status"], found["what"]) for found in json.loads(done.stdout)]


def is_ready(pod: Object) -> bool:
    """Say whether a pod is ready and stays."""
    conditions = {found["type"]: found["status"] for found in items(at(pod, "status", "conditions"))}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]

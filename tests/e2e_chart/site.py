"""A cluster with nodes on which Helm installs the chart, and what can be seen of the release."""

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.documentation import CHART
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import CA_SECRET, LEASE, MUTATING, OWNER_ROLE, PROBE, VALIDATING, admin, answer
from tests.localcluster import LocalCluster, Nodes, binaries
from tests.workloads import eventually
from webhook.cluster.api import Client
from webhook.objects import Object, at, items

VALUES = ("service.port=8443", "test.namespace=vms", "certificates.trustDelay=2s")
"""A port that needs no root, VMs to test with, and certificates that are served soon."""
MADE_BY_US = (VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET, OWNER_ROLE)
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"

_KINDS = (
    "namespaces,pods,deployments,replicasets,jobs,services,configmaps,secrets,serviceaccounts,leases,"
    "poddisruptionbudgets,networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings,"
    "validatingwebhookconfigurations,mutatingwebhookconfigurations"
)


class Site:
    """The cluster, and at most one release on it that tests share."""

    def __init__(self, cluster: LocalCluster, nodes: Nodes) -> None:
        """Use a running cluster with running nodes."""
        self.cluster = cluster
        self.nodes = nodes
        self.api: Client = admin(cluster)

    def helm(self, *arguments: str, program: str = "helm", namespace: str = NAMESPACE) -> str:
        """Return what Helm prints; raises AssertionError where it fails."""
        done = self.try_helm(*arguments, program=program, namespace=namespace)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def try_helm(
        self, *arguments: str, program: str = "helm", namespace: str = NAMESPACE
    ) -> "subprocess.CompletedProcess[str]":
        """Run Helm as the administrator."""
        home = str(self.cluster.directory)
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "HOME": home}
        command = [str(binaries.ensure(program)[program]), *arguments, "--namespace", namespace]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)

    def install(self, program: str = "helm") -> None:
        """Install the chart as the documentation says; returns when Helm says that it is done."""
        options = ("--create-namespace", "--wait", "--timeout=300s", *set_options(VALUES))
        self.helm("install", NAME, str(CHART), *options, program=program)

    def have_release(self) -> None:
        """Install the chart where it is not, and return when the webhook is in force."""
        if not self.is_installed:
            self.install()
        self.await_in_force()

    def upgrade(self, *values: str, chart: Path = CHART) -> None:
        """Change some values and no others, or the chart; returns when Helm says that it is done."""
        self.helm("upgrade", NAME, str(chart), "--wait", "--timeout=300s", *set_options((*VALUES, *values)))

    def uninstall(self, *options: str, program: str = "helm") -> None:
        """Uninstall the release; returns when its pods are gone too."""
        self.helm("uninstall", NAME, *options, "--wait", "--timeout=300s", program=program)
        self.await_no_pods()

    @property
    def is_installed(self) -> bool:
        """Whether Helm knows of the release."""
        return self.try_helm("status", NAME).returncode == 0

    def await_in_force(self) -> None:
        """Return when two pods answer and the API server denies and patches by what they say."""
        eventually("two pods are ready, and no others are there", lambda: len(self.ready_pods) == len(self.pods) == 2)
        eventually("the webhook is in force", lambda: self.denies and self.patches)

    def await_no_pods(self) -> None:
        """Return when no pod of the release is there any more."""
        eventually("all pods are gone", lambda: not self.pods)

    def scale(self, replicas: int) -> None:
        """Have so many pods; returns at once."""
        self.cluster.kubectl("scale", f"deployment/{NAME}", f"--replicas={replicas}", "-n", NAMESPACE)

    @property
    def pods(self) -> list[str]:
        """The names of the pods that answer, or did."""
        return [found["metadata"]["name"] for found in self._pods()]

    @property
    def ready_pods(self) -> list[str]:
        """The names of those that are ready and stay."""
        return [
            found["metadata"]["name"]
            for found in self._pods()
            if "deletionTimestamp" not in found["metadata"] and is_ready(found)
        ]

    def logs(self) -> str:
        """Return the ends of the logs of all pods that are there."""
        return "\n".join(f"{name}:\n{self.nodes.logs(name, NAMESPACE)[-3000:]}" for name in self.pods)

    @property
    def denies(self) -> bool:
        """Whether a VM with a ReadWriteOnce disk is denied for that."""
        return "[shared-access]" in self.answer("once")

    @property
    def patches(self) -> bool:
        """Whether a good VM gets the strategy."""
        return self.answer("good") == "LiveMigrate"

    def answer(self, claim: str) -> str:
        """Return what becomes of a new VM with a PVC: its evictionStrategy, else why it is denied."""
        return answer(self.api, claim)

    def read(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path, None where nothing is."""
        return self.api.get(path)

    def configured(self, field: str) -> set[Any]:
        """Return the values of a field of the validating webhooks that are about VirtualMachines."""
        found = items((self.read(VALIDATING) or {}).get("webhooks"))
        return {webhook[field] for webhook in found if webhook["name"].startswith("virtualmachines.")}

    @property
    def is_configured(self) -> bool:
        """Whether API servers are told to ask the webhook about anything."""
        return bool(self.read(VALIDATING) or self.read(MUTATING))

    @property
    def left_over(self) -> list[str]:
        """The paths of what the webhook makes for itself and is there."""
        return [path for path in MADE_BY_US if self.read(path)]

    @property
    def labelled(self) -> list[str]:
        """Names of all objects that are labelled as ours or the release's."""
        found = [
            self.cluster.kubectl("get", _KINDS, "-A", "-o", "name", f"--selector={label}={NAME}").stdout.split()
            for label in ("app.kubernetes.io/managed-by", "app.kubernetes.io/part-of", "app.kubernetes.io/instance")
        ]
        return sorted({name for names in found for name in names})

    def _pods(self) -> list[Any]:
        selector = {"labelSelector": f"app.kubernetes.io/name={NAME},app.kubernetes.io/instance={NAME}"}
        return list(self.api.list(_PODS, selector))


def is_ready(pod: Object) -> bool:
    """Say whether a pod is ready."""
    conditions = items(at(pod, "status", "conditions"))
    return any((at(found, "type"), at(found, "status")) == ("Ready", "True") for found in conditions)


def set_options(values: tuple[str, ...]) -> list[str]:
    """Return values as Helm's command line takes them."""
    return [option for value in values for option in ("--set", value)]

"""What is seen of the webhook on a cluster, and a release of the chart whose pods the tests start and end."""

import http.client
import itertools
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.build import Object, of_kind
from tests.chart.helm import render
from tests.clusters import PORT
from tests.e2e.admission.conftest import vm
from tests.e2e_controller.permissions import CONFIGURATIONS, NAME, NAMESPACE, OWNER, RBAC, SECRET
from tests.eventually import eventually
from tests.localcluster import LocalCluster, Nodes
from tests.localcluster.installation import apply
from tests.localcluster.probes import unverified
from webhook.cluster.api import Api, ApiError
from webhook.controller.plan import is_ready
from webhook.objects import at

KUBEVIRTS_NAMESPACE = "openshift-cnv"
VALIDATING = f"/apis/{CONFIGURATIONS}/v1/validatingwebhookconfigurations/migratability"
MUTATING = f"/apis/{CONFIGURATIONS}/v1/mutatingwebhookconfigurations/migratability"
PROBE = f"{VALIDATING}-probe"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
CA_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}"
OWNER_ROLE = f"/apis/{RBAC}/v1/clusterroles/{OWNER}"
OWNED = (OWNER_ROLE, VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET)
VMS = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines"
_NUMBERS = itertools.count()
"""Of pods: the logs of one that is gone stay under its name."""
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
KILLED = ("--force", "--grace-period=0")
"""Options by which the deletion of a pod kills its process."""


class Seen:
    """What an administrator sees of a release."""

    def __init__(self, cluster: LocalCluster) -> None:
        """Use a running cluster."""
        self.cluster = cluster
        self.api = Api.connect(str(cluster.kubeconfig)).until(math.inf, longest=30)

    def read(self, path: str) -> Object | None:
        """Return what the API server has at a path, None where nothing is."""
        return self.api.get(path)

    def strategy_of_new(self, claim: str) -> str:
        """Return the evictionStrategy of a new VM with a PVC; raises ApiError where it is denied."""
        stored = self.api.create(VMS, vm(claim), dry_run=True)
        return str(stored["spec"]["template"]["spec"].get("evictionStrategy") or "")

    def answer(self, claim: str) -> str:
        """Return what becomes of a new VM with a PVC: its evictionStrategy, else why it is denied."""
        try:
            return self.strategy_of_new(claim)
        except ApiError as error:
            return str(error)

    @property
    def denies(self) -> bool:
        """Whether a VM with a ReadWriteOnce disk is denied for that."""
        return "[shared-access]" in self.answer("once")


@dataclass(frozen=True)
class Replica:
    """One pod of a release."""

    release: "Release"
    name: str

    def get(self, path: str) -> str:
        """Return the body of a GET."""
        address = str(at(self.pod, "status", "podIP"))
        with closing(http.client.HTTPSConnection(address, PORT, timeout=30, context=unverified())) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    @property
    def pod(self) -> Object:
        """The pod as it is now."""
        return self.release.read(f"{_PODS}/{self.name}") or {}

    @property
    def is_ready(self) -> bool:
        """Whether the kubelet calls it ready."""
        return is_ready(self.pod)

    @property
    def is_leader(self) -> bool:
        """Whether it says that it is the leader."""
        return "migratability_leader_election_master_status 1.0" in self.get("/metrics")

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self.release.nodes.logs(self.name, NAMESPACE)

    def stop(self, *options: str) -> None:
        """Delete the pod; returns when it is gone."""
        self.release.cluster.kubectl("delete", "pod", self.name, "-n", NAMESPACE, *options)


class Release(Seen):
    """The objects of the chart without its hooks, on a cluster where no controller acts on its Deployment."""

    def __init__(self, cluster: LocalCluster, nodes: Nodes) -> None:
        """Have all but pods."""
        super().__init__(cluster)
        self.nodes = nodes
        self.replicas: list[Replica] = []
        self.chart = render({"service": {"port": PORT}, "certificates": {"trustDelay": "1s"}})
        root = of_kind("v1", "ConfigMap", "kube-root-ca.crt", NAMESPACE, data={"ca.crt": cluster.ca_pem.decode()})
        apply(cluster, [of_kind("v1", "Namespace", NAMESPACE), root])
        self.install()

    def install(self) -> None:
        """Apply the chart's objects."""
        apply(self.cluster, [obj for obj in self.chart.objects if "helm.sh/hook" not in str(obj["metadata"])])

    def start(self) -> Replica:
        """Start one more replica; returns at once."""
        replica = Replica(self, f"{NAME}-{next(_NUMBERS)}")
        template = self.chart.get("Deployment")["spec"]["template"]
        self.api.create(_PODS, of_kind("v1", "Pod", replica.name, **template["metadata"], spec=template["spec"]))
        self.replicas.append(replica)
        return replica

    def close(self) -> None:
        """Kill the replicas, and remove what they made and the ClusterRole that owns it."""
        self.cluster.kubectl("delete", "pods", "--all", "-n", NAMESPACE, *KILLED)
        eventually("no replica runs", lambda: not self.nodes.processes(NAMESPACE))
        for path in OWNED:
            self.api.delete(path)

    def await_in_force(self) -> None:
        """Return when both configurations are there and the API server denies and patches by them.

        A good VM is never denied meanwhile.
        """
        both = (VALIDATING, MUTATING)
        eventually("the webhook configurations", lambda: all(map(self.read, both)) and not self.read(PROBE))
        eventually(
            "the API server denies and patches", lambda: self.denies and self.strategy_of_new("good") == "LiveMigrate"
        )

    def edit(self, path: str, change: Callable[[Any], object]) -> None:
        """Change a live object by hand."""
        live = self.read(path)
        change(live)
        self.api.replace(path, live)

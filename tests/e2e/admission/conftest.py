"""The webhook on a real API server, with users who may exempt and users who may not."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.build import RWO, RWX, Object, claim, disk
from tests.build_paths import CONTROLLER, KUBEVIRT, owned
from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.e2e.objects import declared, instance_spec
from tests.e2e.preexisting.api import collection, path_of
from tests.e2e_controller.permissions import permission
from tests.localcluster.api import Response
from tests.localcluster.installation import Installation
from webhook.names import UNVERIFIED
from webhook.objects import at

ADMIN, ALICE, CAROL = "admin", "alice", "carol"
"""Alice and carol may do everything with VMs and namespaces; carol may exempt, by a Role in the VMs' namespace."""
NAMES = map("m-{}".format, itertools.count())
"""In C, so that threads may share it."""
Answer = tuple[bool, str]
"""Whether a call did what it was asked, and what kubectl prints; a warning is part of that."""
_EVERYTHING = ["get", "list", "create", "update", "patch", "delete"]
_GROUPS = ["kubevirt.io", "pool.kubevirt.io", "snapshot.kubevirt.io", "clone.kubevirt.io"]


def _declared(kind: str, *claims: str, **fields: Any) -> Object:
    return declared(kind, instance_spec(map(disk, claims)), **{"name": next(NAMES), **fields})


vm, vmi = partial(_declared, "VirtualMachine"), partial(_declared, "VirtualMachineInstance")
replica_set, pool = partial(_declared, "VirtualMachineInstanceReplicaSet"), partial(_declared, "VirtualMachinePool")
"""Return a VM of that kind with PVCs as its disks."""


def started(owner: Object, *claims: str) -> Object:
    """Return the VMI that KubeVirt makes for a VirtualMachine, with the annotations of its template."""
    annotations = at(owner, "spec", "template", "metadata", "annotations") or {}
    return owned(vmi(*claims, name=owner["metadata"]["name"], annotations=annotations), owner)


def stored(name: str, *access_modes: str, **spec: Any) -> Object:
    """Return a PVC that an API server takes."""
    return claim(name, *access_modes, resources={"requests": {"storage": "1Gi"}}, **spec)


def unverified_by(obj: Object | None) -> list[str | None]:
    """Return the unverified annotations of a stored VM and of its template."""
    return [at(obj, *place, "annotations", UNVERIFIED) for place in (("metadata",), ("spec", "template", "metadata"))]


class Site:
    """The cluster as its users have it."""

    def __init__(self, installation: Installation) -> None:
        """Use a cluster with the webhook installed."""
        self.installation = installation
        self.cluster = installation.cluster
        self._client = cache(lambda user: self.cluster.client() if user == ADMIN else self.cluster.client_for(user))

    def kubectl(self, *arguments: str, stdin: object = None, user: str = ALICE) -> Answer:
        """Run kubectl as a user."""
        text = None if stdin is None else json.dumps(stdin)
        done = self.cluster.kubectl(*arguments, stdin=text, user=user, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def create(self, obj: Object, user: str = ALICE) -> Answer:
        """Create an object, as `kubectl create` does but in less time."""
        return _said(self._client(user).request("POST", f"{collection(obj)}?fieldValidation=Strict", obj))

    def have(self, obj: Object, user: str = ALICE) -> Object:
        """Create an object that is admitted, and return it as it is stored."""
        created, output = self.create(obj, user)
        assert created, output
        return self.get(obj)

    def get(self, obj: Object) -> Object:
        """Return an object as it is stored."""
        return self.cluster.client().request("GET", path_of(obj)).object()

    def replace(self, obj: Object, subresource: str = "", user: str = ALICE) -> Answer:
        """Replace an object, or a subresource such as "/status"."""
        return _said(self._client(user).request("PUT", f"{path_of(obj)}{subresource}", obj))

    def patch(self, obj: Object, patch: Object, subresource: str = "", user: str = ALICE) -> Answer:
        """Merge a patch into an object, or a subresource such as "/status"."""
        path = f"{path_of(obj)}{subresource}"
        return _said(self._client(user).request("PATCH", path, patch, content_type="application/merge-patch+json"))

    def delete(self, obj: Object, user: str = ALICE) -> Answer:
        """Delete an object; it stays as long as it has finalizers."""
        return _said(self._client(user).request("DELETE", path_of(obj)))

    def calls(self, action: Callable[[], Any]) -> Counter[tuple[str, str, str]]:
        """Return which requests an action causes to the webhook: path, operation, resource."""
        before = requests_to(self.installation)
        action()
        return requests_to(self.installation) - before


def requests_to(installation: Installation) -> Counter[tuple[str, str, str]]:
    """Return how many requests the webhook has answered, by path, operation and resource."""
    found: Counter[tuple[str, str, str]] = Counter()
    for family in text_string_to_metric_families(installation.get("/metrics")):
        for sample in family.samples:
            if sample.name == "migratability_admission_requests_total":
                labels = sample.labels
                found[labels["path"], labels["operation"], labels["resource"]] += int(sample.value)
    return found


def _said(answer: Response) -> Answer:
    """Return whether a call did what it was asked, and its warnings and its error as kubectl prints them."""
    lines = [f"Warning: {text}" for text in answer.warnings]
    return answer.ok, "\n".join(lines if answer.ok else [*lines, str(answer.object().get("message"))])


@pytest.fixture(scope="package", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster as users have it."""
    running = clusters.clean(request.param)
    furnish(running, claim("good", RWX, mode="Filesystem"), claim("once", RWO), KUBEVIRT, *_users())
    with Installation(running) as installation:
        yield Site(installation)


def _users() -> list[Object]:
    vms = {"apiGroups": _GROUPS, "resources": ["*"], "verbs": _EVERYTHING}
    spaces = {"apiGroups": [""], "resources": ["namespaces", "namespaces/status", "namespaces/finalize"]}
    right = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["exempt"]}
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    return [
        *permission("ClusterRole", {}, [vms, {**spaces, "verbs": _EVERYTHING}], ALICE, CAROL),
        *permission("Role", {"namespace": "vms"}, [right], CAROL),
        *permission("ClusterRole", {}, [everything], CONTROLLER),
    ]

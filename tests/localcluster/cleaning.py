"""A running cluster made as it was at the beginning: whatever was created since then is removed.

Nothing but the API server is needed for that, no controller that collects garbage or empties a namespace. What was
there at the beginning and has been changed stays changed.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.localcluster.cluster import LocalCluster
from tests.localcluster.errors import LocalClusterError

Object = dict[str, Any]
_DEADLINE = 180.0
_THREADS = 4
_FORCED: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WEBHOOKS = tuple(
    f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations" for kind in ("validating", "mutating")
)
_NAMESPACES = "/api/v1/namespaces"
_EVENTS = ("/apis/events.k8s.io/", "/api/v1/events")
"""Nothing depends on them, and there are many."""
_PROBE = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
}


class Cleaner:
    """Knows what a cluster had at the beginning."""

    def __init__(self, cluster: LocalCluster) -> None:
        """Remember what the cluster has now."""
        self._client = cluster.client()
        self._empties_namespaces = "kube-controller-manager" in cluster.processes
        self._before = {obj["metadata"]["uid"] for path in self._collections() for obj in self._list(path)}

    @property
    def left_over(self) -> int:
        """How many objects are there that were not."""
        return sum(1 for path in self._collections() for _ in self._new(path))

    def clean(self) -> None:
        """Remove what was not there; raises LocalClusterError where something stays for a minute."""
        for path in _WEBHOOKS:
            self._remove_all(path)
        self._await("the API server goes by webhook configurations that are gone", self._calls_no_webhook)
        self._await("some objects stay", self._all_gone)

    def _all_gone(self) -> bool:
        paths = self._collections()
        last = [path for path in (_NAMESPACES, _DEFINITIONS) if any(self._new(path))]
        found = [self._remove_all(path) for path in paths if path not in (_NAMESPACES, _DEFINITIONS)]
        found += [self._remove_all(path) for path in last]
        return not any(found)

    def _remove_all(self, path: str) -> int:
        """Remove the new objects of a collection; return how many there were."""
        found = list(self._new(path))
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(lambda obj: self._remove(path, obj), found))
        return len(found)

    def _remove(self, path: str, obj: Object) -> None:
        """Remove an object, and whatever its finalizers wait for."""
        own = _path(path, obj)
        if "deletionTimestamp" not in obj["metadata"]:
            self._client.request("DELETE", own, _FORCED)
        if path == _NAMESPACES and not self._empties_namespaces:
            self._client.request("PUT", f"{own}/finalize", {**obj, "spec": {"finalizers": []}})
        elif obj["metadata"].get("finalizers"):
            patch = [{"op": "remove", "path": "/metadata/finalizers"}]
            self._client.request("PATCH", own, patch, content_type="application/json-patch+json")

    def _new(self, path: str) -> Iterator[Object]:
        return (obj for obj in self._list(path) if obj["metadata"]["uid"] not in self._before)

    def _list(self, path: str) -> list[Object]:
        answer = self._client.request("GET", path)
        return list(json.loads(answer.body).get("items") or ()) if answer.ok else []

    def _collections(self) -> list[str]:
        """Return the paths of all that can be listed and deleted, each kind in one version."""
        groups = json.loads(self._client.request("GET", "/apis").body)["groups"]
        roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
        found = [
            f"{root}/{resource['name']}"
            for root in roots
            for resource in json.loads(self._client.request("GET", root).body).get("resources", ())
            if "/" not in resource["name"] and {"list", "delete"} <= set(resource["verbs"])
        ]
        return [path for path in found if not path.startswith(_EVENTS)]

    def _calls_no_webhook(self) -> bool:
        path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines?dryRun=All"
        return all(self._client.request("POST", path, _PROBE).status in (201, 404) for _ in range(2))

    @staticmethod
    def _await(complaint: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise LocalClusterError(f"{complaint} after {_DEADLINE:g} s")
            time.sleep(0.05)


def _path(collection: str, obj: Object) -> str:
    root, _, plural = collection.rpartition("/")
    namespace = obj["metadata"].get("namespace")
    return "/".join(
        filter(None, (root, f"namespaces/{namespace}" if namespace else "", plural, obj["metadata"]["name"]))
    )

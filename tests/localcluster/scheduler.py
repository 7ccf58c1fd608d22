"""Binds pods to nodes: to one that is ready and not cordoned, and to the one with the fewest pods like it."""

import threading
from contextlib import suppress

from tests.localcluster.api import NO_ANSWER, Client, Object, timestamp
from tests.localcluster.cache import Objects

_NAME = "default-scheduler"
_RETRY = 0.5


class Scheduler:
    """Follows the pods and nodes of a cluster."""

    def __init__(self, client: Client, pods: Objects, nodes: Objects) -> None:
        self._client = client
        self._pods = pods
        self._nodes = nodes
        self._bound: dict[str, str] = {}
        self._denied: set[str] = set()
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        pods.listen(self._hear)
        nodes.listen(self._hear)

    def start(self) -> None:
        """Begin to bind."""
        self._thread.start()

    def stop(self) -> None:
        """Bind no more."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _hear(self, obj: Object, exists: bool) -> None:
        if not exists:
            self._bound.pop(obj["metadata"]["uid"], None)
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            done = all([self._bind(pod) for pod in self._pods.all() if self._waits(pod)])
            self._wake.wait(None if done else _RETRY)

    def _waits(self, pod: Object) -> bool:
        spec, metadata = pod["spec"], pod["metadata"]
        return (
            "nodeName" not in spec
            and metadata["uid"] not in self._bound
            and "deletionTimestamp" not in metadata
            and not spec.get("schedulingGates")
            and spec.get("schedulerName", _NAME) == _NAME
        )

    def _bind(self, pod: Object) -> bool:
        """Bind a pod; returns whether nothing is left to be done until something changes."""
        metadata = pod["metadata"]
        node = self._choose(pod)
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if node is None:
            self._deny(pod, f"{path}/status")
            return True
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        with suppress(*NO_ANSWER):
            answer = self._client.request("POST", f"{path}/binding", binding)
            if answer.ok:
                self._bound[metadata["uid"]] = node
            return answer.ok or answer.status in (404, 409)
        return False

    def _choose(self, pod: Object) -> str | None:
        loads = {node["metadata"]["name"]: [0, 0] for node in self._nodes.all() if _usable(node)}
        for other in self._pods.all():
            node = other["spec"].get("nodeName") or self._bound.get(other["metadata"]["uid"])
            phase = (other.get("status") or {}).get("phase")
            if node in loads and phase not in ("Succeeded", "Failed"):
                loads[node][0] += _owner_of(other) == _owner_of(pod)
                loads[node][1] += 1
        return min(loads, key=lambda name: (loads[name], name), default=None)

    def _deny(self, pod: Object, path: str) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._denied:
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "no node is ready and schedulable",
            "lastTransitionTime": timestamp(),
        }
        with suppress(*NO_ANSWER):
            self._client.request("PATCH", path, {"metadata": {"uid": uid}, "status": {"conditions": [condition]}})
            self._denied.add(uid)


def _usable(node: Object) -> bool:
    conditions = {item["type"]: item["status"] for item in (node.get("status") or {}).get("conditions") or []}
    return conditions.get("Ready") == "True" and not node["spec"].get("unschedulable")


def _owner_of(pod: Object) -> object:
    """What pods of one controller have in common."""
    owners = pod["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), pod["metadata"]["uid"])

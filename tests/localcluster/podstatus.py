"""The status of a pod, computed from its containers."""

from collections.abc import Sequence

from tests.localcluster.api import Object, timestamp
from tests.localcluster.containers import Container
from tests.localcluster.images import Waiting

_NODE_ADDRESS = "127.0.0.1"


class PodStatus:
    """Computes the status and remembers what the API server knows of it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._since = timestamp()
        self._conditions: dict[str, Object] = {}
        self._known: Object | None = None
        self._phase = "Pending"
        self.unsent = True

    @property
    def ended(self) -> bool:
        """Whether all containers have ended for good and the API server knows it."""
        return self._phase in ("Succeeded", "Failed") and not self.unsent

    def shown(self, pod: Object) -> Object:
        """Return the pod as its containers see it, which know their address before the API server does."""
        return {**pod, "status": {**(pod.get("status") or {}), "podIP": self._address, "hostIP": _NODE_ADDRESS}}

    def patch(
        self, pod: Object, init: Sequence[Container], containers: Sequence[Container], problem: Waiting | None
    ) -> Object | None:
        """Return what to write to the pod's status, or None where the API server knows it all."""
        generation = pod["metadata"].get("generation", 1)
        self._phase = _phase(pod, init, containers)
        entries = [container.status() for container in containers]
        if problem is not None:
            waiting = {"waiting": {"reason": problem.reason, "message": str(problem)}}
            entries = [{**entry, "state": waiting} if "waiting" in entry["state"] else entry for entry in entries]
        initialized = all(container.succeeded for container in init)
        completed = self._phase == "Succeeded"
        all_ready = initialized and all(container.state.ready for container in containers)
        why_not = "PodCompleted" if completed else "ContainersNotReady"
        gates = _gates(pod)
        for name, holds, reason in (
            ("PodScheduled", True, ""),
            ("Initialized", initialized, "ContainersNotInitialized"),
            ("ContainersReady", all_ready, why_not),
            ("Ready", all_ready and gates, why_not if not all_ready else "ReadinessGatesNotReady"),
        ):
            self._set(name, holds=holds, reason=reason, generation=generation)
        status: Object = {
            "phase": self._phase,
            "observedGeneration": generation,
            "conditions": list(self._conditions.values()),
            "containerStatuses": entries,
            "hostIP": _NODE_ADDRESS,
            "hostIPs": [{"ip": _NODE_ADDRESS}],
            "podIP": self._address,
            "podIPs": [{"ip": self._address}],
            "startTime": self._since,
        }
        if init:
            status["initContainerStatuses"] = [container.status() for container in init]
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        self.unsent = body != self._known
        return body if self.unsent else None

    def sent(self, body: Object) -> None:
        """Remember that the API server has taken what `patch` returned."""
        self._known = body
        self.unsent = False

    def _set(self, name: str, *, holds: bool, reason: str, generation: int) -> None:
        status = "True" if holds else "False"
        before = self._conditions.get(name, {})
        since = before["lastTransitionTime"] if before.get("status") == status else timestamp()
        # A strategic merge drops a field only where it is null.
        self._conditions[name] = {
            "type": name,
            "status": status,
            "reason": None if holds else reason,
            "message": None,
            "lastTransitionTime": since,
            "observedGeneration": generation,
        }


def _phase(pod: Object, init: Sequence[Container], containers: Sequence[Container]) -> str:
    if any(container.finished and not container.succeeded for container in init):
        return "Failed"
    if all(container.finished for container in containers):
        succeeded = all(container.succeeded for container in containers)
        return "Succeeded" if succeeded else "Failed"
    if any("waiting" not in container.state.state or container.state.restarts for container in containers):
        return "Running"
    return "Pending"


def _gates(pod: Object) -> bool:
    conditions = {item["type"]: item["status"] for item in (pod.get("status") or {}).get("conditions") or []}
    wanted = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    return all(conditions.get(name) == "True" for name in wanted)

"""Where the connections to a Service go."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.localcluster.api import Object
from tests.localcluster.probes import port_number

Address = tuple[str, int]
LOWEST_PORT = 1025


@dataclass(frozen=True)
class Backends:
    """The pods behind one port of a Service."""

    ready: tuple[Address, ...]
    terminating: tuple[Address, ...]
    """Those that still answer, though they are being deleted."""

    @property
    def usable(self) -> tuple[Address, ...]:
        """Where a new connection may go: as with kube-proxy, to a pod that is leaving only where no other is left."""
        return self.ready or self.terminating


def table(services: Sequence[Object], pods: Sequence[Object]) -> dict[Address, Backends]:
    """Return for each cluster IP and port where its connections go; ports that need root are left out."""
    found = {}
    for service in services:
        if not forwarded(service):
            continue
        members = [pod for pod in pods if _selected(service, pod)]
        for port in service["spec"]["ports"]:
            if port["port"] >= LOWEST_PORT and port.get("protocol", "TCP") == "TCP":
                found[service["spec"]["clusterIP"], int(port["port"])] = _backends(members, port)
    return found


def forwarded(service: Object) -> bool:
    """Whether a Service has a cluster IP and a selector."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("clusterIP") not in (None, "", "None")


def addresses(pods: Sequence[Object]) -> set[str]:
    """Return the addresses of the pods that have not ended."""
    alive = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    return {pod["status"]["podIP"] for pod in alive if (pod.get("status") or {}).get("podIP")}


def _selected(service: Object, pod: Object) -> bool:
    labels, selector = pod["metadata"].get("labels") or {}, service["spec"]["selector"]
    same_namespace = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return same_namespace and all(labels.get(key) == value for key, value in selector.items())


def _backends(pods: Sequence[Object], port: Object) -> Backends:
    ready: list[Address] = []
    terminating: list[Address] = []
    for pod in pods:
        number = _target(pod, port)
        if number is not None and _ready(pod):
            kind = terminating if "deletionTimestamp" in pod["metadata"] else ready
            kind.append((str(pod["status"]["podIP"]), number))
    return Backends(tuple(sorted(ready)), tuple(sorted(terminating)))


def _target(pod: Object, port: Object) -> int | None:
    target = port.get("targetPort") or port["port"]
    numbers = [port_number(container, target) for container in pod["spec"]["containers"]]
    return next((number for number in numbers if number is not None), None)


def _ready(pod: Object) -> bool:
    status = pod.get("status") or {}
    conditions = {item["type"]: item["status"] for item in status.get("conditions") or []}
    return status.get("phase") == "Running" and conditions.get("Ready") == "True" and bool(status.get("podIP"))

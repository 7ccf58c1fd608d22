"""A small kubelet: one node, its Lease, and the pods that are bound to it.

It runs nothing but the webhook itself, each container as a local process; see `images`, `mounts` and `containers`.
"""

import os
import platform
import threading
from collections.abc import Sequence
from contextlib import suppress

from tests.localcluster.api import NO_ANSWER, Client, Object, timestamp
from tests.localcluster.cache import Objects
from tests.localcluster.pods import PodRunner, Site

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_LEASE_SECONDS = 40
_RENEW_SECONDS = 10
_RETRY = 0.5
_ENDED = ("Succeeded", "Failed")


class Kubelet:
    """Runs the pods of the node `name`."""

    def __init__(self, site: Site, name: str, port: int, pods: Objects, contents: Sequence[Objects]) -> None:
        """Listen to `pods`, and to `contents`: the ConfigMaps and Secrets that pods may have mounted.

        `port` is where the API server asks for logs.
        """
        self.name = name
        self._site = site
        self._port = port
        self._client: Client = site.client
        self._runners: dict[str, PodRunner] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_lease, name=f"kubelet {name}", daemon=True)
        pods.listen(self._hear_pod)
        for cache in contents:
            cache.listen(self._hear_content)

    def start(self) -> None:
        """Make the node ready and keep it so."""
        self._thread.start()

    def abandon(self) -> None:
        """Begin to end all pods, quickly and without a status update."""
        with self._lock:
            self._stopped.set()
        for runner in self.runners():
            runner.abandon()

    def stop(self) -> None:
        """End all pods and return when they have ended."""
        self.abandon()
        self._thread.join()
        for runner in self.runners():
            runner.join()

    def runners(self) -> list[PodRunner]:
        """Return what runs the node's pods."""
        with self._lock:
            return list(self._runners.values())

    def _hear_pod(self, pod: Object, exists: bool) -> None:
        if pod["spec"].get("nodeName") != self.name:
            return
        uid = pod["metadata"]["uid"]
        with self._lock:
            runner = self._runners.get(uid) if exists else self._runners.pop(uid, None)
            if runner is None:
                ended = (pod.get("status") or {}).get("phase") in _ENDED
                if exists and not ended and not self._stopped.is_set():
                    self._runners[uid] = PodRunner(self._site, pod)
                    self._runners[uid].start()
            elif exists:
                runner.update(pod)
            else:
                runner.remove()

    def _hear_content(self, obj: Object, exists: bool) -> None:
        metadata = obj["metadata"]
        for runner in self.runners():
            if runner.pod["metadata"]["namespace"] == metadata["namespace"] and metadata["name"] in runner.uses:
                runner.refresh()

    def _keep_lease(self) -> None:
        while not self._stopped.is_set():
            done = False
            with suppress(*NO_ANSWER):
                done = self._renew() and self._show_node()
            self._stopped.wait(_RENEW_SECONDS if done else _RETRY)

    def _renew(self) -> bool:
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": _LEASE_SECONDS,
            "renewTime": timestamp(micro=True),
        }
        answer = self._client.request("PATCH", f"{_LEASES}/{self.name}", {"spec": spec})
        if answer.status == 404:
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": self.name}}
            answer = self._client.request("POST", _LEASES, {**lease, "spec": spec})
        return answer.ok

    def _show_node(self) -> bool:
        status = {"status": _status(self._port)}
        answer = self._client.request("PATCH", f"/api/v1/nodes/{self.name}/status", status)
        if answer.status != 404:
            return answer.ok
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": _architecture(),
            "topology.kubernetes.io/zone": f"zone-{self.name}",
        }
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": labels}}
        return (
            self._client.request("POST", "/api/v1/nodes", node).ok
            and self._client.request("PATCH", f"/api/v1/nodes/{self.name}/status", status).ok
        )


def _status(port: int) -> Object:
    now = timestamp()
    healthy = {
        "Ready": ("True", "KubeletReady"),
        "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID"),
    }
    conditions = [
        {"type": kind, "status": status, "reason": reason, "lastHeartbeatTime": now}
        for kind, (status, reason) in healthy.items()
    ]
    resources = {"cpu": str(os.cpu_count() or 1), "memory": "16Gi", "pods": "110", "ephemeral-storage": "64Gi"}
    return {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "capacity": resources,
        "allocatable": resources,
        "conditions": conditions,
        "nodeInfo": {
            "architecture": _architecture(),
            "bootID": "",
            "containerRuntimeVersion": "process://1",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.3",
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": platform.platform(),
            "systemUUID": "",
        },
    }


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())

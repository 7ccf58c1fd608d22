"""Nodes for the local cluster: pods run, and Services reach them."""

import time
from pathlib import Path
from typing import Protocol, Self

from tests.localcluster.addresses import Addresses
from tests.localcluster.cache import Cache
from tests.localcluster.cluster import LocalCluster
from tests.localcluster.errors import StartError
from tests.localcluster.forwarder import Forwarder
from tests.localcluster.images import Images
from tests.localcluster.kubelet import Kubelet
from tests.localcluster.logs import Logs, LogServer
from tests.localcluster.pods import Site
from tests.localcluster.scheduler import Scheduler
from tests.localcluster.sources import Sources

_DEADLINE = 180.0


class _Part(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


class Nodes:
    """Nodes of a running cluster, with a scheduler and a forwarder for Services.

    ```python
    with LocalCluster(controllers=True) as cluster, Nodes(cluster, images={"2.0": Image(checkout)}) as nodes:
        cluster.kubectl("apply", "-f", "-", stdin=deployment)
    ```

    The nodes are called node-1, node-2, …, or by another `prefix`. `images` says which checkout an image's tag, name or
    whole reference stands for; any other tag of the webhook is this checkout. What containers write is kept in the
    cluster's directory.
    """

    def __init__(
        self, cluster: LocalCluster, count: int = 2, *, images: Images | None = None, prefix: str = "node"
    ) -> None:
        client = cluster.client()
        self._pods, self._services, self._nodes, *contents = caches = [
            Cache(client, f"/api/v1/{plural}") for plural in ("pods", "services", "nodes", "configmaps", "secrets")
        ]
        self._logs = Logs(cluster.directory / "logs")
        server = LogServer(self._logs, lambda *container: container in self._running())
        site = Site(client, Sources(client), Addresses(), images or {}, self._logs, cluster.directory / "pods")
        self._sources = site.sources
        self._forwarder = Forwarder(client, self._services, self._pods)
        self._scheduler = Scheduler(client, self._pods, self._nodes)
        self.names = [f"{prefix}-{number}" for number in range(1, count + 1)]
        self._kubelets = [Kubelet(site, name, server.port, self._pods, contents) for name in self.names]
        self._started: list[_Part] = []
        self._parts: list[_Part] = [*caches, server, self._forwarder, *self._kubelets, self._scheduler]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when all nodes are ready; raises StartError where they do not become so."""
        try:
            for part in self._parts:
                self._started.append(part)
                part.start()
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all pods within a few seconds, then the rest; the API server still shows them as they were."""
        for kubelet in self._kubelets:
            kubelet.abandon()
        while self._started:
            self._started.pop().stop()

    def logs(self, name: str, namespace: str = "default", container: str | None = None) -> str:
        """Return what a pod's containers have written, restarts included, also after it has gone."""
        return self._logs.text(namespace, name, container)

    def processes(self, namespace: str = "default") -> dict[tuple[str, str], int]:
        """Return the process id of each running container by the names of pod and container."""
        running = self._running().items()
        return {(pod, container): process for (where, pod, container), process in running if where == namespace}

    def folder(self, name: str, volume: str, namespace: str = "default") -> Path:
        """Return the folder that stands for a pod's volume; raises KeyError where there is no such pod."""
        for kubelet in self._kubelets:
            for runner in kubelet.runners():
                metadata = runner.pod["metadata"]
                if (metadata["namespace"], metadata["name"]) == (namespace, name):
                    return runner.volumes / volume
        raise KeyError(name)

    def renew_tokens(self) -> None:
        """Replace every projected token now, as a kubelet does when four fifths of its life are over."""
        self._sources.expire()
        for kubelet in self._kubelets:
            for runner in kubelet.runners():
                runner.refresh()

    def _running(self) -> dict[tuple[str, str, str], int]:
        return {
            (runner.pod["metadata"]["namespace"], runner.pod["metadata"]["name"], container.spec["name"]): process
            for kubelet in self._kubelets
            for runner in kubelet.runners()
            for container in (*runner.init, *runner.containers)
            if (process := container.state.process) is not None
        }

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while not set(self.names) <= self._ready():
            if time.monotonic() > deadline:
                raise StartError(f"the nodes are not ready after {_DEADLINE:g} s")
            time.sleep(0.05)

    def _ready(self) -> set[str]:
        return {
            node["metadata"]["name"]
            for node in self._nodes.all()
            for condition in (node.get("status") or {}).get("conditions") or []
            if (condition["type"], condition["status"]) == ("Ready", "True")
        }

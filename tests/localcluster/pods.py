"""One pod on a node, from the moment it is bound until it is gone."""

import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.localcluster import images
from tests.localcluster.addresses import Addresses
from tests.localcluster.api import NO_ANSWER, Client, Object
from tests.localcluster.containers import Container, Host
from tests.localcluster.environment import environment, expand
from tests.localcluster.events import record
from tests.localcluster.images import Waiting
from tests.localcluster.logs import Logs
from tests.localcluster.mounts import BOOTSTRAP, SERVICE_ACCOUNT, Mounts
from tests.localcluster.podstatus import PodStatus
from tests.localcluster.processes import Child, spawn
from tests.localcluster.sources import Sources
from tests.localcluster.volumes import Volumes

_RETRY = 0.5
_GRACE = 30
_HASTE = 2
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class Site:
    """What the pods of a cluster share."""

    client: Client
    sources: Sources
    addresses: Addresses
    images: images.Images
    logs: Logs
    folder: Path
    """Holds the volumes."""


class PodRunner:
    """Runs a pod in a thread of its own that does what is to be done each time something has changed."""

    def __init__(self, site: Site, pod: Object) -> None:
        self.pod = pod
        self.address = site.addresses.take()
        self._site = site
        self._wake = threading.Event()
        self._stale = True
        self._gone = False
        self._abandoned = False
        self._folder = site.folder / pod["metadata"]["uid"]
        self.volumes: Path = self._folder / "volumes"
        self._status = PodStatus(self.address)
        self._problem: Waiting | None = None
        mounts = Mounts.of(_containers(pod), self.volumes)
        self._volumes = Volumes(self.volumes, site.sources, mounts.translate)
        policy, grace = pod["spec"]["restartPolicy"], pod["spec"].get("terminationGracePeriodSeconds", _GRACE)
        host = Host(self.address, policy, grace, self._launch, self._wake.set, self._record_event)
        self.init = [Container(spec, host, init=True) for spec in pod["spec"].get("initContainers") or []]
        self.containers = [Container(spec, host) for spec in pod["spec"]["containers"]]
        self._thread = threading.Thread(target=self._run, name=f"pod {pod['metadata']['name']}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def update(self, pod: Object) -> None:
        """Take the pod as it is now."""
        before, self.pod = self.pod["metadata"], pod
        if any(before.get(shown) != pod["metadata"].get(shown) for shown in ("labels", "annotations")):
            self._stale = True
        self._wake.set()

    def refresh(self) -> None:
        """Look again at what the volumes should hold."""
        self._stale = True
        self._wake.set()

    def remove(self) -> None:
        """End at once: the pod is no longer there."""
        self._gone = True
        self._wake.set()

    def abandon(self) -> None:
        """End within a few seconds without a status update: the node stops."""
        self._abandoned = True
        self._wake.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    @property
    def uses(self) -> set[str]:
        """Names of the ConfigMaps and Secrets that are mounted."""
        names = set()
        for volume in self.pod["spec"].get("volumes") or []:
            for source in (volume, *(volume.get("projected", {}).get("sources") or [])):
                names |= {source[kind].get("name") for kind in ("configMap", "secret") if kind in source}
                names |= {source[kind].get("secretName") for kind in ("secret",) if kind in source}
        return names

    def _run(self) -> None:
        try:
            self._live()
        finally:
            for container in (*self.init, *self.containers):
                container.kill()
            self._site.addresses.give_back(self.address)
            self._site.sources.forget(self.pod)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._await_removal()

    def _live(self) -> None:
        while not self._over:
            self._wake.clear()
            self._mount()
            if self._problem is None:
                self._begin_next()
            self._report()
            if self._status.ended:
                return
            self._wake.wait(self._pause())
        self._terminate()

    def _await_removal(self) -> None:
        """Delete the pod once somebody asks for it."""
        while not self._over:
            self._wake.wait()
            self._wake.clear()
        self._delete()

    @property
    def _over(self) -> bool:
        return self._deleted or self._gone or self._abandoned

    @property
    def _deleted(self) -> bool:
        return "deletionTimestamp" in self.pod["metadata"]

    def _mount(self) -> None:
        renewal = self._site.sources.renewal(self.pod)
        if not self._stale and (renewal is None or renewal > time.monotonic()):
            return
        self._stale = False
        try:
            self._volumes.refresh(self._status.shown(self.pod))
            self._problem = None
        except Waiting as problem:
            self._stale = True
            if self._problem is None or str(self._problem) != str(problem):
                self._record_event("FailedMount", str(problem))
            self._problem = problem

    def _begin_next(self) -> None:
        for container in self.init:
            if not container.begun:
                container.start()
            if not container.succeeded:
                return
        for container in self.containers:
            if not container.begun:
                container.start()

    def _pause(self) -> float | None:
        """Return for how long nothing is to be done unless something changes."""
        if self._stale or self._status.unsent:
            return _RETRY
        renewal = self._site.sources.renewal(self.pod)
        return None if renewal is None else max(renewal - time.monotonic(), _RETRY)

    def _terminate(self) -> None:
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds", _GRACE)
        hasty = self._abandoned
        how = {"grace": _HASTE, "hook": False} if hasty else {"grace": grace}
        containers = [*self.init, *self.containers]
        for container in containers:
            threading.Thread(target=container.stop, kwargs=how, daemon=True).start()
        while not all(container.finished for container in containers):
            self._wake.clear()
            if self._gone or (self._abandoned and not hasty):
                for container in containers:
                    container.kill()
            elif not self._abandoned:
                self._report()
            self._wake.wait(_RETRY)
        if not (self._gone or self._abandoned):
            self._report()

    def _report(self) -> None:
        metadata = self.pod["metadata"]
        body = self._status.patch(self.pod, self.init, self.containers, self._problem)
        if body is None:
            return
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        with suppress(*NO_ANSWER):
            answer = self._site.client.request("PATCH", path, body)
            if answer.ok or answer.status == 404:
                self._status.sent(body)

    def _delete(self) -> None:
        metadata = self.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        body["preconditions"] = {"uid": metadata["uid"]}
        while not (self._gone or self._abandoned):
            with suppress(*NO_ANSWER):
                answer = self._site.client.request("DELETE", path, body)
                if answer.ok or answer.status == 404:
                    return
            self._wake.wait(_RETRY)

    def _launch(self, container: Object, number: int) -> Child:
        image = images.find(self._site.images, container["image"])
        arguments = images.arguments(container)
        pod = self._status.shown(self.pod)
        declared = environment(container, pod, self._site.sources)
        mounts = Mounts.of([container], self.volumes)
        known = {**self._cluster(), **declared}
        arguments = [mounts.translate(expand(argument, known)) for argument in arguments]
        variables = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **({"TMPDIR": str(mounts.folder("/tmp"))} if "/tmp" in mounts.paths else {}),
            "HOME": str(self._folder),
            "HOSTNAME": pod["metadata"]["name"],
            "PYTHONUNBUFFERED": "1",
            **image.environment,
            **self._cluster(),
            **{name: mounts.translate(value) for name, value in declared.items()},
        }
        log = self._site.logs.new(pod, container["name"], number)
        command = [str(image.python), "-c", BOOTSTRAP, str(mounts.folder(SERVICE_ACCOUNT)), *arguments]
        return spawn(container["name"], command, log, image.folder, variables)

    def _cluster(self) -> Mapping[str, str]:
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self._site.client.port)}

    def _record_event(self, reason: str, message: str) -> None:
        record(self._site.client, self.pod, reason, message)


def _containers(pod: Object) -> list[Object]:
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]

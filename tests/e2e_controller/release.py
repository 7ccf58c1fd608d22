"""Replicas of the webhook as a chart would install them, as processes: what is around them, but no pods.

A Service's address is a forwarder here, which sends each connection to a replica that is ready, as kube-proxy would.
"""

import http.client
import itertools
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.build import Object, disk, vm
from tests.e2e_controller.permissions import (
    CLUSTER_IP,
    CLUSTER_RULES,
    CONFIGURATIONS,
    NAME,
    NAMESPACE,
    OWNER,
    RBAC,
    SECRET,
    foundation,
    of_cleanup,
    permission,
)
from tests.localcluster import LocalCluster
from tests.localcluster.installation import apply
from tests.localcluster.probes import unverified
from tests.localcluster.processes import Child, spawn
from webhook.cluster.api import Api, ApiError, Client
from webhook.objects import at, text

DEADLINE = 180.0
"""Seconds within which whatever a test waits for must come."""
_ADDRESSES = (f"127.97.51.{number}" for number in itertools.count(1))
KUBEVIRTS_NAMESPACE = "openshift-cnv"
VALIDATING = f"/apis/{CONFIGURATIONS}/v1/validatingwebhookconfigurations/migratability"
MUTATING = f"/apis/{CONFIGURATIONS}/v1/mutatingwebhookconfigurations/migratability"
PROBE = f"{VALIDATING}-probe"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
CA_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}"
OWNER_ROLE = f"/apis/{RBAC}/v1/clusterroles/{OWNER}"


def await_that(condition: Callable[[], Any], what: str, within: float = DEADLINE) -> Any:
    """Return what the condition gives once it is true; fails after the deadline."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what} within {within:g} s"
        time.sleep(0.05)
    return found


@dataclass
class Replica:
    """One process of the webhook."""

    name: str
    address: str
    port: int
    child: Child

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a GET; raises OSError where nobody answers."""
        connection = http.client.HTTPSConnection(self.address, self.port, timeout=10, context=unverified())
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @property
    def is_ready(self) -> bool:
        """Whether the kubelet would call it ready."""
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def is_leader(self) -> bool:
        """Whether it says that it leads."""
        try:
            return "migratability_leader_election_master_status 1.0" in self.get("/metrics")[1]
        except (OSError, http.client.HTTPException):
            return False

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self.child.log.read_text(errors="replace")

    def certificate(self) -> bytes:
        """Return the certificate that a new handshake is shown, as DER."""
        with (
            socket.create_connection((self.address, self.port), timeout=60) as plain,
            unverified().wrap_socket(plain) as connection,
        ):
            shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        return shown

    def kill(self) -> None:
        """End it at once, as a node that fails would."""
        os.killpg(self.child.process.pid, signal.SIGKILL)
        self.child.process.wait()


class Release:
    """A namespace, a Service, permissions, a ClusterRole that owns, settings, and any number of replicas."""

    def __init__(self, cluster: LocalCluster, folder: Path, **certificates: Any) -> None:
        """Make all but the replicas; ``certificates`` are fields of the installation file."""
        self.cluster, self.folder = cluster, folder
        self.api = admin(cluster)
        self.port = _free_port(CLUSTER_IP)
        self.replicas: list[Replica] = []
        self._certificates = certificates
        self._numbers = itertools.count()
        apply(cluster, foundation(self.port))
        self.settings({})

    def settings(self, settings: Object) -> None:
        """Put new settings into the ConfigMap that all replicas read."""
        beside = self.folder / "settings.new"
        beside.write_text(yaml.safe_dump(settings))
        beside.replace(self.folder / "settings.yaml")

    def start(self) -> Replica:
        """Start one more replica; returns at once."""
        address, number = next(_ADDRESSES), next(self._numbers)
        name, port = f"{NAME}-{number}", _free_port(address)
        files = self._written()
        serve = ["serve", "--address", address, "--port", str(port)]
        environment = {"POD_NAME": name, "POD_NAMESPACE": NAMESPACE, "POD_IP": address}
        child = spawn(
            "migratability",
            [sys.executable, "-m", "webhook.cli.main", *serve, *files],
            self.folder / f"{name}.log",
            Path.cwd(),
            {**os.environ, **environment, "KUBECONFIG": str(self.cluster.kubeconfig_for(NAME))},
        )
        self.replicas.append(Replica(name, address, port, child))
        return self.replicas[-1]

    def stop(self, replica: Replica) -> None:
        """End a replica as the kubelet does."""
        replica.child.stop(grace=40)
        self.replicas.remove(replica)

    def await_log(self, replica: Replica, words: str) -> None:
        """Return when a replica has said the words."""
        await_that(lambda: words in replica.log, f"{words!r} in the log")

    def await_in_force(self) -> None:
        """Return when both configurations are there and the API server goes by them."""
        await_that(lambda: self.is_configured and self.holds, "release in force")

    def await_ready(self) -> None:
        """Return when every replica is ready."""
        await_that(lambda: all(replica.is_ready for replica in self.replicas), "ready replicas")

    def allow_cleanup(self) -> None:
        """Give the account of an uninstall what it needs."""
        apply(self.cluster, of_cleanup())

    @property
    def file(self) -> Path:
        """The installation file."""
        return self.folder / "installation.yaml"

    def make(self, obj: Object) -> None:
        """Apply an object."""
        apply(self.cluster, [obj])

    def forbid(self, resource: str) -> None:
        """Take the right to read a kind from the replicas."""
        rules = [rule for rule in CLUSTER_RULES if rule["resources"] != [resource]]
        apply(self.cluster, permission("ClusterRole", {}, rules))

    def allow(self) -> None:
        """Give the replicas all their rights."""
        apply(self.cluster, permission("ClusterRole", {}, CLUSTER_RULES))

    def edit(self, path: str, change: Callable[[Any], None]) -> None:
        """Change a live object by hand."""
        live = self.read(path)
        change(live)
        self.api.replace(path, live)

    def delete(self, path: str) -> None:
        """Delete an object by hand."""
        self.api.delete(path)

    def read(self, path: str) -> Object | None:
        """Return what the API server has at a path, None where nothing is."""
        return self.api.get(path)

    @property
    def leader(self) -> Replica | None:
        """The replica that says that it leads."""
        return next((replica for replica in self.replicas if replica.is_leader), None)

    @property
    def ca(self) -> str | None:
        """The certificate that signs, None while there is no Secret."""
        return text(at(self.read(CA_SECRET), "data", "signing.crt"))

    @property
    def is_configured(self) -> bool:
        """Whether both configurations are there and deny, and the probe is gone."""
        found = self.read(VALIDATING)
        return bool(found and self.read(MUTATING) and not self.read(PROBE))

    @property
    def holds(self) -> bool:
        """Whether the API server denies what must be denied, and patches what must be patched."""
        return self.denies and self.patches

    @property
    def denies(self) -> bool:
        """Whether a VM with a ReadWriteOnce disk is denied for that."""
        return "[shared-access]" in answer(self.api, "once")

    @property
    def patches(self) -> bool:
        """Whether a good VM gets the strategy; raises ApiError where it is denied."""
        stored = self.api.create(_VMS, vm_object("good"), dry_run=True)
        return bool(stored["spec"]["template"]["spec"].get("evictionStrategy") == "LiveMigrate")

    def _written(self) -> list[str]:
        installation = {
            "namespace": NAMESPACE,
            "service": {"name": NAME, "port": self.port},
            "owner": OWNER,
            "lease": NAME,
            "pods": f"app.kubernetes.io/name={NAME}",
            "certificates": {"source": "selfSigned", "secret": SECRET, "trustDelay": "1s", **self._certificates},
        }
        self.file.write_text(yaml.safe_dump(installation))
        return ["--installation", str(self.file), "--config", str(self.folder / "settings.yaml")]


@contextmanager
def released(cluster: LocalCluster, folder: Path, **certificates: Any) -> Iterator[Release]:
    """Give a release without replicas, and a Service that follows those that are started; all of it goes afterwards."""
    release = Release(cluster, folder, **certificates)
    forwarder = Forwarder(release)
    try:
        yield release
    finally:
        for replica in [*release.replicas]:
            release.stop(replica)
        forwarder.close()
        for path in (OWNER_ROLE, VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET):
            release.delete(path)


class Forwarder:
    """The Service's address: every connection goes to one of the replicas that are ready, in turn."""

    def __init__(self, release: Release) -> None:
        """Listen and follow."""
        self._release = release
        self._ready: list[Replica] = []
        self._turn = itertools.count()
        self._open = True
        self._listener = socket.create_server((CLUSTER_IP, release.port))
        for work in (self._follow, self._accept):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._open = False
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _follow(self) -> None:
        while self._open:
            self._ready = [replica for replica in [*self._release.replicas] if replica.is_ready]
            time.sleep(0.2)

    def _accept(self) -> None:
        with suppress(OSError):
            while self._open:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        ready, turn = self._ready, next(self._turn)
        for index in range(len(ready)):
            replica = ready[(turn + index) % len(ready)]
            with suppress(OSError):
                backend = socket.create_connection((replica.address, replica.port), timeout=60)
                backend.settimeout(None)
                for end in (client, backend):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pump, args=(backend, client), daemon=True).start()
                return _pump(client, backend)
        client.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(1 << 16):
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


_VMS = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines"


def vm_object(claim: str) -> Object:
    """Return a VM with a disk."""
    found = vm(disk(claim), spec={"runStrategy": "Halted"})
    found["spec"]["template"]["spec"]["domain"] = {"devices": {}}
    return found


def answer(api: Client, claim: str) -> str:
    """Return what becomes of a new VM with a PVC: its evictionStrategy, else why it is denied."""
    try:
        stored = api.create(_VMS, vm_object(claim), dry_run=True)
    except ApiError as error:
        return str(error)
    return str(stored["spec"]["template"]["spec"].get("evictionStrategy") or "")


def admin(cluster: LocalCluster) -> Client:
    """Return an administrator's client."""
    return Api.connect(str(cluster.kubeconfig)).until(math.inf, longest=30)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
    return port

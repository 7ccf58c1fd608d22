"""Replicas of the webhook as a chart installs them, but as processes, and a forwarder at their Service's address."""

import copy
import http.client
import itertools
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.build import Object
from tests.chart.helm import render
from tests.e2e.admission.conftest import vm
from tests.e2e_controller.permissions import (
    CLUSTER_IP,
    CONFIGURATIONS,
    NAME,
    NAMESPACE,
    OWNER,
    RBAC,
    SECRET,
    foundation,
    roles,
)
from tests.localcluster import LocalCluster
from tests.localcluster.installation import apply, free_port
from tests.localcluster.probes import unverified
from tests.localcluster.processes import Child, spawn
from tests.workloads import eventually
from webhook.cluster.api import Api, ApiError

_ADDRESSES = (f"127.97.51.{number}" for number in itertools.count(1))
KUBEVIRTS_NAMESPACE = "openshift-cnv"
VALIDATING = f"/apis/{CONFIGURATIONS}/v1/validatingwebhookconfigurations/migratability"
MUTATING = f"/apis/{CONFIGURATIONS}/v1/mutatingwebhookconfigurations/migratability"
PROBE = f"{VALIDATING}-probe"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
CA_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}"
OWNER_ROLE = f"/apis/{RBAC}/v1/clusterroles/{OWNER}"
OWNED = (OWNER_ROLE, VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET)
"""The ClusterRole that owns the rest, and the rest."""
VMS = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines"


@dataclass
class Replica:
    """One process of the webhook."""

    name: str
    address: str
    port: int
    child: Child

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a GET, 0 and nothing where nobody answers."""
        connection = http.client.HTTPSConnection(self.address, self.port, timeout=10, context=unverified())
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    @property
    def is_ready(self) -> bool:
        """Whether the kubelet would call it ready."""
        return self.get("/readyz")[0] == 200

    @property
    def is_leader(self) -> bool:
        """Whether it says that it is the leader."""
        return "migratability_leader_election_master_status 1.0" in self.get("/metrics")[1]

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self.child.log.read_text(errors="replace")


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


class Release(Seen):
    """A namespace, a Service, permissions, a ClusterRole that owns, settings, and any number of replicas."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        """Make all but the replicas."""
        super().__init__(cluster)
        self.folder = folder
        self.port = free_port(CLUSTER_IP)
        self.replicas: list[Replica] = []
        self._numbers = itertools.count()
        apply(cluster, foundation(self.port))
        self.file = folder / "installation.yaml"
        (folder / "settings.yaml").write_text("{}")

    def start(self) -> Replica:
        """Start one more replica; returns at once."""
        address, number = next(_ADDRESSES), next(self._numbers)
        name, port = f"{NAME}-{number}", free_port(address)
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

    def kill(self, replica: Replica) -> None:
        """End a replica at once, as a node that fails does."""
        os.killpg(replica.child.process.pid, signal.SIGKILL)
        replica.child.process.wait()
        self.replicas.remove(replica)

    def await_in_force(self) -> None:
        """Return when both configurations are there and the API server denies and patches by them.

        A good VM is never denied meanwhile.
        """
        both = (VALIDATING, MUTATING)
        eventually("the webhook configurations", lambda: all(map(self.read, both)) and not self.read(PROBE))
        eventually(
            "the API server denies and patches", lambda: self.denies and self.strategy_of_new("good") == "LiveMigrate"
        )

    def forbid(self, resource: str) -> None:
        """Take the right to read a kind from the replicas."""
        found = copy.deepcopy([role for role in roles() if role["kind"] == "ClusterRole"])
        for role in found:
            for rule in role["rules"] or ():
                rule["resources"] = [name for name in rule["resources"] if name != resource]
            role["rules"] = [rule for rule in role["rules"] or () if rule["resources"]]
        apply(self.cluster, found)

    def allow(self) -> None:
        """Give the replicas all their rights."""
        apply(self.cluster, foundation(self.port))

    def edit(self, path: str, change: Callable[[Any], object]) -> None:
        """Change a live object by hand."""
        live = self.read(path)
        change(live)
        self.api.replace(path, live)

    def _written(self) -> list[str]:
        installation = render().installation
        installation["service"]["port"] = self.port
        installation["certificates"]["trustDelay"] = "1s"
        self.file.write_text(yaml.safe_dump(installation))
        return ["--installation", str(self.file), "--config", str(self.folder / "settings.yaml")]


@contextmanager
def released(cluster: LocalCluster, folder: Path) -> Iterator[Release]:
    """Give a release without replicas, and a Service that follows those that are started; all of it goes afterwards."""
    release = Release(cluster, folder)
    forwarder = Forwarder(release)
    try:
        yield release
    finally:
        for replica in [*release.replicas]:
            release.stop(replica)
        forwarder.close()
        for path in OWNED:
            release.api.delete(path)


class Forwarder:
    """The Service's address: every connection goes to one of the replicas that are ready, in turn."""

    def __init__(self, release: Release) -> None:
        """Listen."""
        self._release, self._turn = release, itertools.count()
        self._listener = socket.create_server((CLUSTER_IP, release.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        ready, turn = [replica for replica in [*self._release.replicas] if replica.is_ready], next(self._turn)
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

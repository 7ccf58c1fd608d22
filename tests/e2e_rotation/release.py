"""The chart, installed on the local cluster's nodes, and what its replicas serve under load."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from tests.clusters import PORT
from tests.documentation import CHART
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import CA_SECRET, LEASE, MUTATING, PROBE, VALIDATING, admin, answer, await_that
from tests.e2e_rotation.handshakes import Handshakes, configured, shake
from tests.localcluster import LocalCluster, Nodes, binaries
from tests.localcluster.probes import unverified
from tests.writers import Writers, created
from webhook.objects import at, items

Object = dict[str, Any]
Served = Mapping[str, x509.Certificate]
"""What each ready replica serves, by its name."""

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/{NAME}"
_BASICS = {"service": {"port": PORT}, "certificates": {"trustDelay": "3s"}}
_WITHIN = 300.0
_PAUSE = 0.25
"""Each look costs a handshake with every replica."""
_AFTERWARDS = 50
"""How many writes follow whatever a test did."""


@dataclass
class Load:
    """What is written and shown while a test goes on, and what replicas served meanwhile."""

    writers: Writers
    handshakes: Handshakes
    ca_certificates: list[str] = field(default_factory=list)
    """The names of those that signed what was served, in order."""
    leaves: dict[str, list[int]] = field(default_factory=dict)
    """The serial numbers that each replica served, in order."""

    def note(self, served: Served) -> None:
        """Remember what is served by which replica."""
        for replica, leaf in served.items():
            known = self.leaves.setdefault(replica, [])
            if leaf.serial_number not in known:
                known.append(leaf.serial_number)
            if (issuer := leaf.issuer.rfc4514_string()) not in self.ca_certificates:
                self.ca_certificates.append(issuer)

    @property
    def rotations(self) -> int:
        """How often each replica came to serve another leaf."""
        return min(map(len, self.leaves.values()), default=1) - 1

    @property
    def failed(self) -> list[str]:
        """Writes that failed or went not evaluated, handshakes that failed, and why."""
        return [*self.writers.losses, *self.handshakes.failed]

    def __str__(self) -> str:
        leaves = sum(map(len, self.leaves.values()))
        return (
            f"{len(self.ca_certificates)} CAs, {leaves} leaves, {self.writers.tally}; "
            f"{self.handshakes.total:,} handshakes, {len(self.handshakes.failed)} failed"
        )


class Release:
    """One release of the chart, with two replicas unless its values say otherwise."""

    def __init__(self, cluster: LocalCluster, nodes: Nodes) -> None:
        """Install nothing yet."""
        self.cluster, self.nodes = cluster, nodes
        self.api = admin(cluster)
        self._values: Object = {}

    def install(self, values: Object, *, complete: bool = True) -> None:
        """Install with values over those that all tests share; return when it is in force, or at once."""
        self._values = _merged(_BASICS, values)
        waiting = ("--wait", "--timeout=300s") if complete else ()
        self._helm("install", NAME, str(CHART), *waiting, stdin=json.dumps(self._values))
        if complete:
            self.await_in_force()

    def upgrade(self, values: Object) -> None:
        """Change some values; return when the new replicas are ready."""
        self._values = _merged(self._values, values)
        self._helm("upgrade", NAME, str(CHART), "--wait", "--timeout=300s", stdin=json.dumps(self._values))

    def uninstall(self) -> None:
        """Remove it with all that it made, and end its pods at once."""
        self._helm("uninstall", NAME, "--no-hooks", check=False)
        self.cluster.kubectl("delete", "pods", "--all", "--namespace", NAMESPACE, "--grace-period=0", "--force")
        await_that(lambda: not any(map(self.read, (VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET))), "end", _WITHIN)

    def await_in_force(self) -> None:
        """Return when the webhook configurations are there and API servers go by them."""

        def in_force() -> bool:
            there = self.read(VALIDATING) and self.read(MUTATING) and not self.read(PROBE)
            denies = "[shared-access]" in answer(self.api, "once")
            return bool(there) and denies and answer(self.api, "good") == "LiveMigrate"

        await_that(in_force, "release in force", _WITHIN)

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Write VMs and shake hands; afterwards nothing may have failed, and nothing gone not evaluated."""
        with Writers(self.cluster, created) as writers, Handshakes(self.api, self.address) as handshakes:
            found = Load(writers, handshakes)
            try:
                self.look(found)
                yield found
                writers.go_on(_AFTERWARDS)
            finally:
                self.look(found)
        print(found)
        assert found.failed == [], f"{found}: {found.failed[:3]}"

    def look(self, load: Load) -> Served:
        """Return what each ready replica serves, and note it."""
        served = {name: self.leaf_of(address) for name, address in self.replicas().items()}
        load.note(served)
        return served

    def await_served(self, load: Load, condition: Callable[[Served], bool], what: str, within: float = 300) -> None:
        """Return when what the ready replicas serve meets a condition; it is noted all the while."""
        deadline = time.monotonic() + within
        while not condition(self.look(load)):
            assert time.monotonic() < deadline, f"no {what} within {within:g} s: {load}"
            time.sleep(_PAUSE)

    def read(self, path: str) -> Object | None:
        """Return what the API server has at a path, None where nothing is."""
        return self.api.get(path)

    def edit(self, path: str, patch: Object) -> None:
        """Merge a patch into an object, as somebody would by hand."""
        kind, name = path.split("/")[-2:]
        arguments = ("patch", kind, name, "--namespace", NAMESPACE, "--type=merge", "--patch", json.dumps(patch))
        self.cluster.kubectl(*arguments)

    def replicas(self) -> dict[str, str]:
        """Return the addresses of the replicas that are ready and stay, by name."""
        query = {"labelSelector": f"app.kubernetes.io/name={NAME}"}
        pods = self.api.list(PODS, query)
        return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods if _is_ready(pod)}

    def leaf_of(self, address: str) -> x509.Certificate:
        """Return what the replica at an address serves."""
        return x509.load_der_x509_certificate(shake((address, PORT), unverified()))

    @property
    def logs(self) -> str:
        """All that the replicas of now have said."""
        return "".join(self.nodes.logs(name, NAMESPACE) for name in self.replicas())

    @property
    def address(self) -> tuple[str, int]:
        """Where the Service is reached."""
        found = self.read(SERVICE)
        return str(at(found, "spec", "clusterIP")), PORT

    @property
    def bundles(self) -> set[bytes]:
        """The different bundles that are registered."""
        return configured(self.api)

    def _helm(self, *arguments: str, stdin: str = "", check: bool = True) -> None:
        """Run Helm in the release's namespace; values come by stdin."""
        command = [str(binaries.ensure("helm")["helm"]), *arguments, "--namespace", NAMESPACE]
        command += ["--create-namespace"] if arguments[0] == "install" else []
        command += ["--values", "-"] if stdin else []
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "HOME": str(self.cluster.directory)}
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr


def issuers(served: Served) -> set[x509.Name]:
    """Return the names of the CAs that signed what is served."""
    return {leaf.issuer for leaf in served.values()}


def all_new(before: Served) -> Callable[[Served], bool]:
    """Return whether none of those replicas serves any more what it did."""
    return lambda served: all(name in served and served[name] != leaf for name, leaf in before.items())


def all_of_others(before: Served) -> Callable[[Served], bool]:
    """Return whether each of those replicas serves a leaf of a CA that signed none of before."""
    return lambda served: before.keys() <= served.keys() and not issuers(served) & issuers(before)


def _is_ready(pod: Object) -> bool:
    conditions = {found["type"]: found["status"] for found in items(at(pod, "status", "conditions"))}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def _merged(below: Object, above: Object) -> Object:
    """Return two trees of values as one; what stands above counts."""
    both = {key: _merged(below[key], above[key]) for key in below.keys() & above.keys() if isinstance(above[key], dict)}
    return {**below, **above, **both}

"""Workloads of the webhook under the real controllers: Deployments, Jobs, budgets, the forwarder under load."""

import http.client
import itertools
import json
import ssl
import threading
import time
from contextlib import ExitStack

import pytest

from tests.build import Object
from tests.clusters import Clusters, WithNodes
from tests.eventually import eventually
from tests.localcluster import LocalCluster, Nodes
from tests.localcluster.errors import KubectlError
from tests.localcluster.tests.workloads import (
    PORT,
    SNAPSHOT,
    apply,
    container,
    deployment,
    job,
    pod_spec,
    server,
    service,
    shown,
    wait_for,
)

pytestmark = pytest.mark.cluster
PER_SECOND = 50


@pytest.fixture(scope="module")
def running(clusters: Clusters) -> WithNodes:
    found = clusters.with_nodes()
    apply(found.cluster, SNAPSHOT)
    return found


@pytest.fixture(scope="module")
def cluster(running: WithNodes) -> LocalCluster:
    return running.cluster


@pytest.fixture(scope="module")
def nodes(running: WithNodes) -> Nodes:
    return running.nodes


@pytest.fixture(scope="module")
def web(cluster: LocalCluster, nodes: Nodes) -> str:
    """Return the name of a Deployment of two replicas, of its Service and of the value of their label `app`."""
    patient = server(lifecycle={"preStop": {"sleep": {"seconds": 1}}})
    apply(cluster, service("web"), deployment("web", pod_spec(patient)))
    _rolled_out(cluster, "web")
    return "web"


def test_a_deployment_becomes_available_on_both_nodes(cluster: LocalCluster, web: str) -> None:
    wait_for(cluster, "condition=Available", f"deployment/{web}")
    assert len({pod["spec"]["nodeName"] for pod in _pods(cluster, web)}) == 2


def test_a_service_reaches_a_deployment(cluster: LocalCluster, web: str) -> None:
    assert _get(_address(cluster, web)) == (200, b"ok\n")


def test_a_deleted_pod_is_replaced(cluster: LocalCluster, web: str) -> None:
    deleted = _pods(cluster, web)[0]["metadata"]["name"]
    cluster.kubectl("delete", "pod", deleted)
    _rolled_out(cluster, web)
    names = [pod["metadata"]["name"] for pod in _pods(cluster, web)]
    assert (len(names), deleted in names) == (2, False)


def test_a_job_that_does_its_work_completes(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, job("good", container("--version")))
    wait_for(cluster, "condition=Complete", "job/good")


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_job_that_does_not_fails(cluster: LocalCluster, nodes: Nodes, policy: str) -> None:
    name = f"bad-{policy.lower()}"
    apply(cluster, job(name, container("check", "/nowhere"), policy=policy))
    wait_for(cluster, "condition=Failed", f"job/{name}")


def test_a_pod_asks_the_api_server_as_its_service_account(cluster: LocalCluster, nodes: Nodes) -> None:
    cluster.kubectl("create", "serviceaccount", "asking")
    cluster.kubectl(
        "create", "clusterrolebinding", "asking", "--clusterrole=cluster-admin", "--serviceaccount=default:asking"
    )
    asking = server(args=["serve", "--address=$(POD_IP)"])
    spec = pod_spec(asking, serviceAccountName="asking", automountServiceAccountToken=True)
    apply(cluster, deployment("asking", spec, replicas=1))
    _rolled_out(cluster, "asking")


def test_a_rolling_update_loses_no_request(cluster: LocalCluster, web: str) -> None:
    with _Caller(_address(cluster, web)) as caller:
        for _ in range(2):
            caller.go_on(PER_SECOND)
            cluster.kubectl("rollout", "restart", f"deployment/{web}")
            _rolled_out(cluster, web)
            caller.go_on(PER_SECOND)
    assert caller.failures == []


def test_idle_connections_stay_open_beside_new_ones(cluster: LocalCluster, web: str) -> None:
    address = _address(cluster, web)
    with ExitStack() as stack:
        idle = [_connect(stack, address) for _ in range(200)]
        with _Caller(address) as caller:
            caller.go_on(PER_SECOND)
        assert [_ask(connection) for connection in idle] == [(200, b"ok\n")] * len(idle)
    assert caller.failures == []


def test_a_service_whose_pods_are_all_gone_denies(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, service("empty"), deployment("empty", pod_spec(server()), replicas=1))
    _rolled_out(cluster, "empty")
    address = _address(cluster, "empty")
    eventually("the Service answers", lambda: _answers(address))
    cluster.kubectl("scale", "deployment/empty", "--replicas=0")
    cluster.kubectl("wait", "--for=delete", "pod", "--selector=app=empty", "--timeout=180s")
    eventually("the Service denies", lambda: not _answers(address))
    with pytest.raises(ConnectionRefusedError):
        _get(address)


def test_a_disruption_budget_decides_on_evictions(cluster: LocalCluster, web: str) -> None:
    cluster.kubectl("create", "poddisruptionbudget", web, f"--selector=app={web}", "--min-available=2")
    wait_for(cluster, "jsonpath={.status.currentHealthy}=2", f"poddisruptionbudget/{web}")
    pod = _pods(cluster, web)[0]["metadata"]["name"]
    with pytest.raises(KubectlError, match="would violate the pod's disruption budget"):
        _evict(cluster, pod)
    cluster.kubectl("patch", "poddisruptionbudget", web, "--type=merge", '--patch={"spec": {"minAvailable": 1}}')
    wait_for(cluster, "jsonpath={.status.disruptionsAllowed}=1", f"poddisruptionbudget/{web}")
    _evict(cluster, pod)
    cluster.kubectl("wait", "--for=delete", f"pod/{pod}", "--timeout=180s")
    _rolled_out(cluster, web)


def test_the_node_stays_ready_for_the_controllers(cluster: LocalCluster, nodes: Nodes) -> None:
    wait_for(cluster, "condition=Ready", *[f"node/{name}" for name in nodes.names])
    leases = cluster.kubectl("get", "leases", "--namespace=kube-node-lease", "-o", "name").stdout.split()
    assert leases == [f"lease.coordination.k8s.io/{name}" for name in nodes.names]


class _Caller:
    """Sends GETs through a Service, each on its own connection, until it is stopped."""

    def __init__(self, address: str) -> None:
        self.failures: list[str] = []
        self._address = address
        self._answered = 0
        self._stopped = threading.Event()
        self._numbers = itertools.count()
        self._started = time.monotonic()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(4)]

    def __enter__(self) -> "_Caller":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, count: int) -> None:
        """Return when that many more requests have been answered."""
        wanted = self._answered + count
        eventually(f"{count} more answers", lambda: self._answered >= wanted or bool(self.failures))

    def _call(self) -> None:
        while not self._stopped.wait(max(0.0, self._started + next(self._numbers) / PER_SECOND - time.monotonic())):
            try:
                status, _ = _get(self._address)
            except OSError as error:
                self.failures.append(repr(error))
            else:
                if status != 200:
                    self.failures.append(f"status {status}")
            self._answered += 1


def _rolled_out(cluster: LocalCluster, name: str) -> None:
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=180s")


def _pods(cluster: LocalCluster, app: str) -> list[Object]:
    listed: Object = json.loads(cluster.kubectl("get", "pods", f"--selector=app={app}", "-o", "json").stdout)
    return [pod for pod in listed["items"] if "deletionTimestamp" not in pod["metadata"]]


def _evict(cluster: LocalCluster, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "default"}}
    path = f"/api/v1/namespaces/default/pods/{pod}/eviction"
    cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def _address(cluster: LocalCluster, name: str) -> str:
    return shown(cluster, f"service/{name}", ".spec.clusterIP")


def _answers(address: str) -> bool:
    try:
        return _get(address)[0] == 200
    except OSError:
        return False


def _get(address: str) -> tuple[int, bytes]:
    with ExitStack() as stack:
        return _ask(_connect(stack, address))


def _connect(stack: ExitStack, address: str) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection(address, PORT, timeout=30, context=ssl._create_unverified_context())
    stack.callback(connection.close)
    connection.connect()
    return connection


def _ask(connection: http.client.HTTPSConnection) -> tuple[int, bytes]:
    connection.request("GET", "/livez")
    answer = connection.getresponse()
    return answer.status, answer.read()

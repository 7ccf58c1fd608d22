"""The parts of the local cluster's nodes, without a cluster."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.eventually import eventually
from tests.localcluster import images
from tests.localcluster.addresses import Addresses
from tests.localcluster.api import Client, Object
from tests.localcluster.cache import Objects
from tests.localcluster.endpoints import addresses, table
from tests.localcluster.environment import expand
from tests.localcluster.forwarder import Forwarder
from tests.localcluster.images import Image, Waiting
from tests.localcluster.mounts import Mounts
from tests.localcluster.probes import verdicts
from tests.localcluster.scheduler import Scheduler
from tests.localcluster.tests.workloads import pod, server, service
from tests.localcluster.volumes import File, replace

pytestmark = pytest.mark.cluster

MOUNTS = Mounts.of(
    [
        {
            "volumeMounts": [
                {"name": "settings", "mountPath": "/etc/app"},
                {"name": "tls", "mountPath": "/etc/app/tls/"},
                {"name": "keys", "mountPath": "/etc/key", "subPath": "key.pem"},
            ]
        }
    ],
    Path("/volumes"),
)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)-$(A)", "1-1"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("$$$(A)", "$1")],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1"}) == expanded


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("--config=/etc/app/settings.yaml", "--config=/volumes/settings/settings.yaml"),
        ("/etc/app", "/volumes/settings"),
        ("/etc/app/tls/tls.crt", "/volumes/tls/tls.crt"),
        (
            "folder: /etc/app\nkeyFile: '/etc/key'",
            "folder: /volumes/settings\nkeyFile: '/volumes/keys/key.pem'",
        ),
        ("/etc/apples", "/etc/apples"),
        ("/usr/etc/app", "/usr/etc/app"),
        ("https://host/etc/app", "https://host/etc/app"),
    ],
)
def test_mount_paths_are_put_in_their_place_wherever_they_stand_as_a_whole(text: str, translated: str) -> None:
    assert MOUNTS.translate(text) == translated


def test_a_volume_is_replaced_at_once(tmp_path: Path) -> None:
    replace(tmp_path, {"a": File(b"1"), "b": File(b"1")})
    opened = (tmp_path / "..data").resolve()
    replace(tmp_path, {"a": File(b"2"), "folder/c": File(b"2", 0o600)})
    shown = {path.name for path in tmp_path.iterdir() if not path.name.startswith("..")}
    assert (shown, (tmp_path / "a").read_bytes()) == ({"a", "folder"}, b"2")
    assert (tmp_path / "folder" / "c").stat().st_mode & 0o777 == 0o600
    assert not opened.exists(), "what it was is gone"


@pytest.mark.parametrize("key", ["2.0", "registry/migratability-webhook:2.0", "registry/migratability-webhook"])
def test_an_image_is_found_by_its_tag_its_name_or_the_whole(key: str, tmp_path: Path) -> None:
    other = Image(tmp_path)
    assert images.find({key: other}, "registry/migratability-webhook:2.0") is other
    assert images.find({key: other}, "registry:5000/migratability-webhook:1.0@sha256:0") == Image()


@pytest.mark.parametrize("reference", ["nginx", "registry/migratability-webhook/other:1", "migratability:1"])
def test_other_images_are_denied(reference: str) -> None:
    with pytest.raises(Waiting, match="nothing but the webhook itself"):
        images.find({}, reference)


def test_two_clusters_share_no_address() -> None:
    first, second = Addresses(), Addresses()
    taken = [first.take(), second.take(), first.take()]
    assert len(set(taken)) == 3
    for owner, address in zip((first, second, first), taken, strict=True):
        owner.give_back(address)


def test_an_address_given_back_is_not_the_next_to_be_taken() -> None:
    owner = Addresses()
    first = owner.take()
    owner.give_back(first)
    second = owner.take()
    owner.give_back(second)
    assert second != first


def test_a_probe_has_a_verdict_each_time_its_threshold_is_reached() -> None:
    outcomes = iter([None, "a", None, "b", "c", "d", None, None])
    ended = threading.Event()

    def check() -> str | None:
        try:
            return next(outcomes)
        except StopIteration:
            ended.set()
            return None

    probe = {"failureThreshold": 2, "successThreshold": 1, "periodSeconds": 0}
    assert list(verdicts(probe, check, ended)) == [None, None, "c", None]


def _pod(name: str, address: str = "127.97.200.1", *, ready: bool = True, leaving: bool = False) -> Object:
    """Return a pod that serves, as its node shows it."""
    made = pod(name, server(), labels={"app": "web"})
    made["metadata"] |= {"uid": name, "namespace": "default"}
    if leaving:
        made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    condition = {"type": "Ready", "status": str(ready)}
    return {**made, "status": {"phase": "Running", "podIP": address, "conditions": [condition]}}


def _service(**spec: object) -> Object:
    made = service("web")
    made["metadata"] |= {"uid": "web", "namespace": "default"}
    made["spec"] |= {"clusterIP": "127.96.200.1", **spec}
    return made


@pytest.mark.parametrize(
    ("pods", "usable"),
    [
        ([_pod("a", "1"), _pod("b", "2")], ["1", "2"]),
        ([_pod("a", "1"), _pod("b", "2", ready=False)], ["1"]),
        ([_pod("a", "1"), _pod("b", "2", leaving=True)], ["1"]),
        ([_pod("b", "2", leaving=True)], ["2"]),
        ([_pod("b", "2", ready=False)], []),
    ],
)
def test_new_connections_go_to_ready_pods_and_to_leaving_ones_only_where_no_other_is(
    pods: list[Object], usable: list[str]
) -> None:
    backends = table([_service()], pods)["127.96.200.1", 8443]
    assert backends.usable == tuple((address, 8443) for address in usable)


def test_a_pod_of_another_namespace_or_with_other_labels_is_not_behind_a_service() -> None:
    stranger, other = _pod("a"), _pod("b")
    stranger["metadata"]["namespace"] = "elsewhere"
    other["metadata"]["labels"] = {"app": "api"}
    assert table([_service()], [stranger, other])["127.96.200.1", 8443].usable == ()


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"selector": None}, {"ports": [{"port": 443}]}])
def test_what_cannot_be_forwarded_is_left_out(spec: Object) -> None:
    assert table([_service(**spec)], [_pod("a")]) == {}


def test_a_pod_that_has_ended_has_no_address_any_more() -> None:
    ended = _pod("b", "2")
    ended["status"]["phase"] = "Succeeded"
    assert addresses([_pod("a", "1"), ended]) == {"1"}


class Echo:
    """A pod that answers with what it is sent, in two pieces, behind a Service on a free port."""

    def __init__(self, forwarder: Forwarder, pods: Objects, services: Objects) -> None:
        own = Addresses()
        self.address = own.take()
        self.cluster_ip = self.address.replace("127.97.", "127.96.")
        own.give_back(self.address)
        self.listener = socket.create_server((self.address, 0))
        self.port = self.listener.getsockname()[1]
        self.pods = pods
        services.hear(_service(clusterIP=self.cluster_ip, ports=[{"port": self.port}]), exists=True)
        self.show()
        threading.Thread(target=self._serve, daemon=True).start()
        eventually("the Service answers", self.answers)

    def show(self, *, exists: bool = True, **state: bool) -> None:
        """Show the pod in a state."""
        self.pods.hear(_pod("a", self.address, **state), exists=exists)

    def connect(self) -> socket.socket:
        """Return a new connection through the Service."""
        return socket.create_connection((self.cluster_ip, self.port), timeout=30)

    def answers(self) -> bool:
        """Whether a new connection is answered."""
        try:
            with self.connect() as connection:
                return ask(connection) == b"x"
        except ConnectionError:
            return False

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while chunk := connection.recv(1 << 16):
                    connection.sendall(chunk)
            except OSError:
                return


def ask(connection: socket.socket) -> bytes:
    """Return what a connection answers to an x."""
    connection.sendall(b"x")
    return connection.recv(1)


@pytest.fixture
def echo() -> Iterator[Echo]:
    services, pods = Objects(), Objects()
    forwarder = Forwarder(cast(Client, None), services, pods)
    forwarder.start()
    pod = Echo(forwarder, pods, services)
    yield pod
    pod.listener.shutdown(socket.SHUT_RDWR)
    pod.listener.close()
    forwarder.stop()


def test_a_connection_lives_on_while_its_pod_is_leaving(echo: Echo) -> None:
    with echo.connect() as connection:
        assert ask(connection) == b"x"
        echo.show(leaving=True, ready=False)
        eventually("new connections are denied", lambda: not echo.answers())
        assert ask(connection) == b"x"


def test_a_connection_ends_with_its_pod(echo: Echo) -> None:
    with echo.connect() as connection:
        assert ask(connection) == b"x"
        echo.show(exists=False)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_service_without_a_ready_pod_denies_connections(echo: Echo) -> None:
    echo.show(ready=False)
    eventually("new connections are denied", lambda: not echo.answers())
    with pytest.raises(ConnectionRefusedError):
        echo.connect()


def test_the_end_of_one_direction_leaves_the_other_open(echo: Echo) -> None:
    with echo.connect() as connection:
        connection.sendall(b"x" * 100_000)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as file:
            assert file.read() == b"x" * 100_000


def test_many_connections_are_carried_at_once(echo: Echo) -> None:
    connections = [echo.connect() for _ in range(200)]
    answers = [ask(connection) for connection in connections]
    for connection in connections:
        connection.close()
    assert answers == [b"x"] * 200


class Recorder:
    """Takes the place of the API server's client and grants everything."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}

    def request(self, method: str, path: str, body: Object) -> "Recorder":
        """Remember a binding."""
        if method == "POST":
            self.bound[body["metadata"]["name"]] = body["target"]["name"]
        return self

    ok = True


def _node(name: str, *, ready: bool = True, cordoned: bool = False) -> Object:
    condition = {"type": "Ready", "status": str(ready)}
    metadata, spec = {"name": name, "uid": name}, {"unschedulable": cordoned}
    return {"metadata": metadata, "spec": spec, "status": {"conditions": [condition]}}


def _waiting(name: str) -> Object:
    owner = {"uid": "replicas", "controller": True}
    return {"metadata": {"name": name, "uid": name, "namespace": "default", "ownerReferences": [owner]}, "spec": {}}


@pytest.fixture
def scheduled() -> Iterator[tuple[Objects, Objects, dict[str, str]]]:
    """Pods, nodes, and what is bound."""
    pods, nodes, recorder = Objects(), Objects(), Recorder()
    scheduler = Scheduler(cast(Client, recorder), pods, nodes)
    scheduler.start()
    yield pods, nodes, recorder.bound
    scheduler.stop()


def test_pods_of_one_controller_are_spread(scheduled: tuple[Objects, Objects, dict[str, str]]) -> None:
    pods, nodes, bound = scheduled
    for name in ("a", "b"):
        nodes.hear(_node(name), exists=True)
    for number in range(4):
        pods.hear(_waiting(f"p{number}"), exists=True)
    eventually("all are bound", lambda: len(bound) == 4)
    assert sorted(bound.values()) == ["a", "a", "b", "b"]


def test_a_pod_waits_for_a_node_that_is_ready(scheduled: tuple[Objects, Objects, dict[str, str]]) -> None:
    pods, nodes, bound = scheduled
    nodes.hear(_node("a", ready=False), exists=True)
    nodes.hear(_node("b", cordoned=True), exists=True)
    pods.hear(_waiting("p"), exists=True)
    nodes.hear(_node("c"), exists=True)
    eventually("it is bound", lambda: bool(bound))
    assert bound == {"p": "c"}

"""Pods on the local cluster's nodes, one by one; no controllers are needed for that."""

import http.client
import json
import os
import select
import signal
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.eventually import eventually
from tests.localcluster import Image, LocalCluster, Nodes
from tests.localcluster.tests.workloads import (
    PORT,
    SNAPSHOT,
    apply,
    container,
    pod,
    probe,
    server,
    service,
    shown,
    volume,
    wait_for,
)

pytestmark = pytest.mark.cluster

OTHER = "registry.example/migratability-webhook:other"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
PROGRAM = """
import os, pathlib, signal, sys, time
print("arguments", *sys.argv[1:])
print("greeting", os.environ.get("GREETING"))
for path in sys.argv[1:]:
    if pathlib.Path(path).is_file():
        print("content", pathlib.Path(path).read_text())
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "fail" in sys.argv:
    sys.exit(3)
if "wait" in sys.argv:
    time.sleep(3600)
"""
"""Stands for another version of the webhook."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster() as running:
        root = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
        apply(running, SNAPSHOT, ACCOUNT, {**root, "data": {"ca.crt": running.ca_pem.decode()}})
        yield running


@pytest.fixture(scope="module")
def nodes(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("other")
    package = folder / "webhook" / "cli"
    package.mkdir(parents=True)
    for name in ("webhook/__init__.py", "webhook/cli/__init__.py"):
        (folder / name).touch()
    (package / "main.py").write_text(PROGRAM)
    with Nodes(cluster, images={"other": Image(folder, environment={"GREETING": "hello"})}) as running:
        yield running


def test_a_pod_of_the_webhook_becomes_ready_and_answers_through_its_service(
    cluster: LocalCluster, nodes: Nodes
) -> None:
    apply(cluster, service("web"), pod("web", server(), labels={"app": "web"}))
    wait_for(cluster, "condition=Ready", "pod/web")
    eventually("the Service answers", lambda: get(cluster, "web", "/livez") == 200)
    assert "Listening at" in nodes.logs("web")


def test_kubectl_logs_shows_what_a_container_writes(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("written", container("a line", image=OTHER), restartPolicy="Never"))
    wait_for(cluster, "jsonpath={.status.phase}=Succeeded", "pod/written")
    assert cluster.kubectl("logs", "written").stdout == "arguments a line\ngreeting hello\n"
    assert cluster.kubectl("logs", "--follow", "--tail=1", "written").stdout == "greeting hello\n"


def test_a_deleted_pod_is_gone_with_its_process(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("short", server()))
    wait_for(cluster, "condition=Ready", "pod/short")
    process = nodes.processes()["short", "webhook"]
    cluster.kubectl("delete", "pod", "short")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert "Shutting down" in nodes.logs("short"), "it was told to end, and its log is kept"


def test_a_pod_deleted_by_force_loses_its_process_too(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("forced", container("wait", image=OTHER)))
    wait_for(cluster, "jsonpath={.status.phase}=Running", "pod/forced")
    process = os.pidfd_open(nodes.processes()["forced", "webhook"])
    cluster.kubectl("delete", "pod", "forced", "--force", "--grace-period=0")
    assert select.select([process], [], [], 60)[0], "the process has not ended"
    os.close(process)


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace_period(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("stubborn", container("stubborn", "wait", image=OTHER), terminationGracePeriodSeconds=1))
    eventually("it runs", lambda: "greeting" in nodes.logs("stubborn"))
    process = os.pidfd_open(nodes.processes()["stubborn", "webhook"])
    cluster.kubectl("delete", "pod", "stubborn")
    assert select.select([process], [], [], 0)[0], "the pod is gone before its process"
    os.close(process)


def test_the_hook_before_the_end_is_waited_for(cluster: LocalCluster, nodes: Nodes) -> None:
    hook = {"preStop": {"exec": {"command": ["/bin/sleep", "600"]}}}
    apply(cluster, pod("slow-end", container("wait", image=OTHER, lifecycle=hook)))
    wait_for(cluster, "jsonpath={.status.phase}=Running", "pod/slow-end")
    process = os.pidfd_open(nodes.processes()["slow-end", "webhook"])
    cluster.kubectl("delete", "pod", "slow-end", "--wait=false")
    wait_for(cluster, "jsonpath={.metadata.deletionTimestamp}", "pod/slow-end")
    assert not select.select([process], [], [], 0.5)[0]
    cluster.kubectl("delete", "pod", "slow-end", "--grace-period=0", "--force")
    os.close(process)


def test_what_a_failed_process_wrote_last_is_its_message_where_the_pod_says_so(
    cluster: LocalCluster, nodes: Nodes
) -> None:
    failing = container("fail", image=OTHER, terminationMessagePolicy="FallbackToLogsOnError")
    apply(cluster, pod("failing", failing, restartPolicy="Never"))
    wait_for(cluster, "jsonpath={.status.phase}=Failed", "pod/failing")
    state = json.loads(cluster.kubectl("get", "pod", "failing", "-o", "json").stdout)["status"]["containerStatuses"][0]
    ended = state["state"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (3, "arguments fail\ngreeting hello")


def test_a_killed_process_is_started_again(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("killed", server()))
    wait_for(cluster, "condition=Ready", "pod/killed")
    os.kill(nodes.processes()["killed", "webhook"], signal.SIGKILL)
    wait_for(cluster, "jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/killed")
    wait_for(cluster, "condition=Ready", "pod/killed")
    assert shown(cluster, "pod/killed", ".status.containerStatuses[0].lastState.terminated.exitCode") == "137"


def test_a_container_that_fails_its_liveness_probe_is_started_again(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("ill", server(livenessProbe=probe("/nowhere", failureThreshold=1))))
    wait_for(cluster, "jsonpath={.status.containerStatuses[0].lastState.terminated}", "pod/ill")
    cluster.kubectl("delete", "pod", "ill")


def test_other_probes_wait_for_the_startup_probe(cluster: LocalCluster, nodes: Nodes) -> None:
    liveness, startup = (probe("/livez", failureThreshold=most, timeoutSeconds=60) for most in (1, 600))
    apply(cluster, pod("slow", server(livenessProbe=liveness, startupProbe=startup)))
    wait_for(cluster, "condition=Ready", "pod/slow")
    assert shown(cluster, "pod/slow", ".status.containerStatuses[0].restartCount") == "0"


def test_a_pod_that_is_not_ready_is_not_reached(cluster: LocalCluster, nodes: Nodes) -> None:
    with _Switch() as switch:
        ready = {"httpGet": {"host": "127.0.0.1", "port": switch.server_port}, "periodSeconds": 1}
        gated = server(readinessProbe={**ready, "failureThreshold": 1})
        apply(cluster, service("gated"), pod("gated", gated, labels={"app": "gated"}))
        wait_for(cluster, "condition=Ready", "pod/gated")
        eventually("the Service answers", lambda: get(cluster, "gated", "/livez") == 200)
        switch.status = 503
        wait_for(cluster, "condition=Ready=false", "pod/gated")
        eventually("the Service denies", lambda: get(cluster, "gated", "/livez") is None)
        switch.status = 200
        eventually("the Service answers again", lambda: get(cluster, "gated", "/livez") == 200)


def test_an_image_tag_can_stand_for_another_checkout(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("other", container("a", "b", image=OTHER), restartPolicy="Never"))
    wait_for(cluster, "jsonpath={.status.phase}=Succeeded", "pod/other")
    assert nodes.logs("other") == "arguments a b\ngreeting hello\n"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({"image": "nginx:1"}, "ErrImagePull"), ({"command": ["sh", "-c", "true"]}, "CreateContainerError")],
)
def test_anything_but_the_webhook_is_denied_with_a_reason(
    cluster: LocalCluster, nodes: Nodes, spec: dict[str, object], reason: str
) -> None:
    name = reason.lower()
    apply(cluster, pod(name, container(**spec)))
    wait_for(cluster, f"jsonpath={{.status.containerStatuses[0].state.waiting.reason}}={reason}", f"pod/{name}")
    message = shown(cluster, f"pod/{name}", ".status.containerStatuses[0].state.waiting.message")
    assert "this kubelet runs nothing but the webhook itself" in message


def test_a_pod_waits_for_a_configmap_that_is_missing(cluster: LocalCluster, nodes: Nodes) -> None:
    late = container("/etc/late/word", image=OTHER, volumeMounts=[{"name": "late", "mountPath": "/etc/late"}])
    apply(cluster, pod("late", late, volumes=[volume("late")], restartPolicy="Never"))
    missing = 'jsonpath={.status.containerStatuses[0].state.waiting.message}=configmap "late" not found'
    wait_for(cluster, missing, "pod/late")
    cluster.kubectl("create", "configmap", "late", "--from-literal=word=now")
    wait_for(cluster, "jsonpath={.status.phase}=Succeeded", "pod/late")
    assert "content now\n" in nodes.logs("late")


@pytest.mark.parametrize("kind", ["configmap", "secret generic"])
def test_an_edit_arrives_in_the_mounted_file(cluster: LocalCluster, nodes: Nodes, kind: str) -> None:
    create = ("create", *kind.split(), f"edited-{kind[0]}", "--dry-run=client", "-o", "json")

    def write(word: str) -> None:
        made = cluster.kubectl(*create, f"--from-literal=word={word}").stdout
        cluster.kubectl("apply", "-f", "-", stdin=made)

    write("before")
    name = f"edited-{kind[0]}"
    source = volume(name) if kind == "configmap" else {"name": name, "secret": {"secretName": name}}
    apply(cluster, pod(name, container("wait", image=OTHER), volumes=[source]))
    wait_for(cluster, "jsonpath={.status.phase}=Running", f"pod/{name}")
    file = nodes.folder(name, name) / "word"
    assert file.read_text() == "before"
    write("after")
    eventually("the edit has arrived", lambda: file.read_text() == "after")


def test_init_containers_come_first(cluster: LocalCluster, nodes: Nodes) -> None:
    first = container("first", image=OTHER) | {"name": "first"}
    apply(cluster, pod("staged", container("second", image=OTHER), initContainers=[first], restartPolicy="Never"))
    wait_for(cluster, "jsonpath={.status.phase}=Succeeded", "pod/staged")
    assert nodes.logs("staged").index("arguments first") < nodes.logs("staged").index("arguments second")


def test_environment_and_arguments_are_expanded(cluster: LocalCluster, nodes: Nodes) -> None:
    cluster.kubectl("create", "secret", "generic", "word", "--from-literal=word=open sesame")
    env = [
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "word", "key": "word"}}},
        {"name": "GREETING", "value": "$(NAME) says $(WORD)"},
    ]
    apply(cluster, pod("spoken", container("$(NODE)", "$$(NODE)", image=OTHER, env=env), restartPolicy="Never"))
    wait_for(cluster, "jsonpath={.status.phase}=Succeeded", "pod/spoken")
    node = shown(cluster, "pod/spoken", ".spec.nodeName")
    assert nodes.logs("spoken") == f"arguments {node} $(NODE)\ngreeting spoken says open sesame\n"


def test_a_projected_token_is_the_service_accounts(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("trusted", container("wait", image=OTHER), automountServiceAccountToken=True))
    wait_for(cluster, "jsonpath={.status.phase}=Running", "pod/trusted")
    file = _account_folder(cluster, nodes, "trusted") / "token"
    assert user_of(cluster, file.read_text()) == "system:serviceaccount:default:default"


def test_a_token_is_replaced_before_it_ends(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, pod("renewed", container("wait", image=OTHER), automountServiceAccountToken=True))
    wait_for(cluster, "jsonpath={.status.phase}=Running", "pod/renewed")
    file = _account_folder(cluster, nodes, "renewed") / "token"
    before = file.read_text()
    nodes.renew_tokens()
    eventually("there is another token", lambda: file.read_text() != before)
    assert user_of(cluster, file.read_text()) == "system:serviceaccount:default:default"


def test_every_pod_has_an_address_of_its_own(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, *[pod(f"addressed-{number}", container("wait", image=OTHER)) for number in range(4)])
    names = [f"pod/addressed-{number}" for number in range(4)]
    wait_for(cluster, "jsonpath={.status.phase}=Running", *names)
    assert len({shown(cluster, name, ".status.podIP") for name in names}) == 4


def test_a_cordoned_node_gets_no_pods(cluster: LocalCluster, nodes: Nodes) -> None:
    cluster.kubectl("cordon", nodes.names[0])
    apply(cluster, *[pod(f"elsewhere-{number}", container(image=OTHER)) for number in range(3)])
    names = [f"pod/elsewhere-{number}" for number in range(3)]
    wait_for(cluster, "jsonpath={.spec.nodeName}=" + nodes.names[1], *names)
    cluster.kubectl("uncordon", nodes.names[0])


def test_a_service_port_that_needs_root_is_not_forwarded_and_says_so(cluster: LocalCluster, nodes: Nodes) -> None:
    apply(cluster, service("low", port=443))

    def reported() -> bool:
        events = cluster.kubectl("get", "events", "--field-selector=involvedObject.name=low", "-o", "json").stdout
        return any("is not forwarded here" in event["message"] for event in json.loads(events)["items"])

    eventually("an event says so", reported)


def test_stopping_the_nodes_leaves_no_process_behind(cluster: LocalCluster, nodes: Nodes) -> None:
    with Nodes(cluster, 1, prefix="other") as others:
        apply(cluster, pod("left", server(), nodeName="other-1"))
        wait_for(cluster, "condition=Ready", "pod/left")
        process = others.processes()["left", "webhook"]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def get(cluster: LocalCluster, service: str, path: str) -> int | None:
    """Return the status of a GET through a Service, or None where nobody answers."""
    address = shown(cluster, f"service/{service}", ".spec.clusterIP")
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(address, PORT, timeout=10, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def user_of(cluster: LocalCluster, token: str) -> str:
    """Return whom the API server takes the exemption source of a token for."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = cluster.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review)).stdout
    return str(json.loads(answer)["status"]["user"]["username"])


def _account_folder(cluster: LocalCluster, nodes: Nodes, name: str) -> Path:
    volumes = json.loads(cluster.kubectl("get", "pod", name, "-o", "json").stdout)["spec"]["volumes"]
    projected = next(item["name"] for item in volumes if "projected" in item)
    return nodes.folder(name, projected)


class _Switch(ThreadingHTTPServer):
    """Answers every GET with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SwitchHandler)
        self.status = 200

    def __enter__(self) -> "_Switch":
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _SwitchHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Switch)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

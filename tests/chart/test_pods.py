"""The pods are restricted, found by their Service alone, and leave in order."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.chart.helm import CI, RELEASE, Object, Rendered, render, render_ci
from tests.documentation import CHART
from webhook.cli.main import make_parser
from webhook.objects import at
from webhook.server.run import GRACE_SECONDS


def pods(rendered: Rendered) -> dict[str, Object]:
    """Return the metadata and spec of every pod that a release can have, by what it does."""
    return {
        "webhook": rendered.get("Deployment")["spec"]["template"],
        "unregister": rendered.get("Job", "-unregister")["spec"]["template"],
        "test": rendered.get("Pod", "-test"),
    }


def specs(rendered: Rendered) -> list[Object]:
    return [pod["spec"] for pod in pods(rendered).values()]


def containers(rendered: Rendered) -> list[Object]:
    return [container for spec in specs(rendered) for container in spec["containers"]]


Check = tuple[str, Callable[[Object], bool]]

USERS = {"runAsUser", "runAsGroup", "fsGroup"}
VOLUMES = {"name", "configMap", "secret"}
OF_PODS: list[Check] = [
    ("does not run as root", lambda spec: at(spec, "securityContext", "runAsNonRoot") is True),
    ("has a seccomp profile", lambda spec: at(spec, "securityContext", "seccompProfile", "type") == "RuntimeDefault"),
    ("leaves the user to OpenShift", lambda spec: not USERS & set(spec["securityContext"])),
    ("shares nothing with the host", lambda spec: not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)),
    ("mounts what restricted allows", lambda spec: all({*found} <= VOLUMES for found in spec["volumes"])),
    ("has no other containers", lambda spec: not {"initContainers", "ephemeralContainers"} & set(spec)),
]
OF_CONTAINERS: list[Check] = [
    ("gains no privileges", lambda box: at(box, "securityContext", "allowPrivilegeEscalation") is False),
    ("is not privileged", lambda box: "privileged" not in box["securityContext"]),
    ("has no capabilities", lambda box: at(box, "securityContext", "capabilities") == {"drop": ["ALL"]}),
    ("writes to no disk", lambda box: at(box, "securityContext", "readOnlyRootFilesystem") is True),
    ("mounts for reading alone", lambda box: all(mount["readOnly"] for mount in box["volumeMounts"])),
    ("leaves the user to OpenShift", lambda box: not USERS & set(box["securityContext"])),
    ("takes no port of the host", lambda box: not any("hostPort" in port for port in box.get("ports", []))),
    ("listens above 1024", lambda box: all(port["containerPort"] > 1024 for port in box.get("ports", []))),
    ("says what it asks for", lambda box: bool(at(box, "resources", "requests", "memory"))),
    ("runs what the image runs", lambda box: "command" not in box),
]


@pytest.mark.parametrize("name", CI)
@pytest.mark.parametrize(("_what", "holds"), OF_PODS, ids=[what for what, _ in OF_PODS])
def test_every_pod(name: str, _what: str, holds: Callable[[Object], bool]) -> None:
    assert all(holds(spec) for spec in specs(render_ci(name)))


@pytest.mark.parametrize("name", CI)
@pytest.mark.parametrize(("_what", "holds"), OF_CONTAINERS, ids=[what for what, _ in OF_CONTAINERS])
def test_every_container(name: str, _what: str, holds: Callable[[Object], bool]) -> None:
    assert all(holds(container) for container in containers(render_ci(name)))


def test_all_pods_have_the_same_image_and_go_where_the_values_say() -> None:
    rendered = render_ci("everything")

    assert len({container["image"] for container in containers(rendered)}) == 1
    for field in ("nodeSelector", "tolerations", "imagePullSecrets"):
        assert all(spec[field] == specs(rendered)[0][field] for spec in specs(rendered))


def test_there_are_two_and_one_more_comes_before_one_goes() -> None:
    spec = render().get("Deployment")["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "Deployment"])
def test_selectors_find_the_pods_that_answer_and_no_others(kind: str) -> None:
    rendered = render()
    spec = rendered.get(kind)["spec"]
    selector = spec["selector"].get("matchLabels", spec["selector"])

    found = [name for name, pod in pods(rendered).items() if selector.items() <= pod["metadata"]["labels"].items()]
    assert found == ["webhook"]
    assert set(selector) == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


def test_the_webhook_finds_its_replicas_by_the_same_labels() -> None:
    rendered = render()
    selector = dict(pair.split("=") for pair in rendered.installation["pods"].split(","))

    assert selector == rendered.get("Service")["spec"]["selector"]


def test_replicas_tell_their_version() -> None:
    labels = render().get("Deployment")["spec"]["template"]["metadata"]["labels"]

    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert labels["app.kubernetes.io/version"] == chart["appVersion"]


def test_a_new_version_of_the_chart_alone_restarts_nothing() -> None:
    assert "helm.sh/chart" not in render().get("Deployment")["spec"]["template"]["metadata"]["labels"]


def test_the_network_policy_is_for_all_pods_of_the_release_and_opens_the_port_that_is_served() -> None:
    rendered = render()
    spec = rendered.get("NetworkPolicy")["spec"]
    (expression,) = spec["podSelector"]["matchExpressions"]

    labels = [pod["metadata"]["labels"] for pod in pods(rendered).values()]
    assert {found["app.kubernetes.io/name"] for found in labels} == set(expression["values"])
    assert all(spec["podSelector"]["matchLabels"].items() <= found.items() for found in labels)
    port = rendered.pod["containers"][0]["ports"][0]["containerPort"]
    assert spec["ingress"] == [{"ports": [{"port": port, "protocol": "TCP"}]}]
    opened = {entry["port"] for rule in spec["egress"] if "to" not in rule for entry in rule["ports"]}
    assert opened == {443, 6443, 53, 5353}
    (among_us,) = [rule for rule in spec["egress"] if "to" in rule]
    assert among_us["ports"] == [{"port": port, "protocol": "TCP"}]
    assert among_us["to"] == [{"podSelector": rendered.get("Deployment")["spec"]["selector"]}]


def test_a_pod_that_answers_nobody_holds_up_no_drain() -> None:
    assert render().get("PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_the_arguments_are_those_of_the_contract() -> None:
    box = render().pod["containers"][0]

    assert box["args"] == [
        "serve",
        "--installation=/etc/migratability/installation.yaml",
        "--config=/etc/migratability/settings.yaml",
        "--address=$(POD_IP)",
        "--port=8443",
    ]
    assert make_parser().parse_args([box["args"][0], *box["args"][2:]]).port == box["ports"][0]["containerPort"]


def test_the_downward_api_tells_a_pod_who_it_is() -> None:
    sources = {env["name"]: env["valueFrom"]["fieldRef"]["fieldPath"] for env in render().pod["containers"][0]["env"]}

    assert sources == {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"}


@pytest.mark.parametrize(("probe", "path"), [("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz")])
def test_probes_ask_over_tls(probe: str, path: str) -> None:
    found: dict[str, Any] = render().pod["containers"][0][f"{probe}Probe"]

    assert found["httpGet"] == {"path": path, "port": "https", "scheme": "HTTPS"}


def test_a_pod_that_goes_answers_until_nobody_asks_it_and_then_to_the_end() -> None:
    spec = render().pod
    sleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert sleep >= 5
    assert spec["terminationGracePeriodSeconds"] >= max(40, sleep + GRACE_SECONDS + 5)


def test_the_service_leads_to_the_port_that_is_served() -> None:
    (port,) = render({"service": {"port": 9443}}).get("Service")["spec"]["ports"]

    assert (port["port"], port["targetPort"]) == (9443, "https")
    assert render({"service": {"port": 9443}}).installation["service"] == {"name": RELEASE, "port": 9443}

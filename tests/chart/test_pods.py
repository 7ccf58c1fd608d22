"""The pods, Helm's hooks among them: restricted, selected only by their Service, terminating in order."""

from collections.abc import Callable

import pytest
import yaml

from tests.chart.helm import CI, RELEASE, Object, Rendered, render, render_ci
from tests.documentation import CHART
from webhook.cli.main import make_parser
from webhook.objects import at
from webhook.server.run import GRACE_SECONDS


def pods(rendered: Rendered) -> dict[str, Object]:
    """Return the metadata and spec of every pod that a release can have, by its purpose."""
    return {
        "webhook": rendered.get("Deployment")["spec"]["template"],
        "cleanup": rendered.get("Job", "-cleanup")["spec"]["template"],
        "test": rendered.get("Pod", "-test"),
    }


def specs(rendered: Rendered) -> list[Object]:
    return [pod["spec"] for pod in pods(rendered).values()]


def containers(rendered: Rendered) -> list[Object]:
    return [container for spec in specs(rendered) for container in spec["containers"]]


Check = Callable[[Object], bool]

USERS = {"runAsUser", "runAsGroup", "fsGroup"}
VOLUMES = {"name", "configMap", "secret"}
OF_PODS: dict[str, Check] = {
    "does not run as root": lambda spec: at(spec, "securityContext", "runAsNonRoot") is True,
    "has a seccomp profile": lambda spec: at(spec, "securityContext", "seccompProfile", "type") == "RuntimeDefault",
    "leaves the user to OpenShift": lambda spec: not USERS & set(spec["securityContext"]),
    "shares nothing with the host": lambda spec: not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec),
    "mounts what restricted allows": lambda spec: all({*found} <= VOLUMES for found in spec["volumes"]),
    "has no other containers": lambda spec: not {"initContainers", "ephemeralContainers"} & set(spec),
}
OF_CONTAINERS: dict[str, Check] = {
    "gains no privileges": lambda box: at(box, "securityContext", "allowPrivilegeEscalation") is False,
    "is not privileged": lambda box: "privileged" not in box["securityContext"],
    "has no capabilities": lambda box: at(box, "securityContext", "capabilities") == {"drop": ["ALL"]},
    "writes to no disk": lambda box: at(box, "securityContext", "readOnlyRootFilesystem") is True,
    "mounts read-only": lambda box: all(mount["readOnly"] for mount in box["volumeMounts"]),
    "leaves the user to OpenShift": lambda box: not USERS & set(box["securityContext"]),
    "uses no host port": lambda box: not any("hostPort" in port for port in box.get("ports", [])),
    "listens above 1024": lambda box: all(port["containerPort"] > 1024 for port in box.get("ports", [])),
    "requests memory": lambda box: bool(at(box, "resources", "requests", "memory")),
    "runs the image's command": lambda box: "command" not in box,
}


@pytest.mark.parametrize("name", CI)
def test_every_pod_and_container_meets_the_restricted_level(name: str) -> None:
    rendered = render_ci(name)
    assert [what for what, holds in OF_PODS.items() if not all(map(holds, specs(rendered)))] == []
    assert [what for what, holds in OF_CONTAINERS.items() if not all(map(holds, containers(rendered)))] == []


def test_all_pods_have_the_same_image_and_the_values_placement() -> None:
    rendered = render_ci("everything")
    assert len({container["image"] for container in containers(rendered)}) == 1
    for field in ("nodeSelector", "tolerations", "imagePullSecrets"):
        assert all(spec[field] == specs(rendered)[0][field] for spec in specs(rendered))


def test_two_replicas_are_replaced_one_by_one_and_an_unready_one_blocks_no_drain() -> None:
    spec = render().get("Deployment")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert render().get("PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "Deployment"])
def test_selectors_select_the_webhooks_pods_and_no_others(kind: str) -> None:
    rendered = render()
    spec = rendered.get(kind)["spec"]
    selector = spec["selector"].get("matchLabels", spec["selector"])
    found = [name for name, pod in pods(rendered).items() if selector.items() <= pod["metadata"]["labels"].items()]
    assert found == ["webhook"]
    assert set(selector) == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    assert selector == dict(pair.split("=") for pair in rendered.installation["pods"].split(","))


def test_pods_have_the_version_of_the_webhook_but_not_of_the_chart() -> None:
    labels = render().get("Deployment")["spec"]["template"]["metadata"]["labels"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert labels["app.kubernetes.io/version"] == chart["appVersion"]
    assert "helm.sh/chart" not in labels, "a new chart would restart the pods"


def test_the_network_policy_selects_all_pods_of_the_release_and_opens_the_ports_in_use() -> None:
    rendered = render()
    spec = rendered.get("NetworkPolicy")["spec"]
    (expression,) = spec["podSelector"]["matchExpressions"]
    labels = [pod["metadata"]["labels"] for pod in pods(rendered).values()]
    assert {found["app.kubernetes.io/name"] for found in labels} == set(expression["values"])
    assert all(spec["podSelector"]["matchLabels"].items() <= found.items() for found in labels)
    served = [{"port": rendered.pod["containers"][0]["ports"][0]["containerPort"], "protocol": "TCP"}]
    assert spec["ingress"] == [{"ports": served}]
    opened = {entry["port"] for rule in spec["egress"] if "to" not in rule for entry in rule["ports"]}
    assert opened == {443, 6443, 53, 5353}
    (replicas,) = [rule for rule in spec["egress"] if "to" in rule]
    assert replicas == {"ports": served, "to": [{"podSelector": rendered.get("Deployment")["spec"]["selector"]}]}


def test_the_webhook_is_started_with_arguments_of_its_command_line() -> None:
    box = render().pod["containers"][0]
    assert box["args"] == [
        "serve",
        "--installation=/etc/migratability/installation.yaml",
        "--config=/etc/migratability/settings.yaml",
        "--address=$(POD_IP)",
        "--port=8443",
    ]
    assert make_parser().parse_args([box["args"][0], *box["args"][2:]]).port == box["ports"][0]["containerPort"]
    sources = {env["name"]: env["valueFrom"]["fieldRef"]["fieldPath"] for env in box["env"]}
    assert sources == {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"}


def test_probes_use_tls_and_the_service_forwards_its_port_to_the_served_one() -> None:
    rendered = render({"service": {"port": 9443}})
    box, (port,) = rendered.pod["containers"][0], rendered.get("Service")["spec"]["ports"]
    for probe, path in (("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz")):
        assert box[f"{probe}Probe"]["httpGet"] == {"path": path, "port": "https", "scheme": "HTTPS"}
    assert (port["port"], port["targetPort"]) == (9443, "https")
    assert rendered.installation["service"] == {"name": RELEASE, "port": 9443}


def test_a_terminating_pod_answers_until_no_request_arrives_and_then_finishes_what_is_in_flight() -> None:
    spec = render().pod
    sleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep >= 5
    assert spec["terminationGracePeriodSeconds"] >= max(40, sleep + GRACE_SECONDS + 5)


def hooks(event: str) -> dict[str, Object]:
    """Return the annotations of an event's hooks by kind and name."""
    return {
        f"{obj['kind']} {obj['metadata']['name']}": obj["metadata"]["annotations"]
        for obj in render().objects
        if obj["metadata"].get("annotations", {}).get("helm.sh/hook") == event
    }


@pytest.mark.parametrize(("event", "runs"), [("pre-delete", f"Job {RELEASE}-cleanup"), ("test", f"Pod {RELEASE}-test")])
def test_a_hook_finds_what_it_needs_can_run_again_and_leaves_nothing(event: str, runs: str) -> None:
    found = hooks(event)
    weights = {name: int(annotations["helm.sh/hook-weight"]) for name, annotations in found.items()}
    assert max(weight for name, weight in weights.items() if name != runs) < weights[runs]
    policies = {annotations["helm.sh/hook-delete-policy"] for annotations in found.values()}
    assert policies == {"before-hook-creation,hook-succeeded"}


def test_the_cleanup_job_needs_no_release_gives_up_before_helm_does_and_is_removed_if_it_fails() -> None:
    rendered = render()
    job = rendered.get("Job", "-cleanup")["spec"]
    spec = job["template"]["spec"]
    kinds = ("ClusterRole", "ClusterRoleBinding", "ConfigMap", "Job", "Role", "RoleBinding", "ServiceAccount")
    assert sorted(hooks("pre-delete")) == [f"{kind} {RELEASE}-cleanup" for kind in kinds]
    assert spec["volumes"] == [{"name": "config", "configMap": {"name": f"{RELEASE}-cleanup"}}]
    installation = rendered.get("ConfigMap")["data"]["installation.yaml"]
    assert rendered.get("ConfigMap", "-cleanup")["data"] == {"installation.yaml": installation}
    assert spec["containers"][0]["args"] == ["cleanup", "--installation=/etc/migratability/installation.yaml"]
    assert job["activeDeadlineSeconds"] < 300, "Helm waits for five minutes"
    assert job["ttlSecondsAfterFinished"]


def test_the_test_pod_runs_the_doctor_as_the_webhooks_account_and_shows_its_output() -> None:
    pod = render().get("Pod", "-test")
    assert pod["spec"]["containers"][0]["args"][0] == "doctor"
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["restartPolicy"]) == (RELEASE, "Never")
    assert pod["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"

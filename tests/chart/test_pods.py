"""The pods, Helm's hooks among them: restricted, selected only by their Service, terminating in order."""

import pytest
import yaml

from tests.chart.helm import CI, RELEASE, render, render_ci
from tests.documentation import CHART
from webhook.cli.main import make_parser
from webhook.server.run import GRACE_SECONDS

NOT_OF_PODS = {"hostNetwork", "hostPID", "hostIPC", "hostUsers", "initContainers", "ephemeralContainers"}


@pytest.mark.parametrize("name", CI)
def test_every_pod_meets_the_restricted_level_and_leaves_the_user_to_openshift(name: str) -> None:
    for spec in (pod["spec"] for pod in render_ci(name).pods.values()):
        assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert not NOT_OF_PODS & set(spec)
        assert all({*volume} <= {"name", "configMap", "secret"} for volume in spec["volumes"])


@pytest.mark.parametrize("name", CI)
def test_every_container_is_confined_and_runs_the_images_command(name: str) -> None:
    confined = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for (box,) in (pod["spec"]["containers"] for pod in render_ci(name).pods.values()):
        assert box["securityContext"] == confined
        assert all(mount["readOnly"] for mount in box["volumeMounts"])
        assert all(port["containerPort"] > 1024 and "hostPort" not in port for port in box.get("ports", []))
        assert box["resources"]["requests"]["memory"]
        assert "command" not in box


def test_all_pods_have_the_same_image_and_the_values_placement() -> None:
    first, *others = [pod["spec"] for pod in render_ci("everything").pods.values()]
    for spec in others:
        assert spec["containers"][0]["image"] == first["containers"][0]["image"]
        assert all(spec[field] == first[field] for field in ("nodeSelector", "tolerations", "imagePullSecrets"))


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
    found = [name for name, pod in rendered.pods.items() if selector.items() <= pod["metadata"]["labels"].items()]
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
    labels = [pod["metadata"]["labels"] for pod in rendered.pods.values()]
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


BOTH, OF_CLUSTER = ("Role", "RoleBinding"), ("ClusterRole", "ClusterRoleBinding")
HOOKS = [
    ("pre-delete", "Job", "-cleanup", {"-cleanup": (*BOTH, *OF_CLUSTER, "ConfigMap", "ServiceAccount")}),
    ("test", "Pod", "-test", {"-test": BOTH, "-test-service": BOTH, "-test-versions": OF_CLUSTER}),
]


@pytest.mark.parametrize(("event", "kind", "suffix", "needs"), HOOKS, ids=["pre-delete", "test"])
def test_a_hook_finds_what_it_needs_can_run_again_and_leaves_nothing(
    event: str, kind: str, suffix: str, needs: dict[str, tuple[str, ...]]
) -> None:
    found = {
        (obj["kind"], obj["metadata"]["name"].removeprefix(RELEASE)): obj["metadata"]["annotations"]
        for obj in render().objects
        if obj["metadata"].get("annotations", {}).get("helm.sh/hook") == event
    }
    needed = {(of_it, end) for end, kinds in needs.items() for of_it in kinds}
    assert set(found) == {*needed, (kind, suffix)}
    weights = {name: int(annotations["helm.sh/hook-weight"]) for name, annotations in found.items()}
    assert max(weights[name] for name in needed) < weights[kind, suffix]
    policies = {annotations["helm.sh/hook-delete-policy"] for annotations in found.values()}
    assert policies == {"before-hook-creation,hook-succeeded"}


def test_the_cleanup_job_needs_no_release_gives_up_before_helm_does_and_is_removed_if_it_fails() -> None:
    rendered = render()
    job = rendered.get("Job", "-cleanup")["spec"]
    spec = job["template"]["spec"]
    assert spec["volumes"] == [{"name": "config", "configMap": {"name": f"{RELEASE}-cleanup"}}]
    installation = rendered.get("ConfigMap")["data"]["installation.yaml"]
    assert rendered.get("ConfigMap", "-cleanup")["data"] == {"installation.yaml": installation}
    assert spec["containers"][0]["args"] == ["cleanup", "--installation=/etc/migratability/installation.yaml"]
    assert job["activeDeadlineSeconds"] < 300, "Helm waits for five minutes"
    assert job["ttlSecondsAfterFinished"]


def test_the_test_pod_runs_the_doctor_as_the_webhooks_account_where_it_may_create_vms_and_shows_its_output() -> None:
    pod = render({"test": {"namespace": "staging"}}).get("Pod", "-test")
    args = pod["spec"]["containers"][0]["args"]
    assert (args[0], args[-1]) == ("doctor", "--namespace=staging")
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["restartPolicy"]) == (RELEASE, "Never")
    assert pod["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"

"""What Helm runs besides the release: the Job before an uninstall, and the test."""

import pytest

from tests.chart.helm import RELEASE, Object, render


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


def test_the_cleanup_job_does_not_need_the_release() -> None:
    rendered = render()
    spec = rendered.get("Job", "-cleanup")["spec"]["template"]["spec"]

    kinds = ("ClusterRole", "ClusterRoleBinding", "ConfigMap", "Job", "Role", "RoleBinding", "ServiceAccount")
    assert sorted(hooks("pre-delete")) == [f"{kind} {RELEASE}-cleanup" for kind in kinds]
    assert spec["volumes"] == [{"name": "config", "configMap": {"name": f"{RELEASE}-cleanup"}}]
    installation = rendered.get("ConfigMap")["data"]["installation.yaml"]
    assert rendered.get("ConfigMap", "-cleanup")["data"] == {"installation.yaml": installation}


def test_the_cleanup_job_gives_up_before_helm_does_and_is_removed_if_it_fails() -> None:
    spec = render().get("Job", "-cleanup")["spec"]

    args = spec["template"]["spec"]["containers"][0]["args"]
    assert args == ["cleanup", "--installation=/etc/migratability/installation.yaml"]
    assert spec["activeDeadlineSeconds"] < 300, "Helm waits for five minutes"
    assert spec["ttlSecondsAfterFinished"]


def test_the_test_pod_runs_the_doctor_as_the_webhooks_account_and_shows_its_output() -> None:
    pod = render().get("Pod", "-test")

    assert pod["spec"]["containers"][0]["args"][0] == "doctor"
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["restartPolicy"]) == (RELEASE, "Never")
    assert pod["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"

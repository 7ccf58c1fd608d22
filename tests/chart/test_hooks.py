"""What Helm runs beside the release: the Job before an uninstall, and the test."""

import pytest

from tests.chart.helm import RELEASE, Object, render


def hooks(event: str) -> list[Object]:
    found = [obj for obj in render().objects if at_event(obj) == event]
    return sorted(found, key=lambda obj: int(obj["metadata"]["annotations"]["helm.sh/hook-weight"]))


def at_event(obj: Object) -> str:
    found: str = obj["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    return found


def policies(obj: Object) -> set[str]:
    return set(obj["metadata"]["annotations"]["helm.sh/hook-delete-policy"].split(","))


@pytest.mark.parametrize(("event", "kind"), [("pre-delete", "Job"), ("test", "Pod")])
def test_what_a_hook_needs_is_there_before_it_runs(event: str, kind: str) -> None:
    weights = {obj["kind"]: int(obj["metadata"]["annotations"]["helm.sh/hook-weight"]) for obj in hooks(event)}
    own = weights.pop(kind)

    assert all(weight < own for weight in weights.values())


@pytest.mark.parametrize("event", ["pre-delete", "test"])
def test_a_hook_can_be_run_again_and_leaves_nothing(event: str) -> None:
    assert all(policies(obj) == {"before-hook-creation", "hook-succeeded"} for obj in hooks(event))


def test_the_job_has_all_it_needs_even_where_the_release_is_gone() -> None:
    kinds = sorted(obj["kind"] for obj in hooks("pre-delete"))

    assert kinds == ["ClusterRole", "ClusterRoleBinding", "ConfigMap", "Job", "Role", "RoleBinding", "ServiceAccount"]
    assert {obj["metadata"]["name"] for obj in hooks("pre-delete")} == {f"{RELEASE}-unregister"}


def test_the_job_mounts_its_own_copy_of_the_installation() -> None:
    rendered = render()
    spec = rendered.get("Job", "-unregister")["spec"]["template"]["spec"]

    assert spec["volumes"] == [{"name": "config", "configMap": {"name": f"{RELEASE}-unregister"}}]
    hook = rendered.get("ConfigMap", "-unregister")["data"]
    assert hook == {"installation.yaml": rendered.get("ConfigMap")["data"]["installation.yaml"]}


def test_the_job_unregisters_and_gives_up_before_helm_does() -> None:
    spec = render().get("Job", "-unregister")["spec"]

    args = spec["template"]["spec"]["containers"][0]["args"]
    assert args == ["unregister", "--installation=/etc/migratability/installation.yaml"]
    assert spec["activeDeadlineSeconds"] < 300, "Helm waits for five minutes"
    assert spec["ttlSecondsAfterFinished"], "one that failed goes too"


def test_the_test_runs_the_doctor_as_the_webhooks_own_account() -> None:
    spec = render().get("Pod", "-test")["spec"]

    assert spec["containers"][0]["args"][0] == "doctor"
    assert spec["serviceAccountName"] == RELEASE
    assert spec["restartPolicy"] == "Never"


def test_what_the_doctor_finds_is_shown() -> None:
    annotations = render().get("Pod", "-test")["metadata"]["annotations"]

    assert annotations["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"

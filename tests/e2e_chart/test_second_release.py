"""The webhook configurations have fixed names: of two installations in a cluster one is told so, and neither fights."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import Object
from tests.documentation import CHART
from tests.e2e_chart.doctor import about, doctor
from tests.e2e_chart.site import VALUES, Site, is_ready, set_options
from tests.e2e_controller.permissions import NAME
from tests.e2e_controller.release import MUTATING, VALIDATING
from tests.workloads import eventually
from webhook.objects import at

pytestmark = pytest.mark.cluster
ELSEWHERE, SECOND = "elsewhere", "second"
OPTIONS = ("--create-namespace", *set_options(VALUES))


@pytest.fixture
def second(release: Site, tmp_path: Path) -> Iterator[Site]:
    """Another release beside the one that holds the webhook configurations, by who does not let Helm ask the cluster first."""
    chart = tmp_path / CHART.name
    shutil.copytree(CHART, chart)
    (chart / "templates/one-release.yaml").unlink()
    release.helm("install", SECOND, str(chart), *OPTIONS, namespace=ELSEWHERE)
    yield release
    release.try_helm("uninstall", SECOND, "--wait", "--timeout=300s", namespace=ELSEWHERE)


def test_helm_denies_the_same_release_in_another_namespace(release: Site) -> None:
    denied = release.try_helm("install", NAME, str(CHART), *OPTIONS, namespace=ELSEWHERE)
    assert denied.returncode != 0
    assert "exists and cannot be imported into the current release" in denied.stderr


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_helm_denies_a_second_release_and_names_the_first(release: Site, program: str) -> None:
    denied = release.try_helm("install", SECOND, str(CHART), *OPTIONS, namespace=ELSEWHERE, program=program)
    assert denied.returncode != 0
    assert f"ValidatingWebhookConfiguration migratability belongs to ClusterRole {NAME}-registrations" in denied.stderr
    assert release.try_helm("status", SECOND, namespace=ELSEWHERE, program=program).returncode != 0


def test_the_doctor_names_a_second_release(second: Site) -> None:
    status, found = doctor(second)
    assert status == 1
    assert [state for state, _ in about(found, "release")] == ["ok", "error"]
    (_, words) = about(found, "release")[1]
    assert words.startswith(f"{ELSEWHERE}/{SECOND}-{NAME} is one of 2 in this cluster")
    assert {state for state, _ in about(found, "webhook configurations")} == {"ok"}


def test_a_second_release_does_not_become_ready_and_says_why(second: Site) -> None:
    await_complaint(second)
    assert [pod["ready"] for pod in pods(second)] == [False, False]


def test_a_second_release_leaves_the_webhook_configurations_alone_and_so_does_its_uninstallation(second: Site) -> None:
    before = [second.read(path) for path in (VALIDATING, MUTATING)]
    await_complaint(second)
    second.helm("uninstall", SECOND, "--wait", "--timeout=300s", namespace=ELSEWHERE)
    assert [second.read(path) for path in (VALIDATING, MUTATING)] == before
    second.await_in_force()


def await_complaint(site: Site) -> None:
    """Return when both pods of the second release have said what is in their way."""
    whose = f"ValidatingWebhookConfiguration migratability is not ours, it belongs to ClusterRole {NAME}-registrations"

    def said() -> bool:
        logs = [site.nodes.logs(pod["name"], ELSEWHERE) for pod in pods(site)]
        return [whose in log and "uninstall one of the two installations" in log for log in logs] == [True, True]

    eventually("both pods say why", said)


def pods(site: Site) -> list[Object]:
    """Return names of the second release's pods, and whether they are ready."""
    found = site.api.list(f"/api/v1/namespaces/{ELSEWHERE}/pods")
    return [{"name": at(pod, "metadata", "name"), "ready": is_ready(pod)} for pod in found]

"""The webhook configurations have fixed names: a second installation in a cluster is denied, and says why if forced."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.documentation import CHART
from tests.e2e_chart.release import Release, is_ready
from tests.e2e_controller.permissions import NAME, OWNER
from tests.e2e_controller.release import MUTATING, VALIDATING
from tests.eventually import eventually

pytestmark = pytest.mark.cluster
ELSEWHERE, SECOND = "elsewhere", "second"
IMPORTED = "exists and cannot be imported into the current release"
FIRST = f"ValidatingWebhookConfiguration migratability belongs to ClusterRole {OWNER}"


@pytest.mark.parametrize(
    ("name", "program", "why"), [(NAME, "helm", IMPORTED), (SECOND, "helm", FIRST), (SECOND, "helm3", FIRST)]
)
def test_helm_denies_a_second_release_and_names_the_first(release: Release, name: str, program: str, why: str) -> None:
    where: dict[str, Any] = {"namespace": ELSEWHERE, "program": program}
    denied = release.try_helm("install", name, str(CHART), "--create-namespace", values={}, **where)
    assert (denied.returncode != 0, why in denied.stderr) == (True, True)
    assert name == NAME or release.try_helm("status", name, **where).returncode != 0


def test_a_second_release_says_why_it_is_not_ready_and_changes_nothing(release: Release, tmp_path: Path) -> None:
    """Anyone who does not let Helm ask the cluster first, as GitOps tools do, gets this far."""
    chart = tmp_path / CHART.name
    shutil.copytree(CHART, chart)
    (chart / "templates/one-release.yaml").unlink()
    before = [release.read(path) for path in (VALIDATING, MUTATING)]
    whose = f"ValidatingWebhookConfiguration migratability is not ours, it belongs to ClusterRole {OWNER}"
    release.helm("install", SECOND, str(chart), "--create-namespace", namespace=ELSEWHERE, values={})

    def said() -> bool:
        names = [pod["metadata"]["name"] for pod in release.api.list(f"/api/v1/namespaces/{ELSEWHERE}/pods")]
        logs = [release.nodes.logs(name, ELSEWHERE) for name in names]
        return [whose in log and "uninstall one of the two installations" in log for log in logs] == [True, True]

    try:
        eventually("both pods say why", said)
        assert not any(map(is_ready, release.api.list(f"/api/v1/namespaces/{ELSEWHERE}/pods")))
        status, found = release.doctor()
    finally:
        release.helm("uninstall", SECOND, "--wait", "--timeout=300s", namespace=ELSEWHERE)
    assert status == 1
    second = [state for state, words in found if words.startswith(f"{ELSEWHERE}/{SECOND}-{NAME} is one of 2 releases")]
    assert second == ["error"]
    assert [release.read(path) for path in (VALIDATING, MUTATING)] == before
    release.await_in_force()

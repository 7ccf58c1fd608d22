"""`helm install` on a bare cluster while VMs are written, and `helm test` afterwards."""

import pytest

from tests.build import Object
from tests.clusters import define
from tests.conftest import Report
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.writers import Writers, sound

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("program", ["helm3", "helm"])
def test_no_write_of_a_good_vm_fails_during_an_installation(site: Release, program: str, report: Report) -> None:
    site.remove()
    with Writers(site.cluster, sound) as writers:
        writers.go_on()
        site.install(program=program)
        site.await_in_force()
        writers.go_on()
    report(f"{program} install: {writers.tally}")
    assert writers.losses == []


VERSIONED: list[tuple[str, str, str, str, Object]] = [
    ("cdi.kubevirt.io", "v1beta1", "cdis", "CDI", {"status": {"observedVersion": "v1.66.0"}}),
    ("trident.netapp.io", "v1", "tridentversions", "TridentVersion", {"trident_version": "26.06.0"}),
]


def test_helm_test_succeeds_and_may_read_the_versions_of_cdi_and_trident(release: Release) -> None:
    for group, version, plural, kind, fields in VERSIONED:
        define(release.cluster, group, version, plural, kind)
        found = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "the"}, **fields}
        release.api.create(f"/apis/{group}/{version}/{plural}", found)
    release.helm("test", NAME, "--timeout=300s")
    said = release.nodes.logs(f"{NAME}-test", NAMESPACE)
    lines = said.splitlines()
    release.cluster.kubectl("delete", "crd", *(f"{plural}.{group}" for group, _, plural, *_ in VERSIONED))
    assert any(line.endswith(": a good VM is admitted, and gets evictionStrategy LiveMigrate") for line in lines)
    assert any(line.startswith("ok ") and ": a VM that cannot migrate is denied" in line for line in lines)
    assert [line for line in lines if line.startswith("error")] == []
    assert [line for line in lines if "not checked" in line] == []
    assert "CDI: v1.66.0, " in said
    assert "Trident: 26.06.0, " in said

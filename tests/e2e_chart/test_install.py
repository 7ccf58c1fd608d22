"""`helm install` on a bare cluster: VMs are written all the while, and evaluated afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.build import Object
from tests.conftest import Report
from tests.demo import STEPS, show
from tests.e2e_chart.site import Site
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.localcluster.installation import apply
from tests.writers import Writers, sound

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("program", ["helm3", "helm"])
def test_during_an_installation_no_write_of_a_good_vm_fails_and_then_the_demo_goes_as_it_should(
    bare: Site, program: str, report: Report
) -> None:
    with Writers(bare.cluster, sound) as writers:
        writers.go_on()
        bare.install(program)
        bare.await_in_force()
        writers.go_on()
    report(f"{program} install: {writers.tally}")
    with tempfile.TemporaryDirectory() as home:
        seen = {step.title: show(step, bare.cluster, Path(home)) for step in STEPS}

    assert writers.losses == []
    assert seen == {step.title: step.expected for step in STEPS}


def test_helm_test_proves_that_it_works(release: Site) -> None:
    release.helm("test", NAME, "--timeout=300s")
    said = release.nodes.logs(f"{NAME}-test", NAMESPACE).splitlines()
    assert "ok       connectivity: a good VM is admitted, and gets evictionStrategy LiveMigrate" in said
    assert any(line.startswith("ok       connectivity: a VM that cannot migrate is denied") for line in said)
    assert [line for line in said if line.startswith("error")] == []
    assert [line for line in said if "not checked" in line] == []


VERSIONED: list[tuple[str, str, str, str, Object]] = [
    ("cdi.kubevirt.io", "v1beta1", "cdis", "CDI", {"status": {"observedVersion": "v1.66.0"}}),
    ("trident.netapp.io", "v1", "tridentversions", "TridentVersion", {"trident_version": "26.06.0"}),
]


def test_helm_test_may_read_the_versions_of_cdi_and_trident(release: Site) -> None:
    for group, version, plural, kind, fields in VERSIONED:
        apply(release.cluster, [definition(group, version, plural, kind)])
        release.cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}")
        found = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "the"}, **fields}
        release.api.create(f"/apis/{group}/{version}/{plural}", found)
    release.helm("test", NAME, "--timeout=300s")
    said = release.nodes.logs(f"{NAME}-test", NAMESPACE)
    release.cluster.kubectl("delete", "crd", *(f"{plural}.{group}" for group, _, plural, *_ in VERSIONED))
    assert "CDI: v1.66.0, " in said
    assert "Trident: 26.06.0, " in said


def definition(group: str, version: str, plural: str, kind: str) -> Object:
    """Return the definition of a kind whose objects may hold anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "scope": "Cluster",
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }

"""A PVC that appears after its VM, on a real API server: the VM is unverified until then and checked at its start."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object
from tests.build_paths import CONTROLLER
from tests.e2e.admission.conftest import NAMES, Site, pool, replica_set, started, stored, vm, vmi
from webhook.names import UNVERIFIED
from webhook.objects import at

PLACES: dict[str, list[tuple[str, ...]]] = {
    "VirtualMachine": [("metadata",), ("spec", "template", "metadata")],
    "VirtualMachineInstance": [("metadata",)],
    "VirtualMachineInstanceReplicaSet": [("metadata",), ("spec", "template", "metadata")],
    "VirtualMachinePool": [
        ("metadata",),
        ("spec", "virtualMachineTemplate", "metadata"),
        ("spec", "virtualMachineTemplate", "spec", "template", "metadata"),
    ],
}


def annotations(obj: Object) -> list[str | None]:
    """Return the annotations of a stored object, by place."""
    return [at(obj, *path, "annotations", UNVERIFIED) for path in PLACES[obj["kind"]]]


def appear(site: Site, name: str, *access_modes: str) -> None:
    """Create a PVC."""
    made, output = site.create(stored(name, *access_modes), CONTROLLER)
    assert made, output
    assert "Warning" not in output


@pytest.fixture
def late() -> str:
    """The name of a PVC that is not there."""
    return f"late-{next(NAMES)}"


@pytest.mark.parametrize("make", [vm, vmi, replica_set, pool], ids=lambda make: str(make.__name__))
def test_it_is_named_on_the_vm_and_on_its_templates(site: Site, late: str, make: Any) -> None:
    found = site.have(make("good", late))
    assert annotations(found) == [f"claim/{late}"] * len(PLACES[found["kind"]])


def test_an_annotation_that_somebody_removes_is_restored(site: Site, late: str) -> None:
    vm_object = site.have(vm(late))
    for path in PLACES["VirtualMachine"]:
        patch: Object = {"annotations": {UNVERIFIED: None}}
        for key in reversed(path):
            patch = {key: patch}
        assert site.patch(vm_object, patch)[0]
    assert annotations(site.get(vm_object)) == [f"claim/{late}"] * 2


@pytest.mark.parametrize(("mode", "starts"), [(RWX, True), (RWO, False)])
def test_it_starts_only_when_the_pvc_exists_and_is_shared(site: Site, late: str, mode: str, starts: bool) -> None:
    vm_object = site.have(vm(late))
    created, output = site.create(started(vm_object, late), user=CONTROLLER)
    assert (created, f'PVC "{late}" does not exist' in output, "[claim-known]" in output) == (False, True, True)
    appear(site, late, mode)
    created, output = site.create(started(vm_object, late), user=CONTROLLER)
    assert (created, "[shared-access]" in output) == (starts, not starts)


def test_a_write_of_the_annotation_clears_it_once_the_pvc_is_good(site: Site, late: str) -> None:
    vm_object, again = site.have(vm(late)), {"metadata": {"annotations": {UNVERIFIED: f"again,claim/{late}"}}}
    assert site.patch(vm_object, again)[0]
    assert annotations(site.get(vm_object)) == [f"claim/{late}"] * 2
    appear(site, late, RWX)
    assert site.patch(vm_object, again)[0]
    assert annotations(site.get(vm_object)) == [None, None]

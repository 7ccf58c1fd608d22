"""A PVC that appears after its VM, on a real API server: the VM is unverified until then and checked at its start."""

import pytest

from tests.build import RWO, RWX
from tests.build_paths import CONTROLLER
from tests.e2e.admission.conftest import NAMES, Site, started, stored, unverified_by, vm
from webhook.names import UNVERIFIED


def appear(site: Site, name: str, *access_modes: str) -> None:
    """Create a PVC."""
    made, output = site.create(stored(name, *access_modes), CONTROLLER)
    assert made, output
    assert "Warning" not in output


@pytest.fixture
def late() -> str:
    """The name of a PVC that is not there."""
    return f"late-{next(NAMES)}"


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
    assert unverified_by(site.get(vm_object)) == [f"claim/{late}"] * 2
    appear(site, late, RWX)
    assert site.patch(vm_object, again)[0]
    assert unverified_by(site.get(vm_object)) == [None, None]

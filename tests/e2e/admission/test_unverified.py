"""A claim that comes after its machine, on a real API server: named, waited for, judged at the start."""

import json
import time
from typing import Any

import pytest

from tests.build import RWO, RWX, Object
from tests.build_paths import CONTROLLER
from tests.e2e.admission.conftest import NAMES, Site, pool, replica_set, started, stored, vm, vmi
from webhook.names import MARK
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


def marks(obj: Object) -> list[str | None]:
    """Return the marks of a stored object, by place."""
    return [at(obj, *path, "annotations", MARK) for path in PLACES[obj["kind"]]]


def arrive(site: Site, name: str, *access_modes: str) -> str:
    """Create a claim, and return what kubectl printed."""
    made, output = site.kubectl("create", "-f", "-", stdin=stored(name, *access_modes), user=CONTROLLER)
    assert made, output
    return output


@pytest.fixture
def late() -> str:
    """The name of a claim that is not there."""
    return f"late-{next(NAMES)}"


@pytest.mark.parametrize("make", [vm, vmi, replica_set, pool], ids=lambda make: str(make.__name__))
def test_it_is_named_on_the_machine_and_on_its_templates(site: Site, late: str, make: Any) -> None:
    found = site.have(make("good", late))
    assert marks(found) == [f"claim/{late}"] * len(PLACES[found["kind"]])


def test_who_takes_the_mark_away_finds_it_back(site: Site, late: str) -> None:
    machine = site.have(vm(late))
    for path in PLACES["VirtualMachine"]:
        patch: Object = {"annotations": {MARK: None}}
        for key in reversed(path):
            patch = {key: patch}
        assert site.patch(machine, patch)[0]
    assert marks(site.get(machine)) == [f"claim/{late}"] * 2


def test_it_starts_only_when_the_claim_is_there_and_shared(site: Site, late: str) -> None:
    machine = site.have(vm(late))
    created, output = site.create(started(machine, late), user=CONTROLLER)
    assert (created, f'claim "{late}" does not exist' in output, "[claim-known]" in output) == (False, True, True)
    assert "Warning" not in arrive(site, late, RWX)
    created, output = site.create(started(machine, late), user=CONTROLLER)
    assert created, output


def test_with_a_bad_claim_it_does_not_start_and_everybody_hears_why(site: Site, late: str) -> None:
    machine = site.have(vm(late))
    _await_known(site, machine)
    output = arrive(site, late, RWO)
    assert f'VirtualMachine "{machine["metadata"]["name"]}" will not start with it' in output
    assert "[shared-access]" in output
    created, output = site.create(started(machine, late), user=CONTROLLER)
    assert (created, "[shared-access]" in output) == (False, True)
    assert "is ReadWriteOnce, not ReadWriteMany" in _event(site, machine)["message"]


def test_any_update_of_the_machine_lifts_the_mark_once_the_claim_is_good(site: Site, late: str) -> None:
    machine = site.have(vm(late))
    assert site.patch(machine, {"spec": {"runStrategy": "Always"}})[0]
    assert marks(site.get(machine)) == [f"claim/{late}"] * 2
    arrive(site, late, RWX)
    assert site.patch(machine, {"spec": {"runStrategy": "Halted"}})[0]
    assert marks(site.get(machine)) == [None, None]


def test_a_start_without_the_mark_never_reaches_us(site: Site) -> None:
    machine = site.have(vm("good"))
    calls = site.calls(lambda: site.create(started(machine, "good"), user=CONTROLLER))
    assert ("/validate", "CREATE", "virtualmachineinstances") not in calls


def _await_known(site: Site, machine: Object) -> None:
    """Wait until the webhook's watch has seen the mark: a claim of another name under it is warned of, dry."""
    named = at(machine, "metadata", "annotations", MARK).removeprefix("claim/")
    probe = ("create", "--dry-run=server", "-f", "-")
    deadline = time.monotonic() + 180
    while "Warning" not in site.kubectl(*probe, stdin=stored(named, RWO), user=CONTROLLER)[1]:
        assert time.monotonic() < deadline, "the webhook does not see the mark"


def _event(site: Site, machine: Object) -> Object:
    field = f"--field-selector=involvedObject.name={machine['metadata']['name']},reason=NotLiveMigratable"
    found = json.loads(site.cluster.kubectl("get", "events", "-n", "vms", field, "-o", "json").stdout)
    (event,) = found["items"]
    assert isinstance(event, dict)
    return event

"""Whatever way a write takes, it is evaluated: every served version of the API, every verb."""

import json
from typing import Any

import pytest

from tests.build import Object
from tests.build_paths import REASON
from tests.e2e.admission.conftest import ALICE, NAMES, Site, clone, instance_spec, pool, replica_set, vm, vmi

ANNOTATIONS: Object = {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON}
OLD, OLD_POOL = "kubevirt.io/v1alpha3", "pool.kubevirt.io/v1alpha1"
VERSIONS = [
    *(("VirtualMachine", vm, api) for api in ("kubevirt.io/v1", OLD)),
    *(("instance", vmi, api) for api in ("kubevirt.io/v1", OLD)),
    *(("ReplicaSet", replica_set, api) for api in ("kubevirt.io/v1", OLD)),
    *(("Pool", pool, api) for api in ("pool.kubevirt.io/v1beta1", OLD_POOL)),
]
EVERY_VERSION = pytest.mark.parametrize(
    ("make", "api"), [row[1:] for row in VERSIONS], ids=[f"{row[0]} {row[2].rpartition('/')[2]}" for row in VERSIONS]
)


def strategy(obj: Object) -> str | None:
    spec = obj["spec"]
    while "volumes" not in spec:
        spec = spec.get("virtualMachineTemplate", spec.get("template", spec))
        spec = spec["spec"]
    found: str | None = spec.get("evictionStrategy")
    return found


@EVERY_VERSION
def test_a_creation_in_every_version_is_evaluated(site: Site, make: type, api: str) -> None:
    created, output = site.create(make("once", api=api))
    assert (created, "is ReadWriteOnce, not ReadWriteMany" in output) == (False, True)


@EVERY_VERSION
def test_a_creation_in_every_version_is_patched(site: Site, make: type, api: str) -> None:
    assert strategy(site.have(make("good", api=api))) == "LiveMigrate"


@EVERY_VERSION
def test_an_exemption_in_every_version_needs_the_right(site: Site, make: type, api: str) -> None:
    made = site.have(make("good", api=api))
    done, output = site.patch(made | {"apiVersion": api}, {"metadata": ANNOTATIONS})
    assert (done, "may not set" in output) == (False, True)


@pytest.mark.parametrize("api", ["kubevirt.io/v1", OLD])
def test_an_update_in_every_version_is_evaluated(site: Site, api: str) -> None:
    made = site.have(vm("good"))
    bad = {"spec": {"template": {"spec": {"volumes": instance_spec("once")["volumes"]}}}}
    assert not site.patch(made | {"apiVersion": api}, bad)[0]


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_a_clone_in_every_version_is_evaluated(site: Site, version: str) -> None:
    name = next(NAMES)
    made = vm("once", name=name, **ANNOTATIONS)
    site.cluster.kubectl("create", "-f", "-", stdin=json.dumps(made))
    created, output = site.create(clone(name, api=f"clone.kubevirt.io/{version}"))
    assert (created, "the VM that it makes" in output) == (False, True)


def bad(**metadata: Any) -> Object:
    return vm("once", **metadata)


def test_a_server_side_apply_is_evaluated(site: Site) -> None:
    command = ("apply", "--server-side", "--validate=false", "-f", "-")
    assert not site.kubectl(*command, stdin=bad())[0]
    made = vm("good")
    assert site.kubectl(*command, stdin=made)[0]
    done, output = site.kubectl(*command, stdin={**made, "metadata": {**made["metadata"], **ANNOTATIONS}})
    assert (done, "may not set" in output) == (False, True)


def test_a_replacement_is_evaluated(site: Site) -> None:
    made = site.have(vm("good"))
    assert not site.kubectl("replace", "-f", "-", stdin={**made, "spec": bad()["spec"]})[0]


def test_a_dry_run_is_evaluated(site: Site) -> None:
    assert not site.kubectl("create", "--dry-run=server", "-f", "-", stdin=bad())[0]


@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])
def test_a_vm_without_a_name_yet_is_evaluated(site: Site, make: type) -> None:
    vm_object = make("once")
    vm_object["metadata"] = {"namespace": "vms", "generateName": "m-"}
    assert not site.create(vm_object)[0]


def test_a_creation_that_says_it_is_being_deleted_is_evaluated(site: Site) -> None:
    """The API server takes that away before it asks us."""
    vm_object = bad(deletionTimestamp="2026-01-01T00:00:00Z", deletionGracePeriodSeconds=0)
    assert not site.kubectl("create", "--validate=false", "-f", "-", stdin=vm_object)[0]


def test_nobody_marks_what_is_there_as_being_deleted(site: Site) -> None:
    made = site.have(vm("good"))
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
    change = {"metadata": {**ANNOTATIONS, **gone}, "spec": {"template": {"spec": instance_spec("once")}}}
    site.patch(made, change)
    found = site.get(made)
    assert "labels" not in found["metadata"]
    assert found["spec"]["template"]["spec"]["volumes"] == made["spec"]["template"]["spec"]["volumes"]


def test_the_status_is_no_way_to_a_label(site: Site) -> None:
    made = site.have(vm("good"))
    site.patch(made, {"metadata": ANNOTATIONS, "status": {"ready": False}}, "--subresource=status")
    assert "labels" not in site.get(made)["metadata"]


def test_a_users_forged_owner_lets_nothing_by(site: Site) -> None:
    owner = site.have(vm("good"))
    keys = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    reference = {**keys, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    vm_object = vmi("once", name=owner["metadata"]["name"], ownerReferences=[reference])
    assert not site.create(vm_object, user=ALICE)[0]


def test_a_status_that_is_created_with_an_vmi_says_nothing(site: Site) -> None:
    """A VMI has no status subresource: what somebody writes there is stored."""
    vm_object = vmi("once")
    vm_object["status"] = {"migratedVolumes": [{"volumeName": "once"}]}
    assert not site.create(vm_object)[0]

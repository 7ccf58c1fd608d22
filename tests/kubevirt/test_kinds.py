"""ReplicaSets and Pools: each keeps the VM that is evaluated at another place of its object."""

from collections.abc import Callable

import jsonpatch
import pytest

from tests.build import RWO, RWX, Object, data_volume_disk, data_volume_template, disk, host_disk, vm, vmi
from tests.build_facts import instancetype
from tests.build_paths import pool, replica_set, tagged
from tests.policy.samples import preexisting, rules, verdict

Make = Callable[..., Object]
VOLUMES = (disk("once"), host_disk("h"), data_volume_disk("once-block"))
METADATA = {
    "VirtualMachine": (vm, "spec.template"),
    "VirtualMachineInstance": (vmi, ""),
    "VirtualMachineInstanceReplicaSet": (replica_set, "spec.template"),
    "VirtualMachinePool": (pool, "spec.virtualMachineTemplate.spec.template"),
}
"""What builds each kind, and where it holds the VMI's metadata and spec."""
KINDS = pytest.mark.parametrize(
    ("kind", "make", "root"),
    [(kind, make, f"{path}.spec".lstrip(".")) for kind, (make, path) in METADATA.items()],
    ids=METADATA,
)
GPUS = instancetype("gpus", gpus=[{"name": "gpu", "deviceName": "nvidia.com/A100"}])
MATCHERS = {"instancetype": {"kind": "VirtualMachineClusterInstancetype", "name": "gpus"}}
BRIDGE = {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}
ALLOW_BRIDGE = {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}


@KINDS
def test_a_verdict_names_the_object_and_each_violation_the_field_in_it(kind: str, make: Make, root: str) -> None:
    found = verdict(make(*VOLUMES, name="x"))
    assert (found.kind, found.namespace, found.name) == (kind, "vms", "x")
    assert [violation.field for violation in found.violations] == [
        f"{root}.volumes[0].persistentVolumeClaim.claimName",
        f"{root}.volumes[1].hostDisk",
        f"{root}.volumes[2].dataVolume.name",
    ]


@KINDS
def test_the_patch_sets_the_strategy_in_the_vmis_spec_and_nothing_else(kind: str, make: Make, root: str) -> None:
    vm_object = make(disk("good"))
    (operation,) = verdict(vm_object).patch
    patched = jsonpatch.apply_patch(vm_object, [operation])
    assert operation["path"] == f"/{root.replace('.', '/')}/evictionStrategy"
    assert jsonpatch.apply_patch(patched, [{"op": "remove", "path": operation["path"]}]) == vm_object


@KINDS
def test_what_was_there_is_preexisting_and_what_is_new_is_denied(kind: str, make: Make, root: str) -> None:
    assert preexisting(make(disk("once"), hostname="x"), old=make(disk("once"))) == [True]
    assert not verdict(make(disk("once")), old=make(disk("good"))).allowed


def test_an_instancetype_of_a_pools_vms_counts_and_is_warned_about_where_it_is_missing() -> None:
    vm_object = pool(disk("good"), spec=MATCHERS)
    (violation,) = verdict(vm_object, GPUS).violations
    assert (violation.rule, violation.field) == ("host-devices", "spec.virtualMachineTemplate.spec.instancetype")
    assert verdict(vm_object).allowed
    assert any('instancetype "gpus" does not exist' in line for line in verdict(vm_object).warnings)


TEMPLATE = data_volume_template("root", storage={"storageClassName": "nas", "accessModes": [RWO]})


def test_a_pools_data_volume_template_predicts_the_pvc() -> None:
    (violation,) = verdict(pool(data_volume_disk("root"), spec={"dataVolumeTemplates": [TEMPLATE]})).violations
    root = "spec.virtualMachineTemplate.spec"
    assert (violation.rule, violation.field) == ("shared-access", f"{root}.template.spec.volumes[0].dataVolume.name")
    assert f"{root}.dataVolumeTemplates[0].spec.storage" in violation.remedy
    good = data_volume_template("root", storage={"storageClassName": "nas", "accessModes": [RWX]})
    assert rules(pool(data_volume_disk("root"), spec={"dataVolumeTemplates": [good]})) == []


@pytest.mark.parametrize("make", [replica_set, pool])
def test_matchers_and_templates_at_the_top_of_a_replica_set_or_pool_are_ignored(make: Make) -> None:
    vm_object = make(data_volume_disk("root"))
    at_the_top = {**vm_object["spec"], **MATCHERS, "dataVolumeTemplates": [TEMPLATE]}
    assert rules({**vm_object, "spec": at_the_top}, GPUS) == ["claim-known"]


@pytest.mark.parametrize(("make", "path"), METADATA.values(), ids=METADATA)
def test_the_annotation_that_allows_a_bridge_counts_where_kubevirt_copies_it_from(make: Make, path: str) -> None:
    vm_object = make(domain=BRIDGE, networks=[{"name": "default", "pod": {}}])
    assert rules(vm_object) == ["pod-network"]
    assert rules(tagged(vm_object, *filter(None, path.split(".")), annotations=ALLOW_BRIDGE)) == []


@pytest.mark.parametrize("make", [replica_set, pool])
def test_an_update_of_a_replica_set_or_pool_is_not_patched(make: Make) -> None:
    old = make(disk("good"), evictionStrategy="LiveMigrate")
    assert verdict(tagged(old, labels={"x": "y"}), old=old).patch == []


@pytest.mark.parametrize("spec", [None, [], "x", {"template": None}, {"virtualMachineTemplate": []}])
@pytest.mark.parametrize("make", [replica_set, pool])
def test_a_spec_of_a_wrong_type_is_read_as_empty(make: Make, spec: object) -> None:
    assert verdict({**make(), "spec": spec}).allowed

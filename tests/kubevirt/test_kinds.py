"""ReplicaSets and Pools: each keeps the VM that is evaluated at another place of its object."""

import jsonpatch
import pytest

from tests.build import CLUSTER, RWO, Object, claim, data_volume_disk, data_volume_template, disk, host_disk, vm, vmi
from tests.build_paths import KUBEVIRT, pool, replica_set, tagged
from webhook import Verdict, evaluate

VOLUMES = (disk("once"), host_disk("h"), data_volume_disk("once-too"))
ROOTS = {
    "VirtualMachine": "spec.template.spec",
    "VirtualMachineInstance": "spec",
    "VirtualMachineInstanceReplicaSet": "spec.template.spec",
    "VirtualMachinePool": "spec.virtualMachineTemplate.spec.template.spec",
}
BUILDERS = {"VirtualMachine": vm, "VirtualMachineInstance": vmi}
BUILDERS |= {"VirtualMachineInstanceReplicaSet": replica_set, "VirtualMachinePool": pool}
KINDS = pytest.mark.parametrize("kind", ROOTS)
GPUS = {
    "apiVersion": "instancetype.kubevirt.io/v1beta1",
    "kind": "VirtualMachineClusterInstancetype",
    "metadata": {"name": "gpus"},
    "spec": {"gpus": [{"name": "gpu", "deviceName": "nvidia.com/A100"}]},
}
MATCHERS = {"instancetype": {"kind": "VirtualMachineClusterInstancetype", "name": "gpus"}}
BRIDGE = {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}
ALLOW_BRIDGE = {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}


def evaluated(obj: Object, *objects: Object, old: Object | None = None) -> Verdict:
    operation = "UPDATE" if old else "CREATE"
    return evaluate(obj, [KUBEVIRT, *CLUSTER, claim("once-too", RWO), *objects], old=old, operation=operation)


@KINDS
def test_a_violation_is_shown_where_the_object_holds_it(kind: str) -> None:
    fields = [violation.field for violation in evaluated(BUILDERS[kind](*VOLUMES)).violations]
    assert fields == [
        f"{ROOTS[kind]}.volumes[0].persistentVolumeClaim.claimName",
        f"{ROOTS[kind]}.volumes[1].hostDisk",
        f"{ROOTS[kind]}.volumes[2].dataVolume.name",
    ]


@KINDS
def test_the_patch_goes_where_the_object_holds_the_vmis_spec(kind: str) -> None:
    vm_object = BUILDERS[kind](disk("good"))
    (operation,) = evaluated(vm_object).patch
    patched = jsonpatch.apply_patch(vm_object, [operation])
    assert operation["path"] == f"/{ROOTS[kind].replace('.', '/')}/evictionStrategy"
    assert jsonpatch.apply_patch(patched, [{"op": "remove", "path": operation["path"]}]) == vm_object


@KINDS
def test_a_verdict_names_the_object(kind: str) -> None:
    found = evaluated(BUILDERS[kind](disk("good"), name="x"))
    assert (found.kind, found.namespace, found.name) == (kind, "vms", "x")


@KINDS
def test_what_was_there_is_preexisting(kind: str) -> None:
    old, new = BUILDERS[kind](disk("once")), BUILDERS[kind](disk("once"), hostname="x")
    assert [violation.preexisting for violation in evaluated(new, old=old).violations] == [True]


@KINDS
def test_what_is_new_is_denied(kind: str) -> None:
    assert not evaluated(BUILDERS[kind](disk("once")), old=BUILDERS[kind](disk("good"))).allowed


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1", "v9"])
def test_the_version_of_a_pool_does_not_matter(version: str) -> None:
    vm_object = {**pool(disk("once")), "apiVersion": f"pool.kubevirt.io/{version}"}
    assert [violation.rule for violation in evaluated(vm_object).violations] == ["shared-access"]


def test_an_instancetype_of_a_pools_vms_counts() -> None:
    (violation,) = evaluated(pool(disk("good"), spec=MATCHERS), GPUS).violations
    assert (violation.rule, violation.field) == ("host-devices", "spec.virtualMachineTemplate.spec.instancetype")


def test_an_instancetype_that_is_not_there_is_said_of_a_pool() -> None:
    found = evaluated(pool(disk("good"), spec=MATCHERS))
    assert found.allowed
    assert any('instancetype "gpus" is not there' in line for line in found.warnings)


def test_matchers_at_the_top_of_a_pool_mean_nothing() -> None:
    vm_object = pool(disk("good"))
    assert evaluated({**vm_object, "spec": {**vm_object["spec"], **MATCHERS}}, GPUS).violations == []


def test_a_replica_set_has_no_matchers() -> None:
    vm_object = replica_set(disk("good"))
    assert evaluated({**vm_object, "spec": {**vm_object["spec"], **MATCHERS}}, GPUS).violations == []


def test_a_pools_data_volume_template_foretells_the_pvc() -> None:
    template = data_volume_template("root", storage={"storageClassName": "nas", "accessModes": [RWO]})
    vm_object = pool(data_volume_disk("root"), spec={"dataVolumeTemplates": [template]})
    (violation,) = evaluated(vm_object).violations
    assert violation.rule == "shared-access"
    assert violation.field == f"{ROOTS['VirtualMachinePool']}.volumes[0].dataVolume.name"
    assert "spec.virtualMachineTemplate.spec.dataVolumeTemplates[0].spec.storage" in violation.remedy


def test_a_good_data_volume_template_of_a_pool_is_admitted() -> None:
    template = data_volume_template("root", storage={"storageClassName": "nas", "accessModes": ["ReadWriteMany"]})
    assert evaluated(pool(data_volume_disk("root"), spec={"dataVolumeTemplates": [template]})).violations == []


def test_a_replica_sets_data_volume_templates_mean_nothing() -> None:
    template = data_volume_template("root", storage={"storageClassName": "nas", "accessModes": ["ReadWriteMany"]})
    vm_object = replica_set(data_volume_disk("root"))
    found = evaluated({**vm_object, "spec": {**vm_object["spec"], "dataVolumeTemplates": [template]}})
    assert [violation.rule for violation in found.violations] == ["claim-known"]


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (vm, ("spec", "template")),
        (vmi, ()),
        (replica_set, ("spec", "template")),
        (pool, ("spec", "virtualMachineTemplate", "spec", "template")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_annotation_that_lets_a_bridge_move_counts_where_kubevirt_copies_it_from(
    make: type, path: tuple[str, ...]
) -> None:
    vm_object = make(domain=BRIDGE, networks=[{"name": "default", "pod": {}}])
    assert [violation.rule for violation in evaluated(vm_object).violations] == ["pod-network"]
    assert evaluated(tagged(vm_object, *path, annotations=ALLOW_BRIDGE)).violations == []


@pytest.mark.parametrize("make", [replica_set, pool], ids=lambda make: make.__name__)
def test_an_update_of_what_makes_vms_is_not_patched(make: type) -> None:
    old, new = make(disk("good"), evictionStrategy="LiveMigrate"), make(disk("good"), evictionStrategy="LiveMigrate")
    new["metadata"] = {**new["metadata"], "labels": {"x": "y"}}
    assert evaluated(new, old=old).patch == []


@pytest.mark.parametrize("spec", [None, [], "x", {"template": None}, {"virtualMachineTemplate": []}])
@pytest.mark.parametrize("make", [replica_set, pool], ids=lambda make: make.__name__)
def test_an_object_of_the_wrong_shape_is_read_as_empty(make: type, spec: object) -> None:
    assert evaluated({**make(), "spec": spec}).allowed

"""Which writes the API server asks us about: what cannot bring a violation passes without us."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.build import Object, disk, volume_request
from tests.build_paths import CONTROLLER
from tests.e2e.admission.conftest import (
    ALICE,
    CAROL,
    NAMES,
    NOTHING,
    Site,
    clone,
    pool,
    replica_set,
    restore,
    vm,
    vmi,
)

VMS, VMIS = "virtualmachines", "virtualmachineinstances"
SETS, POOLS = "virtualmachineinstancereplicasets", "virtualmachinepools"
HOT_PLUG = {"addVolumeOptions": {**volume_request(disk("good"))["addVolumeOptions"], "disk": {"name": "good"}}}
MORE_MEMORY = {"domain": {"resources": {"requests": {"memory": "2Gi"}}}}
NODE = {"nodeSelector": {"zone": "a"}}
UNPLUG = {"removeVolumeOptions": {"name": "good"}}
TWO_DISKS = [disk("good"), disk("good", "again")]
MATCHER = {"name": "large", "kind": "VirtualMachineClusterInstancetype"}
TEMPLATE = {"metadata": {"name": "d"}, "spec": {"source": {"blank": {}}, "storage": {"storageClassName": "nas"}}}


def asked(*calls: tuple[str, str, str]) -> Counter[tuple[str, str, str]]:
    return Counter(calls)


def validated(resource: str, operation: str = "UPDATE") -> tuple[str, str, str]:
    return ("/validate", operation, resource)


def mutated(resource: str, operation: str = "UPDATE") -> tuple[str, str, str]:
    return ("/mutate", operation, resource)


BOTH_SIDES = asked(mutated(VMS), validated(VMS))
OF_VM: list[tuple[str, Object, tuple[str, ...], Counter[tuple[str, str, str]]]] = [
    ("a label", {"metadata": {"labels": {"x": "y"}}}, (), NOTHING),
    ("an annotation", {"metadata": {"annotations": {"x": "y"}}}, (), NOTHING),
    ("a finalizer", {"metadata": {"finalizers": ["x.io/y"]}}, (), NOTHING),
    ("starting it", {"spec": {"runStrategy": "Always"}}, (), NOTHING),
    ("its status", {"status": {"created": True, "printableStatus": "Running"}}, ("--subresource=status",), NOTHING),
    ("a hot-plug", {"status": {"volumeRequests": [HOT_PLUG]}}, ("--subresource=status",), asked(validated(VMS))),
    ("a hot-unplug", {"status": {"volumeRequests": [UNPLUG]}}, ("--subresource=status",), NOTHING),
    ("its memory", {"spec": {"template": {"spec": MORE_MEMORY}}}, (), NOTHING),
    ("its CPUs", {"spec": {"template": {"spec": {"domain": {"cpu": {"cores": 2}}}}}}, (), NOTHING),
    ("what no rule reads", {"spec": {"template": {"spec": {"hostname": "x"}}}}, (), NOTHING),
    ("a disk less", {"spec": {"template": {"spec": {"volumes": []}}}}, (), NOTHING),
    ("a disk more", {"spec": {"template": {"spec": {"volumes": TWO_DISKS}}}}, (), BOTH_SIDES),
    ("its nodes", {"spec": {"template": {"spec": NODE}}}, (), BOTH_SIDES),
    ("its template's labels", {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}, (), BOTH_SIDES),
    ("an instancetype", {"spec": {"instancetype": MATCHER}}, (), BOTH_SIDES),
    ("a preference", {"spec": {"preference": {"name": "linux"}}}, (), BOTH_SIDES),
    ("a dataVolumeTemplate", {"spec": {"dataVolumeTemplates": [TEMPLATE]}}, (), BOTH_SIDES),
    ("how volumes are updated", {"spec": {"updateVolumesStrategy": "Migration"}}, (), NOTHING),
]


@pytest.mark.parametrize(("patch", "options", "expected"), [row[1:] for row in OF_VM], ids=[row[0] for row in OF_VM])
def test_an_update_of_a_vm(
    site: Site, patch: Object, options: tuple[str, ...], expected: Counter[tuple[str, str, str]]
) -> None:
    vm_object = site.have(vm("good"))
    assert site.calls(lambda: must(site.patch(vm_object, patch, *options))) == expected


def must(done: tuple[bool, str]) -> None:
    assert done[0], done[1]


def test_our_label_on_a_vm_is_asked_about_when_it_comes_changes_but_not_when_it_goes(site: Site) -> None:
    vm_object = site.have(vm("good"))
    seen = [site.calls(partial(site.annotation, vm_object, all=value)) for value in ("true", "2099-01-01", None)]
    assert seen == [asked(validated(VMS)), asked(validated(VMS)), NOTHING]


def test_another_write_of_a_vm_with_our_label_is_not_asked_about(site: Site) -> None:
    vm_object = site.have(vm("good"))
    must(site.annotation(vm_object, all="true"))
    assert site.calls(lambda: must(site.patch(vm_object, {"metadata": {"labels": {"x": "y"}}}))) == NOTHING


def test_a_reason_is_asked_about(site: Site) -> None:
    vm_object = site.have(vm("good"))
    why = {"metadata": {"annotations": {"migratability.io/exempt-reason": "x"}}}
    assert site.calls(lambda: must(site.patch(vm_object, why, user=CAROL))) == asked(validated(VMS))


def test_the_deletion_of_a_vm_is_not_asked_about_nor_its_finalizers(site: Site) -> None:
    vm_object = site.have(vm("good", finalizers=["x.io/y"]))
    which = ("VirtualMachine", vm_object["metadata"]["name"], "-n", "vms")

    def delete() -> None:
        must(site.kubectl("delete", *which, "--wait=false"))
        must(site.patch(vm_object, {"spec": {"template": {"spec": NODE}}}))
        must(site.patch(vm_object, {"metadata": {"finalizers": None}}, user=CONTROLLER))

    assert site.calls(delete) == NOTHING


def test_our_label_on_a_vm_that_is_being_deleted_is_asked_about(site: Site) -> None:
    vm_object = site.have(vm("good", finalizers=["x.io/y"]))
    must(site.kubectl("delete", "VirtualMachine", vm_object["metadata"]["name"], "-n", "vms", "--wait=false"))
    assert site.calls(lambda: must(site.annotation(vm_object, all="true"))) == asked(validated(VMS))
    assert not site.annotation(vm_object, ALICE, all="2099-01-01")[0]


CREATED: list[tuple[str, Object, Counter[tuple[str, str, str]]]] = [
    ("a VirtualMachine", vm("good"), asked(mutated(VMS, "CREATE"), validated(VMS, "CREATE"))),
    ("a VMI", vmi("good"), asked(mutated(VMIS, "CREATE"), validated(VMIS, "CREATE"))),
    ("a ReplicaSet", replica_set("good"), asked(mutated(SETS, "CREATE"), validated(SETS, "CREATE"))),
    ("a Pool", pool("good"), asked(mutated(POOLS, "CREATE"), validated(POOLS, "CREATE"))),
    ("a restore", restore("s", "new"), asked(validated("virtualmachinerestores", "CREATE"))),
    ("a clone", clone("m"), asked(validated("virtualmachineclones", "CREATE"))),
]


@pytest.mark.parametrize(("obj", "expected"), [row[1:] for row in CREATED], ids=[row[0] for row in CREATED])
def test_a_creation(site: Site, obj: Object, expected: Counter[tuple[str, str, str]]) -> None:
    fresh = {**obj, "metadata": {**obj["metadata"], "name": next(NAMES)}}
    assert site.calls(lambda: site.have(fresh)) == expected
    assert site.calls(lambda: must(site.patch(fresh, {"metadata": {"labels": {"x": "y"}}}))) == NOTHING


def reference_to(owner: Object) -> Object:
    """Return the controller reference that KubeVirt puts into what it makes for an owner."""
    keys = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    return {**keys, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}


def owned_instance(owner: Object, **metadata: Any) -> Object:
    return vmi("good", name=owner["metadata"]["name"], ownerReferences=[reference_to(owner)], **metadata)


def pool_vm(owner: Object, number: str = "0", **metadata: Any) -> Object:
    """Return a VM as a Pool has it, of a name that ends in a number."""
    name = f"{owner['metadata']['name']}-{number}"
    return vm("once", name=name, ownerReferences=[reference_to(owner)], **metadata)


def test_a_vm_that_kubevirt_makes_for_a_pool_is_only_patched(site: Site) -> None:
    made = pool_vm(site.have(pool("good")))
    assert site.calls(lambda: site.have(made, CONTROLLER)) == asked(mutated(VMS, "CREATE"))


def with_template(vm_object: Object) -> Object:
    """Return a VM with a dataVolumeTemplate, which KubeVirt numbers with it."""
    storage = {
        "storageClassName": "nas",
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    template = {"metadata": {"name": "root-0"}, "spec": {"storage": storage, "source": {"blank": {}}}}
    return {**vm_object, "spec": {**vm_object["spec"], "dataVolumeTemplates": [template]}}


RESTORED = {"restore.kubevirt.io/lastRestoreUID": "back-11111111-2222-3333-4444-555555555555"}
OTHER_VMS: list[tuple[str, str, Callable[[Object], Object]]] = [
    ("somebody else makes", ALICE, pool_vm),
    ("a restore makes", CONTROLLER, lambda owner: pool_vm(owner, annotations=RESTORED)),
    ("has no number", CONTROLLER, lambda owner: pool_vm(owner, "x")),
    ("has a PVC of its own", CONTROLLER, lambda owner: with_template(pool_vm(owner))),
]


@pytest.mark.parametrize(("user", "make"), [row[1:] for row in OTHER_VMS], ids=[row[0] for row in OTHER_VMS])
def test_a_vm_is_evaluated_that(site: Site, user: str, make: Callable[[Object], Object]) -> None:
    created, output = site.create(make(site.have(pool("good"))), user)
    assert (created, "[shared-access]" in output) == (False, True)


def test_an_vmi_that_kubevirt_makes_for_an_owner_is_only_patched(site: Site) -> None:
    made = owned_instance(site.have(vm("good")))
    assert site.calls(lambda: site.have(made, CONTROLLER)) == asked(mutated(VMIS, "CREATE"))
    assert site.get(made)["spec"]["evictionStrategy"] == "LiveMigrate"


@pytest.mark.parametrize("user", [ALICE, CONTROLLER])
def test_every_other_vmi_is_evaluated(site: Site, user: str) -> None:
    made = owned_instance(site.have(vm("good"))) if user == ALICE else vmi("good")
    both = asked(mutated(VMIS, "CREATE"), validated(VMIS, "CREATE"))
    assert site.calls(lambda: site.have(made, user)) == both


@pytest.mark.parametrize("owned", [False, True])
def test_of_an_vmis_updates_only_its_disks_are_asked_about(site: Site, owned: bool) -> None:
    made = site.have(owned_instance(site.have(vm("good"))) if owned else vmi("good"), CONTROLLER)
    beat = {"status": {"phase": "Running"}, "metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}}}
    assert site.calls(lambda: must(site.patch(made, beat, user=CONTROLLER))) == NOTHING
    more = {"spec": {"volumes": TWO_DISKS}}
    assert site.calls(lambda: must(site.patch(made, more, user=CONTROLLER))) == asked(validated(VMIS))


@pytest.mark.parametrize(
    ("obj", "template", "resource"),
    [
        (replica_set("good"), {"template": {"spec": NODE}}, SETS),
        (pool("good"), {"virtualMachineTemplate": {"spec": {"template": {"spec": NODE}}}}, POOLS),
        (pool("good"), {"virtualMachineTemplate": {"metadata": {"labels": {"x": "y"}}}}, POOLS),
    ],
    ids=["ReplicaSet", "Pool", "Pool's VMs' labels"],
)
def test_what_makes_vms_is_scaled_without_us_and_changed_with_us(
    site: Site, obj: Object, template: Object, resource: str
) -> None:
    made = site.have({**obj, "metadata": {**obj["metadata"], "name": next(NAMES)}})
    assert site.calls(lambda: must(site.patch(made, {"spec": {"replicas": 1}}))) == NOTHING
    changed = asked(mutated(resource, "UPDATE"), validated(resource))
    assert site.calls(lambda: must(site.patch(made, {"spec": template}))) == changed


OF_NAMESPACES = ("", "/status", "/finalize")


@pytest.mark.parametrize("subresource", OF_NAMESPACES, ids=["itself", "status", "finalize"])
def test_a_namespace_is_asked_about_only_for_our_labels(site: Site, subresource: str) -> None:
    name = next(NAMES)
    path = f"/api/v1/namespaces/{name}{subresource}"
    assert site.calls(lambda: must(site.kubectl("create", "namespace", name))) == NOTHING

    def write(**labels: str) -> None:
        found = json.loads(site.cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{name}").stdout)
        kept = {"kubernetes.io/metadata.name": name}
        found["metadata"]["labels"] = {**kept, **{key.replace("_", "."): value for key, value in labels.items()}}
        site.cluster.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(found))

    ours = {"migratability_io/enforcement": "warn"}
    other = asked(validated("other"))
    assert [
        site.calls(lambda: write(team="a")),
        site.calls(lambda: write(team="a", **ours)),
        site.calls(lambda: write(team="b", **ours)),
        site.calls(lambda: write(team="b")),
        site.calls(lambda: write(exempt_migratability_io_all="x")),
    ] == [NOTHING, other, NOTHING, other, NOTHING]

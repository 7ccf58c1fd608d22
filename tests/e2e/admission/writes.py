"""Writes, and whether the API server asks the webhook about them: what cannot add a violation passes without it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.build import RWO, Object, data_volume_template, disk, of_kind, volume_request
from tests.build_paths import CONTROLLER, REASON, clone, owned, restore
from tests.e2e.admission.conftest import ADMIN, ALICE, NAMES, Answer, Site, pool, replica_set, started, stored, vm, vmi

Calls = Counter[tuple[str, str, str]]
Make = Callable[[Site], Object]
Build = Callable[[Object], Object]
VMS, VMIS = "virtualmachines", "virtualmachineinstances"
SETS, POOLS = "virtualmachineinstancereplicasets", "virtualmachinepools"
EXEMPTION, ENFORCEMENT = "exempt.migratability.io/all", "migratability.io/enforcement"
EXEMPT: Object = {"metadata": {"labels": {EXEMPTION: "true"}, "annotations": REASON}}
_HOT_PLUG = {"addVolumeOptions": {**volume_request(disk("good"))["addVolumeOptions"], "disk": {"name": "good"}}}
_LABEL = {"metadata": {"labels": {"x": "y"}}}
_MATCHER = {"name": "large", "kind": "VirtualMachineClusterInstancetype"}
_STATUS = "/status"
_SIZED = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
_TEMPLATE = data_volume_template("d-0", source={"blank": {}}, storage={"storageClassName": "nas", **_SIZED})
_TWO_DISKS = [disk("good"), disk("good", "again")]


def asked(resource: str = "", operation: str = "UPDATE", *paths: str) -> Calls:
    """Return the calls of the webhook for a write: of both paths by default, none without a resource."""
    return Counter({(path, operation, resource): 1 for path in paths or ("/mutate", "/validate") if resource})


NOTHING, BOTH, VALIDATED = asked(), asked(VMS), asked(VMS, "UPDATE", "/validate")


def _have(build: Callable[[], Object], user: str = ALICE) -> Make:
    return lambda site: site.have(build(), user)


_good_vm = _have(lambda: vm("good"))


@dataclass(frozen=True)
class Write:
    """A write that concerns an object which ``make`` stores before, and the calls of the webhook that it causes."""

    name: str
    calls: Calls
    act: Callable[[Site, Object], Answer]
    make: Make = _good_vm
    allowed: bool = True

    def __str__(self) -> str:
        return self.name


def _patch(
    name: str, patch: Object, calls: Calls = NOTHING, subresource: str = "", make: Make = _good_vm, user: str = ADMIN
) -> Write:
    return Write(name, calls, lambda site, obj: site.patch(obj, patch, subresource, user), make)


def _spec(name: str, spec: Object, calls: Calls = NOTHING, make: Make = _good_vm, user: str = ADMIN) -> Write:
    return _patch(name, {"spec": spec}, calls, make=make, user=user)


def _creation(
    name: str, calls: Calls, build: Build, user: str = ADMIN, make: Make = _good_vm, *, allowed: bool = True
) -> Write:
    """Return the creation of an object, for another one that is there."""
    return Write(name, calls, lambda site, owner: site.create(build(owner), user), make, allowed)


def _deleting(site: Site) -> Object:
    obj = site.have(vm("good", finalizers=["x.io/y"]))
    assert site.delete(obj)[0]
    return obj


def _vm_of_pool(owner: Object, number: str = "0", **metadata: Any) -> Object:
    """Return a VM as a Pool has it, of a name that ends in a number."""
    return owned(vm("good", name=f"{owner['metadata']['name']}-{number}", **metadata), owner)


def _vm_of_pool_with_template(owner: Object) -> Object:
    """Return a VM of a Pool with a dataVolumeTemplate, which KubeVirt numbers with it."""
    found = _vm_of_pool(owner)
    return {**found, "spec": {**found["spec"], "dataVolumeTemplates": [_TEMPLATE]}}


def _namespace(labels: Object | None = None) -> Object:
    return of_kind("v1", "Namespace", next(NAMES), labels=labels or {})


_exempt = _have(lambda: vm("good", **EXEMPT["metadata"]), ADMIN)
_unverified = _have(lambda: vm(f"absent-{next(NAMES)}"))
_pool, _set = _have(lambda: pool("good")), _have(lambda: replica_set("good"))
_unenforced = _have(lambda: _namespace({ENFORCEMENT: "warn"}), ADMIN)


def _vmi_of(owner: Object) -> Object:
    return started(owner, owner["spec"]["template"]["spec"]["volumes"][0]["name"])


def _instance(site: Site) -> Object:
    return site.have(_vmi_of(_good_vm(site)), CONTROLLER)


_RESTORED = {"restore.kubevirt.io/lastRestoreUID": "back-11111111-2222-3333-4444-555555555555"}
_METADATA = {"metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}, "finalizers": ["x.io/y"]}}
_START = {"runStrategy": "Always", "updateVolumesStrategy": "Migration"}
_MORE = {"spec": {"domain": {"resources": {"requests": {"memory": "2Gi"}}, "cpu": {"cores": 2}}}}
_BEAT = {"status": {"phase": "Running"}, **_LABEL}
_OFF = {ENFORCEMENT: "off"}
_FOR_NODES = {"template": {"spec": {"nodeSelector": {"zone": "a"}}}}
_GUARDED, _GROWN = asked("namespaces", "UPDATE", "/validate"), asked(VMIS, "UPDATE", "/validate")
_CHECKED = ("CREATE", "/validate")
_NEW_VM, _NEW_VMI = asked(VMS, "CREATE"), asked(VMIS, "CREATE")
_PATCHED_VM, _PATCHED_VMI = asked(VMS, "CREATE", "/mutate"), asked(VMIS, "CREATE", "/mutate")
WRITES = (
    _patch("a label, an annotation and a finalizer of a VM", _METADATA),
    _spec("a start, another strategy for volumes, and more memory and CPUs", {**_START, "template": _MORE}),
    _patch("the status of a VM", {"status": {"created": True, "printableStatus": "Running"}}, NOTHING, _STATUS),
    _patch("a hot-plug", {"status": {"volumeRequests": [_HOT_PLUG]}}, VALIDATED, _STATUS),
    _patch("a hot-unplug", {"status": {"volumeRequests": [{"removeVolumeOptions": {"name": "a"}}]}}, NOTHING, _STATUS),
    _spec("a disk more", {"template": {"spec": {"volumes": _TWO_DISKS}}}, BOTH),
    _spec("the nodes of a VM", _FOR_NODES, BOTH),
    _spec("the labels of a VM's template", {"template": _LABEL}, BOTH),
    _spec("an instancetype", {"instancetype": _MATCHER}, BOTH),
    _spec("a preference", {"preference": {"name": "linux"}}, BOTH),
    _spec("a dataVolumeTemplate", {"dataVolumeTemplates": [_TEMPLATE]}, BOTH),
    _patch("an exemption", EXEMPT, VALIDATED),
    _patch("another exemption", {"metadata": {"labels": {EXEMPTION: "2099-01-01"}}}, VALIDATED, make=_exempt),
    _patch("no exemption any more", {"metadata": {"labels": {EXEMPTION: None}}}, make=_exempt),
    _patch("another label of an exempt VM", _LABEL, make=_exempt),
    _patch("a reason", {"metadata": {"annotations": REASON}}, VALIDATED),
    Write("the deletion of a VM", NOTHING, lambda site, obj: site.delete(obj)),
    _spec("the nodes of a VM that is being deleted", _FOR_NODES, make=_deleting),
    _patch("the finalizers of a VM that is being deleted", {"metadata": {"finalizers": None}}, make=_deleting),
    _patch("an exemption of a VM that is being deleted", EXEMPT, VALIDATED, make=_deleting),
    _creation("a new VirtualMachine", _NEW_VM, lambda _: vm("good")),
    _creation("a new VMI by KubeVirt", _NEW_VMI, lambda _: vmi("good"), CONTROLLER),
    _creation("a new ReplicaSet", asked(SETS, "CREATE"), lambda _: replica_set("good")),
    _creation("a new Pool", asked(POOLS, "CREATE"), lambda _: pool("good")),
    _creation("a restore", asked("virtualmachinerestores", *_CHECKED), lambda _: restore("m")),
    _creation("a clone", asked("virtualmachineclones", *_CHECKED), lambda _: clone("m")),
    _creation("the VM of a Pool", _PATCHED_VM, _vm_of_pool, CONTROLLER, _pool),
    _creation("the VM of a Pool by a user", _NEW_VM, _vm_of_pool, ALICE, _pool),
    _creation("the restored VM of a Pool", _NEW_VM, lambda o: _vm_of_pool(o, annotations=_RESTORED), CONTROLLER, _pool),
    _creation("the VM of a Pool without a number", _NEW_VM, lambda o: _vm_of_pool(o, "x"), CONTROLLER, _pool),
    _creation("the VM of a Pool with its own PVC", _NEW_VM, _vm_of_pool_with_template, CONTROLLER, _pool),
    _creation("the start of a VM", _PATCHED_VMI, _vmi_of, CONTROLLER),
    _creation("the start of an unverified VM", _NEW_VMI, _vmi_of, CONTROLLER, _unverified, allowed=False),
    _creation("the start of a VM by a user", _NEW_VMI, _vmi_of, ALICE),
    _patch("a heartbeat of a VMI", _BEAT, make=_instance),
    Write("the deletion of a VMI", NOTHING, lambda site, obj: site.delete(obj), _instance),
    _spec("a disk more of a VMI by KubeVirt", {"volumes": _TWO_DISKS}, _GROWN, _instance, CONTROLLER),
    _spec("the scale of a ReplicaSet", {"replicas": 1}, make=_set),
    _spec("the nodes of a ReplicaSet", _FOR_NODES, asked(SETS), _set),
    _spec("the scale of a Pool", {"replicas": 1}, make=_pool),
    _spec("the nodes of a Pool", {"virtualMachineTemplate": {"spec": _FOR_NODES}}, asked(POOLS), _pool),
    _spec("the labels of a Pool's VMs", {"virtualMachineTemplate": _LABEL}, asked(POOLS), _pool),
    _creation("a PVC", NOTHING, lambda _: stored(f"any-{next(NAMES)}", RWO), CONTROLLER),
    _creation("a new namespace", NOTHING, lambda _: _namespace()),
    _patch("a label of a namespace", _LABEL, make=_unenforced),
    Write("the deletion of a namespace", NOTHING, lambda site, obj: site.delete(obj), _unenforced),
    _patch("another enforcement", {"metadata": {"labels": _OFF}}, _GUARDED, make=_unenforced),
    _patch("an exemption of a namespace", EXEMPT, _GUARDED, make=_unenforced),
    _creation("a new namespace with our label", asked("namespaces", *_CHECKED), lambda _: _namespace(_OFF)),
)

"""Pre-existing violators: VMs of every kind and with every fault that are older than the webhook."""

from dataclasses import dataclass, field
from enum import StrEnum

from tests.build import NAMESPACE, RWO, RWX, Object, claim, disk, host_disk, of_kind
from tests.build_paths import ALICE, APISERVER, CONTROLLER, owned
from tests.e2e.objects import declared, instance_spec
from tests.e2e.preexisting.api import Api

HANDLER = "system:serviceaccount:kubevirt:kubevirt-handler"
USERS = (ALICE, APISERVER, CONTROLLER, HANDLER)
FINALIZERS = ["kubevirt.io/virtualMachineControllerFinalize", "example.com/old"]
CLAIMS = (
    *(claim(name, RWX) for name in ("good", "fixed", "target")),
    *(claim(name, RWO) for name in ("once", "once-too", "once-new")),
    claim("san-fs", RWX, storage_class="san"),
)


class Kind(StrEnum):
    """What a user made."""

    HALTED = "a halted VirtualMachine"
    RUNNING = "a running VirtualMachine"
    BARE = "a VMI of nobody's"
    POOL = "a Pool"
    REPLICA_SET = "a ReplicaSet"


TEMPLATED = (Kind.HALTED, Kind.RUNNING, Kind.POOL, Kind.REPLICA_SET)
VIRTUAL = (Kind.HALTED, Kind.RUNNING, Kind.POOL)
ALIVE = (Kind.RUNNING, Kind.BARE, Kind.POOL, Kind.REPLICA_SET)
_KINDS = {
    **dict.fromkeys((Kind.HALTED, Kind.RUNNING), "VirtualMachine"),
    Kind.BARE: "VirtualMachineInstance",
    Kind.POOL: "VirtualMachinePool",
    Kind.REPLICA_SET: "VirtualMachineInstanceReplicaSet",
}
_IN_TEMPLATE = ("spec", "template", "spec")
_PATHS = {Kind.BARE: ("spec",), Kind.POOL: ("spec", "virtualMachineTemplate", *_IN_TEMPLATE)}


@dataclass(frozen=True)
class Fault:
    """What a VM violates, beside the PVC of its second disk."""

    name: str
    root: Object = field(default_factory=lambda: disk("good", "root"))
    data: str = "once-too"
    binding: str = "masquerade"
    devices: tuple[Object, ...] = ()
    strategy: str | None = None

    def volumes(self, *more: Object, **exchanged: str) -> list[Object]:
        """Return the three volumes, some with another PVC than they had, and more behind them."""
        had = {"root": self.root, "data": disk(self.data, "data"), "logs": disk("good", "logs")}
        has = {**had, **{name: disk(claim, name) for name, claim in exchanged.items()}}
        return [*has.values(), *more]


FAULTS = (
    Fault("a PVC for one node", root=disk("once", "root")),
    Fault("a file system on a SAN", root=disk("san-fs", "root")),
    Fault("a hostDisk", root=host_disk("root")),
    Fault("a host device", devices=({"name": "first", "deviceName": "vendor.example/card"},)),
    Fault("a bridge on the pod network", binding="bridge"),
    Fault("a strategy of None", strategy="None"),
    Fault("a lenient strategy alone", data="good", strategy="LiveMigrateIfPossible"),
)
LENIENT = FAULTS[-1]


@dataclass
class VM:
    """What a user made, the VirtualMachine that it is or has, and the VMI that runs for it just now."""

    kind: Kind
    fault: Fault
    owner: Object
    virtual_machine: Object | None = None
    instance: Object | None = None

    def __str__(self) -> str:
        return f"{self.kind} with {self.fault.name}, {self.owner['metadata']['name']}"

    @property
    def parts(self) -> list[Object]:
        """The objects that there are, the user's first."""
        others = (self.virtual_machine, self.instance)
        return [self.owner, *(part for part in others if part is not None and part is not self.owner)]


def in_template(kind: Kind, patch: Object) -> Object:
    """Return a patch of a VMI's spec where an object of a kind has it."""
    for key in reversed(_PATHS.get(kind, _IN_TEMPLATE)):
        patch = {key: patch}
    return patch


def vm_for(pool: Object, number: int = 0) -> Object:
    """Return a VirtualMachine as kubevirt-controller makes it for a Pool, which numbers them."""
    spec = pool["spec"]["virtualMachineTemplate"]["spec"]
    return _made("VirtualMachine", f"{pool['metadata']['name']}-{number}", spec, pool)


def vmi_for(owner: Object) -> Object:
    """Return the VMI that kubevirt-controller makes for a VirtualMachine or a ReplicaSet."""
    name = owner["metadata"]["name"] + ("" if owner["kind"] == "VirtualMachine" else "-x7k2p")
    return _made("VirtualMachineInstance", name, owner["spec"]["template"]["spec"], owner)


def make(api: Api, kind: Kind, fault: Fault, name: str) -> VM:
    """Make a VM as its user and KubeVirt do; nobody may deny it."""
    strategy = {"evictionStrategy": fault.strategy} if fault.strategy else {}
    spec = instance_spec(fault.volumes(), fault.binding, fault.devices, **strategy)
    own = {"runStrategy": "Always" if kind is Kind.RUNNING else "Halted"}
    obj = declared(_KINDS[kind], spec, name, vm=own, replicas=1, finalizers=FINALIZERS)
    vm = VM(kind, fault, api.have(obj, ALICE))
    if kind is Kind.POOL:
        vm.virtual_machine = api.have(vm_for(vm.owner), CONTROLLER)
    elif kind in VIRTUAL:
        vm.virtual_machine = vm.owner
    if kind is Kind.BARE:
        vm.instance = vm.owner
    elif kind is not Kind.HALTED:
        vm.instance = api.have(vmi_for(vm.virtual_machine or vm.owner), CONTROLLER)
    if vm.virtual_machine and vm.instance:
        api.patch(vm.virtual_machine, {"status": {"created": True}}, CONTROLLER, "status")
    return vm


def _made(kind: str, name: str, spec: Object, owner: Object) -> Object:
    made = of_kind("kubevirt.io/v1", kind, name, NAMESPACE, spec=spec)
    made["metadata"]["finalizers"] = FINALIZERS
    return owned(made, owner, blockOwnerDeletion=True)

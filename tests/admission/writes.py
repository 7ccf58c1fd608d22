"""The request behind each cell of the table: what is written, by whom, and what is there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.admission.matrix import Cell
from tests.build import Object, disk, vm, vmi, volume_request
from tests.build_paths import (
    ALICE,
    APISERVER,
    CONTROLLER,
    OTHER_UID,
    REASON,
    clone,
    exempt,
    known_as,
    owned,
    pool,
    replica_set,
    restore,
    restored,
    vm_snapshot,
)

Make = Callable[..., Object]
LAST_DAY = str((datetime.now(UTC) + timedelta(days=30)).date())
ENDED = "2020-01-01"
DEVICES = {"devices": {"hostDevices": [{"name": "nic", "deviceName": "intel.com/nic"}]}}
EXEMPT_POOL = exempt(pool())
NUMBERED = "pool-0"
"""The name of a VM of the Pool."""
TEMPLATES: dict[Make, tuple[str, ...]] = {
    vm: ("spec", "template"),
    vmi: (),
    replica_set: ("spec", "template"),
    pool: ("spec", "virtualMachineTemplate"),
}
"""Where each kind keeps the template whose labels KubeVirt copies."""
SPECS: dict[Make, str] = {
    vm: "spec.template.spec",
    vmi: "spec",
    replica_set: "spec.template.spec",
    pool: "spec.virtualMachineTemplate.spec.template.spec",
}
"""Where each kind keeps its VMI's spec."""
_NAMES: dict[Make, tuple[str, str]] = {vm: ("db", "db"), replica_set: ("web", "web7k2fw"), pool: ("pool", NUMBERED)}
"""What each kind of owner is called, and what KubeVirt makes for it."""


@dataclass(frozen=True)
class Write:
    """A request: the object, the one before it, what else is there, who writes.

    ``spec`` is where the VM keeps its VMI's spec, ``pending`` where a volume to come stands instead;
    ``source`` the field of a restore or clone that says what it copies.
    """

    obj: Object
    old: Object | None = None
    there: tuple[Object, ...] = ()
    user: str = ALICE
    subresource: str = ""
    spec: str = SPECS[vm]
    pending: str | None = None
    source: str | None = None

    def field(self, cell: Cell) -> str:
        """Return the field of the VM at which the cell's fault stands."""
        if cell.fault.is_device:
            return f"{self.spec}.domain.devices.hostDevices[0]"
        return f"{self.pending or self.spec + '.volumes[1]'}.persistentVolumeClaim.claimName"


def holding(cell: Cell, make: Make, name: str, *, bad: bool = True, more: bool = False) -> Object:
    """Return a VM with a good disk, what makes the cell's VM bad, and one more good disk."""
    data = [disk(cell.fault.claim, "data")] if bad and cell.fault.claim else []
    fields = {"domain": DEVICES} if bad and cell.fault.is_device else {}
    return make(disk("good", "root"), *data, *([disk("good-block", "more")] if more else []), name=name, **fields)


def change(cell: Cell, make: Make, name: str) -> tuple[Object | None, Object]:
    """Return a VM before and after: one that is made, a good one that becomes bad, a bad one that gets more."""
    old = None if cell.moment == "creation" else holding(cell, make, name, bad=cell.of_bad)
    return old, holding(cell, make, name, more=cell.of_bad)


def labelled(cell: Cell, obj: Object, *path: str) -> Object:
    """Return an object with an exemption from the cell's rule."""
    return exempt(obj, *path, rule=cell.fault.rule or "all", value=ENDED if cell.variant == "expired" else LAST_DAY)


def carrying(cell: Cell, obj: Object, template: tuple[str, ...] = ()) -> Object:
    """Return an object that has carried the cell's label since before, itself or in its template."""
    if cell.variant in ("exempt", "expired"):
        return labelled(cell, obj)
    return labelled(cell, obj, *template) if cell.variant == "label in a template" and template else obj


def by(make: Make, user: str) -> Callable[[Cell], Write]:
    """Return how somebody writes a VM; a label without the right comes with the write."""

    def write(cell: Cell) -> Write:
        forger = exempt(known_as(vm(name=NUMBERED))) if make is vmi else EXEMPT_POOL
        uid = {} if user == ALICE else {"uid": OTHER_UID}

        def dressed(obj: Object) -> Object:
            if cell.variant == "forged owner":
                return owned(obj, forger, **uid)
            return carrying(cell, obj, TEMPLATES[make])

        old, new = change(cell, make, NUMBERED)
        obj = labelled(cell, new) if cell.variant == "exempt without the right" else dressed(new)
        return Write(obj, dressed(old) if old else None, (forger,), user, spec=SPECS[make])

    return write


def hot_plug(cell: Cell) -> Write:
    """Return what ``virtctl addvolume`` asks for: the bad disk, or one more good one of a bad VM."""
    asked = by(vm, APISERVER)(cell)
    assert asked.old is not None
    added = disk("good-block", "more") if cell.of_bad else disk(cell.fault.claim or "", "data")
    new = {**asked.old, "status": {"volumeRequests": [volume_request(added)]}}
    where = "status.volumeRequests[0].addVolumeOptions.volumeSource"
    return Write(new, asked.old, asked.there, APISERVER, "status", pending=where)


def for_owner(make_owner: Make, make: Make, user: str, *, holds: bool) -> Callable[[Cell], Write]:
    """Return how KubeVirt writes for an owner, which ``holds`` what makes the VM bad, or not."""
    owner_name, name = _NAMES[make_owner]

    def write(cell: Cell) -> Write:
        forged = cell.variant == "forged owner"
        owner = known_as(holding(cell, make_owner, owner_name, bad=holds))
        owner = exempt(owner) if forged else carrying(cell, owner, TEMPLATES[make_owner])

        def dressed(obj: Object) -> Object:
            found = owned(obj, owner, **({"uid": OTHER_UID} if forged else {}))
            return labelled(cell, found) if cell.variant == "label in a template" else found

        old, new = change(cell, make, name)
        obj = labelled(cell, dressed(new)) if cell.variant == "exempt without the right" else dressed(new)
        return Write(obj, dressed(old) if old else None, (owner,), user, spec=SPECS[make])

    return write


def created(cell: Cell, name: str) -> Object:
    """Return the VM in a snapshot, or the source of a clone."""
    vm_object = holding(cell, vm, name, more=cell.of_bad)
    if cell.variant == "label brought by a snapshot":
        return labelled(cell, vm_object)
    if cell.variant == "label in a template":
        return labelled(cell, vm_object, *TEMPLATES[vm])
    return owned(vm_object, EXEMPT_POOL) if cell.variant == "forged owner" else vm_object


def patches(cell: Cell) -> list[Object]:
    """Return the patches of a restore or clone, where they bring the label."""
    labels = {f"exempt.migratability.io/{cell.fault.rule or 'all'}": LAST_DAY}
    adding: list[Object] = [
        {"op": "add", "path": "/metadata/labels", "value": labels},
        {"op": "add", "path": "/metadata/annotations", "value": REASON},
    ]
    return adding if cell.variant == "label brought by a patch" else []


def asked_by_user(cell: Cell, obj: Object) -> Object:
    """Return a restore or clone with the label that its user gives it."""
    return labelled(cell, obj) if cell.variant == "exempt without the right" else carrying(cell, obj)


def live(cell: Cell) -> Object:
    """Return the VM that a restore writes over, with what it carries itself."""
    vm_object = carrying(cell, known_as(holding(cell, vm, NUMBERED, bad=cell.of_bad)))
    return owned(vm_object, EXEMPT_POOL, uid=OTHER_UID) if cell.variant == "forged owner" else vm_object


def restore_to_new_name(cell: Cell) -> Write:
    """Return a restore to a name that nobody has."""
    obj = asked_by_user(cell, restore(NUMBERED, *patches(cell)))
    there = (*vm_snapshot(created(cell, "db")), EXEMPT_POOL)
    return Write(obj, there=there, source="spec.virtualMachineSnapshotName")


def restore_over(cell: Cell) -> Write:
    """Return a restore of a VM that is there, good or bad, whose own label counts."""
    obj = restore(NUMBERED, *patches(cell))
    obj = labelled(cell, obj) if cell.variant == "exempt without the right" else obj
    there = (live(cell), *vm_snapshot(created(cell, NUMBERED)), EXEMPT_POOL)
    return Write(obj, there=there, source="spec.virtualMachineSnapshotName")


def clone_of_vm(cell: Cell) -> Write:
    """Return a clone of a VM, or of its snapshot where that brings the label."""
    if cell.variant == "label brought by a snapshot":
        obj, there = (
            clone("nightly", kind="VirtualMachineSnapshot", target=NUMBERED),
            vm_snapshot(created(cell, "db")),
        )
    else:
        obj, there = clone("db", *patches(cell), target=NUMBERED), [created(cell, "db")]
    return Write(asked_by_user(cell, obj), there=(*there, EXEMPT_POOL), source="spec.source")


def made_by_restore(cell: Cell) -> Write:
    """Return the VM that KubeVirt makes for a restore, with the labels of the snapshot and the patches."""
    asked = carrying(cell, restore(NUMBERED, *patches(cell)))
    added_labels = cell.variant in ("exempt", "expired", "label brought by a patch")
    vm_object = created(cell, NUMBERED)
    return Write(
        restored(labelled(cell, vm_object) if added_labels else vm_object, asked),
        None,
        (asked, EXEMPT_POOL),
        CONTROLLER,
    )


def written_over(cell: Cell) -> Write:
    """Return the VM that is there as KubeVirt writes it for a restore: with its own metadata."""
    old, asked = live(cell), restore(NUMBERED)
    new = restored({**old, "spec": created(cell, NUMBERED)["spec"]}, asked)
    return Write(new, old, (asked, EXEMPT_POOL), CONTROLLER)


PATHS: dict[str, Callable[[Cell], Write]] = {
    "VirtualMachine by a user": by(vm, ALICE),
    "VirtualMachine by kubevirt-apiserver (addvolume)": by(vm, APISERVER),
    "volumeRequests in /status by kubevirt-apiserver": hot_plug,
    "VMI by a user": by(vmi, ALICE),
    "VMI for a VirtualMachine": for_owner(vm, vmi, CONTROLLER, holds=True),
    "VMI for a ReplicaSet": for_owner(replica_set, vmi, CONTROLLER, holds=True),
    "VMI by kubevirt-apiserver": by(vmi, APISERVER),
    "owned VMI by kubevirt-apiserver": for_owner(vm, vmi, APISERVER, holds=False),
    "owned VMI by kubevirt-apiserver, as in its VM": for_owner(vm, vmi, APISERVER, holds=True),
    "owned VMI by kubevirt-controller": for_owner(vm, vmi, CONTROLLER, holds=False),
    "owned VMI by kubevirt-controller, as in its VM": for_owner(vm, vmi, CONTROLLER, holds=True),
    "ReplicaSet by a user": by(replica_set, ALICE),
    "Pool by a user": by(pool, ALICE),
    "VirtualMachine for a Pool": for_owner(pool, vm, CONTROLLER, holds=False),
    "VirtualMachine for a Pool, as in the Pool": for_owner(pool, vm, CONTROLLER, holds=True),
    "Restore by a user, to a new name": restore_to_new_name,
    "Restore by a user, over the VM": restore_over,
    "Clone by a user": clone_of_vm,
    "VirtualMachine that a Restore makes": made_by_restore,
    "VirtualMachine that a Restore writes over": written_over,
}

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
SNAPSHOT_NAME = "spec.virtualMachineSnapshotName"
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
"""The name of each kind of owner, and of what KubeVirt creates for it."""


@dataclass(frozen=True)
class Write:
    """A request: the object, the one before it, what else is there, who writes.

    ``spec`` is where the VM keeps its VMI's spec, ``pending`` where a requested volume stands instead; ``source`` the
    field of a restore or clone that names its source.
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


def _holding(cell: Cell, make: Make, name: str, *, bad: bool = True, more: bool = False) -> Object:
    """A VM with a good disk, what makes the cell's VM bad, and one more good disk."""
    data = [disk(cell.fault.claim, "data")] if bad and cell.fault.claim else []
    fields = {"domain": DEVICES} if bad and cell.fault.is_device else {}
    return make(disk("good", "root"), *data, *([disk("good-block", "more")] if more else []), name=name, **fields)


def _change(cell: Cell, make: Make, name: str) -> tuple[Object | None, Object]:
    """A VM before and after: one that is created, a good one that becomes bad, a bad one that gets more."""
    old = None if cell.moment == "creation" else _holding(cell, make, name, bad=cell.of_bad)
    return old, _holding(cell, make, name, more=cell.of_bad)


def _labelled(cell: Cell, obj: Object, *path: str) -> Object:
    """An object with an exemption from the cell's rule."""
    return exempt(obj, *path, rule=cell.fault.rule or "all", value=ENDED if cell.variant == "expired" else LAST_DAY)


def _carrying(cell: Cell, obj: Object, template: tuple[str, ...] = ()) -> Object:
    """An object that has carried the cell's label since before, itself or in its template."""
    if cell.variant in ("exempt", "expired"):
        return _labelled(cell, obj)
    return _labelled(cell, obj, *template) if cell.variant == "label in a template" and template else obj


def _written(cell: Cell, make: Make, name: str, dressed: Callable[[Object], Object], there: Object, user: str) -> Write:
    """A write of a VM with what it has carried since before; a label without the right comes with the write."""
    old, new = _change(cell, make, name)
    obj = dressed(new)
    if cell.variant == "exempt without the right":
        obj = _labelled(cell, obj)
    return Write(obj, dressed(old) if old else None, (there,), user, spec=SPECS[make])


def _by(make: Make, user: str) -> Callable[[Cell], Write]:
    """How somebody writes a VM."""
    forger = exempt(known_as(vm(name=NUMBERED))) if make is vmi else EXEMPT_POOL
    uid = {} if user == ALICE else {"uid": OTHER_UID}

    def write(cell: Cell) -> Write:
        def dressed(obj: Object) -> Object:
            if cell.variant == "forged owner":
                return owned(obj, forger, **uid)
            return _carrying(cell, obj, TEMPLATES[make])

        return _written(cell, make, NUMBERED, dressed, forger, user)

    return write


def _hot_plug(cell: Cell) -> Write:
    """What ``virtctl addvolume`` asks for: the bad disk, or one more good one of a bad VM."""
    asked = _by(vm, APISERVER)(cell)
    assert asked.old is not None
    added = disk("good-block", "more") if cell.of_bad else disk(cell.fault.claim or "", "data")
    new = {**asked.old, "status": {"volumeRequests": [volume_request(added)]}}
    where = "status.volumeRequests[0].addVolumeOptions.volumeSource"
    return Write(new, asked.old, asked.there, APISERVER, "status", pending=where)


def _for_owner(make_owner: Make, make: Make, user: str, *, holds: bool) -> Callable[[Cell], Write]:
    """How KubeVirt writes for an owner, which ``holds`` what makes the VM bad, or not."""
    owner_name, name = _NAMES[make_owner]

    def write(cell: Cell) -> Write:
        forged = cell.variant == "forged owner"
        owner = known_as(_holding(cell, make_owner, owner_name, bad=holds))
        owner = exempt(owner) if forged else _carrying(cell, owner, TEMPLATES[make_owner])

        def dressed(obj: Object) -> Object:
            found = owned(obj, owner, **({"uid": OTHER_UID} if forged else {}))
            return _labelled(cell, found) if cell.variant == "label in a template" else found

        return _written(cell, make, name, dressed, owner, user)

    return write


def _source(cell: Cell, name: str) -> Object:
    """The VM in a snapshot, or the source of a clone."""
    vm_object = _holding(cell, vm, name, more=cell.of_bad)
    if cell.variant == "label in a snapshot":
        return _labelled(cell, vm_object)
    if cell.variant == "label in a template":
        return _labelled(cell, vm_object, *TEMPLATES[vm])
    return owned(vm_object, EXEMPT_POOL) if cell.variant == "forged owner" else vm_object


def _patches(cell: Cell) -> list[Object]:
    """The patches of a restore or clone, where they add the label."""
    labels = {f"exempt.migratability.io/{cell.fault.rule or 'all'}": LAST_DAY}
    added = {"labels": labels, "annotations": REASON} if cell.variant == "label in a patch" else {}
    return [{"op": "add", "path": f"/metadata/{key}", "value": value} for key, value in added.items()]


def _asked(cell: Cell, obj: Object) -> Object:
    """A restore or clone with the label that its user gives it."""
    return _labelled(cell, obj) if cell.variant == "exempt without the right" else _carrying(cell, obj)


def _live(cell: Cell) -> Object:
    """The VM that a restore writes over, with what it carries itself."""
    vm_object = _carrying(cell, known_as(_holding(cell, vm, NUMBERED, bad=cell.of_bad)))
    return owned(vm_object, EXEMPT_POOL, uid=OTHER_UID) if cell.variant == "forged owner" else vm_object


def _restore_to_new_name(cell: Cell) -> Write:
    obj, there = _asked(cell, restore(NUMBERED, *_patches(cell))), vm_snapshot(_source(cell, "db"))
    return Write(obj, there=(*there, EXEMPT_POOL), source=SNAPSHOT_NAME)


def _restore_over(cell: Cell) -> Write:
    """A restore of a VM that is there, good or bad, whose own label counts."""
    obj = restore(NUMBERED, *_patches(cell))
    obj = _labelled(cell, obj) if cell.variant == "exempt without the right" else obj
    there = (_live(cell), *vm_snapshot(_source(cell, NUMBERED)), EXEMPT_POOL)
    return Write(obj, there=there, source=SNAPSHOT_NAME)


def _clone(cell: Cell) -> Write:
    """A clone of a VM, or of its snapshot where that has the label."""
    obj, there = clone("db", *_patches(cell), target=NUMBERED), [_source(cell, "db")]
    if cell.variant == "label in a snapshot":
        obj, there = clone("nightly", kind="VirtualMachineSnapshot", target=NUMBERED), vm_snapshot(*there)
    return Write(_asked(cell, obj), there=(*there, EXEMPT_POOL), source="spec.source")


def _restored(cell: Cell) -> Write:
    """The VM that KubeVirt creates for a restore, with the labels of the snapshot and the patches."""
    asked, vm_object = _carrying(cell, restore(NUMBERED, *_patches(cell))), _source(cell, NUMBERED)
    if cell.variant in ("exempt", "expired", "label in a patch"):
        vm_object = _labelled(cell, vm_object)
    return Write(restored(vm_object, asked), None, (asked, EXEMPT_POOL), CONTROLLER)


def _written_over(cell: Cell) -> Write:
    """The VM that is there as KubeVirt writes it for a restore: with its own metadata."""
    old, asked = _live(cell), restore(NUMBERED)
    new = restored({**old, "spec": _source(cell, NUMBERED)["spec"]}, asked)
    return Write(new, old, (asked, EXEMPT_POOL), CONTROLLER)


PATHS: dict[str, Callable[[Cell], Write]] = {
    "VirtualMachine by a user": _by(vm, ALICE),
    "VirtualMachine by kubevirt-apiserver (addvolume)": _by(vm, APISERVER),
    "volumeRequests in /status by kubevirt-apiserver": _hot_plug,
    "VMI by a user": _by(vmi, ALICE),
    "VMI for a VirtualMachine": _for_owner(vm, vmi, CONTROLLER, holds=True),
    "VMI for a ReplicaSet": _for_owner(replica_set, vmi, CONTROLLER, holds=True),
    "VMI by kubevirt-apiserver": _by(vmi, APISERVER),
    "owned VMI by kubevirt-apiserver": _for_owner(vm, vmi, APISERVER, holds=False),
    "owned VMI by kubevirt-apiserver, as in its VM": _for_owner(vm, vmi, APISERVER, holds=True),
    "owned VMI by kubevirt-controller": _for_owner(vm, vmi, CONTROLLER, holds=False),
    "owned VMI by kubevirt-controller, as in its VM": _for_owner(vm, vmi, CONTROLLER, holds=True),
    "ReplicaSet by a user": _by(replica_set, ALICE),
    "Pool by a user": _by(pool, ALICE),
    "VirtualMachine for a Pool": _for_owner(pool, vm, CONTROLLER, holds=False),
    "VirtualMachine for a Pool, as in the Pool": _for_owner(pool, vm, CONTROLLER, holds=True),
    "Restore by a user, to a new name": _restore_to_new_name,
    "Restore by a user, over the VM": _restore_over,
    "Clone by a user": _clone,
    "VirtualMachine that a Restore creates": _restored,
    "VirtualMachine that a Restore writes over": _written_over,
}

"""Our own recording: the steps of a working day with KubeVirt, with disks that can move and disks that cannot."""

from tests.build import (
    CLAIMS,
    CLASSES,
    RWX,
    Object,
    claim,
    data_volume_disk,
    data_volume_template,
    disk,
    kubevirt,
    node,
    vm,
    vmi,
)
from tests.build_paths import namespace, owned, pool, replica_set
from tests.recording import kubevirt as does
from tests.recording.kubevirt import ALICE, APISERVER, CONTROLLER, VM, VMI
from tests.recording.model import Denial, Recording
from tests.recording.scribe import Scribe, says, sets

RETRIED = "start a VM whose VMI something else denies"
_ROOM = {"resources": {"requests": {"storage": "1Gi"}}}
_ONCE, _SAN = ("once", "shared-access"), ("san-fs", "san-block")
_ASKED = ("virtualmachines/status", "kubevirt-apiserver")
_PLUGGED = ("virtualmachineinstances", "kubevirt-apiserver")
_DENIED: list[Denial] = [
    ("addvolume on a halted VM", *_ASKED, *_ONCE),
    ("addvolume on a halted VM", *_ASKED, *_SAN),
    ("addvolume on a running VM", *_ASKED, *_ONCE),
    ("addvolume on a running VM", *_ASKED, *_SAN),
    ("addvolume on a VMI that nobody owns", *_PLUGGED, *_ONCE),
    ("addvolume on a VMI that nobody owns", *_PLUGGED, *_SAN),
    ("addvolume with declarative hot-plug", "virtualmachines", "kubevirt-apiserver", *_ONCE),
    ("patch a volume into a running VM", "virtualmachines", "alice", *_SAN),
    ("migrate a volume from RWX to RWO", "virtualmachines", "alice", *_ONCE),
]


def own_recording() -> Recording:
    """Return the recording, with the PVCs and classes that it refers to."""
    scribe = Scribe()
    for step, doing in _STEPS.items():
        scribe.step = step
        doing(scribe)
    return Recording(_cluster(), scribe.writes, _DENIED, RETRIED)


def _cluster() -> list[Object]:
    classes = [{**found, "metadata": {"name": found["metadata"]["name"]}} for found in CLASSES]
    claims = [{**found, "spec": {**found["spec"], **_ROOM}} for found in (*CLAIMS, claim("spare", RWX))]
    spaces = [namespace(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubevirt"}}]
    return [*spaces, *classes, *claims, kubevirt(), node("node-1"), node("node-2")]


def _halted(name: str, root: str = "good", **spec: object) -> Object:
    return vm(disk(root, "root"), name=name, spec={"runStrategy": "Halted", **spec}, domain={"devices": {}})


def _create(scribe: Scribe) -> None:
    does.apply_vm(scribe, _halted("db"))


def _plug_halted(scribe: Scribe) -> None:
    for name in ("good-block", "once", "san-fs"):
        does.plug_halted(scribe, "db", disk(name))


def _unplug_halted(scribe: Scribe) -> None:
    for name in ("once", "san-fs"):
        does.unplug_halted(scribe, "db", name)


def _start(scribe: Scribe) -> None:
    does.start(scribe, "db")


def _beat(scribe: Scribe) -> None:
    does.beat(scribe, "db", 30)


def _plug_running(scribe: Scribe) -> None:
    for name in ("spare", "once", "san-fs"):
        does.plug_running(scribe, "db", disk(name))


def _unplug_running(scribe: Scribe) -> None:
    for name in ("once", "san-fs"):
        does.unplug_running(scribe, "db", name)


def _label_and_resize(scribe: Scribe) -> None:
    scribe.update(ALICE, VM, "db", sets("metadata", "labels", value={"tier": "gold"}))
    memory = {"requests": {"memory": "2Gi"}}
    scribe.update(ALICE, VM, "db", sets("spec", "template", "spec", "domain", "resources", value=memory))


def _migrate(scribe: Scribe) -> None:
    does.migrate(scribe, "db")
    does.beat(scribe, "db", 5)


def _stop(scribe: Scribe) -> None:
    does.stop(scribe, "db")


def _delete(scribe: Scribe) -> None:
    does.delete_vm(scribe, "db")


def _templated(scribe: Scribe) -> None:
    asked = {"accessModes": [RWX], "storageClassName": "nas", **_ROOM}
    template = data_volume_template("web-root", source={"blank": {}}, pvc=asked)
    spec = {"runStrategy": "Halted", "dataVolumeTemplates": [template]}
    vm_object = vm(data_volume_disk("web-root", "root"), name="web", spec=spec, domain={"devices": {}})
    does.apply_vm(scribe, vm_object)
    does.make_data_volumes(scribe, "web")


def _start_templated(scribe: Scribe) -> None:
    does.start(scribe, "web")
    does.beat(scribe, "web", 5)


def _replica_set(scribe: Scribe) -> None:
    made = replica_set(disk("good", "root"), name="workers")
    scribe.create(ALICE, made)
    scribe.update(CONTROLLER, made["kind"], "workers", says(replicas=1), subresource="status")
    scribe.create(CONTROLLER, does.instance_of(scribe, "workers", made["kind"], "workers-x7k2"))
    does.run_instance(scribe, "workers-x7k2")
    does.beat(scribe, "workers-x7k2", 3)


def _pool(scribe: Scribe) -> None:
    made = pool(disk("good", "root"), name="desks", spec={"runStrategy": "Halted"})
    scribe.create(ALICE, made)
    vm_object = owned(_halted("desks-0"), scribe.get(made["kind"], "desks"))
    vm_object["metadata"]["finalizers"] = ["pool.kubevirt.io/finalizer"]
    scribe.create(CONTROLLER, vm_object)
    does.wait_for_vm(scribe, "desks-0")


def _bare(scribe: Scribe) -> None:
    scribe.create(ALICE, vmi(disk("good", "root"), name="lone"))
    does.run_instance(scribe, "lone")
    for name in ("good-block", "once", "san-fs"):
        scribe.update(APISERVER, VMI, "lone", does.plugs(disk(name), "spec"))
        does.beat(scribe, "lone", 3)


def _declarative(scribe: Scribe) -> None:
    does.apply_vm(scribe, _halted("mail"))
    does.start(scribe, "mail")
    does.plug_declared(scribe, APISERVER, "mail", disk("once"))


def _patched(scribe: Scribe) -> None:
    for name in ("good-block", "san-fs"):
        does.plug_declared(scribe, ALICE, "mail", disk(name))
    does.beat(scribe, "mail", 5)


def _to_once(scribe: Scribe) -> None:
    does.apply_vm(scribe, _halted("shop"))
    does.start(scribe, "shop")
    _migrate_volume(scribe, "shop", "once")


def _to_many(scribe: Scribe) -> None:
    old = _halted("legacy", "once", runStrategy="Always")
    scribe.there({**old, "status": {"created": True, "ready": True, "printableStatus": "Running"}})
    scribe.there(does.instance_of(scribe, "legacy"))
    _migrate_volume(scribe, "legacy", "good")
    scribe.update(CONTROLLER, VMI, "legacy", sets("spec", "volumes", value=[disk("good", "root")]))
    does.migrate(scribe, "legacy")


def _migrate_volume(scribe: Scribe, name: str, to: str) -> None:
    replaced = sets("spec", "template", "spec", "volumes", value=[disk(to, "root")])
    scribe.update(ALICE, VM, name, sets("spec", "updateVolumesStrategy", value="Migration"), replaced)
    state = says(volumeUpdateState={"volumeMigrationState": {"migratedVolumes": []}})
    scribe.update(CONTROLLER, VM, name, state, subresource="status")
    does.beat(scribe, name, 2)


def _snapshot(scribe: Scribe) -> None:
    does.apply_vm(scribe, _halted("wiki"))
    does.snapshot(scribe, ALICE, "nightly", "wiki")
    does.restore(scribe, ALICE, "nightly", "wiki", "wiki-back")


def _clone(scribe: Scribe) -> None:
    does.clone(scribe, ALICE, "copy", "wiki", "wiki-copy")


def _retry(scribe: Scribe) -> None:
    does.apply_vm(scribe, _halted("stuck"))
    scribe.update(APISERVER, VM, "stuck", sets("spec", "runStrategy", value="Always"))
    for _ in range(10):
        scribe.try_to_create(CONTROLLER, does.instance_of(scribe, "stuck"))
    failed = [{"type": "Failure", "status": "True", "reason": "FailedCreate"}]
    scribe.update(CONTROLLER, VM, "stuck", says(conditions=failed), subresource="status")


_STEPS = {
    "create a VM": _create,
    "addvolume on a halted VM": _plug_halted,
    "removevolume on a halted VM": _unplug_halted,
    "start": _start,
    "the node tells of the VMI": _beat,
    "addvolume on a running VM": _plug_running,
    "removevolume on a running VM": _unplug_running,
    "label and resize": _label_and_resize,
    "migrate": _migrate,
    "stop": _stop,
    "delete": _delete,
    "create a VM with dataVolumeTemplates": _templated,
    "start it, its PVCs being there": _start_templated,
    "create a ReplicaSet": _replica_set,
    "create a Pool": _pool,
    "addvolume on a VMI that nobody owns": _bare,
    "addvolume with declarative hot-plug": _declarative,
    "patch a volume into a running VM": _patched,
    "migrate a volume from RWX to RWO": _to_once,
    "migrate a volume from RWO to RWX": _to_many,
    "snapshot, and restore under a new name": _snapshot,
    "clone": _clone,
    RETRIED: _retry,
}

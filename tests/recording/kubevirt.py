"""What KubeVirt writes when a user does something, in its order."""

from tests.build import NAMESPACE, Object, data_volume, vmi, volume_request
from tests.build_paths import owned
from tests.recording.scribe import Change, Scribe, User, annotates, holds, says, service_account, sets

ALICE = User("alice", ("developers", "system:authenticated"))
CONTROLLER = service_account("kubevirt", "kubevirt-controller")
APISERVER = service_account("kubevirt", "kubevirt-apiserver")
HANDLER = service_account("kubevirt", "kubevirt-handler")
CDI = service_account("cdi", "cdi-sa")
VM, VMI = "VirtualMachine", "VirtualMachineInstance"
_FINALIZER = "kubevirt.io/virtualMachineControllerFinalize"
_OBSERVED = annotates(latest_observed_api_version="v1", storage_observed_api_version="v1")


def apply_vm(scribe: Scribe, vm: Object, user: User = ALICE) -> None:
    """Create a VirtualMachine; KubeVirt marks it, guards it, and says that it is halted."""
    scribe.create(user, vm)
    wait_for_vm(scribe, vm["metadata"]["name"])


def wait_for_vm(scribe: Scribe, name: str) -> None:
    """Have KubeVirt take up a VirtualMachine that was just created."""
    _status(scribe, name, printableStatus="Stopped")
    scribe.update(CONTROLLER, VM, name, _OBSERVED)
    scribe.lose(CONTROLLER, VM, name, _OBSERVED)
    held = scribe.get(VM, name)["metadata"].get("finalizers", [])
    scribe.update(CONTROLLER, VM, name, holds(*held, _FINALIZER))
    _status(scribe, name, conditions=[_condition("Ready", "False", "VMINotExists")])
    _status(scribe, name, volumeSnapshotStatuses=[{"name": "root", "enabled": False}])


def instance_of(scribe: Scribe, name: str, kind: str = VM, instance: str = "") -> Object:
    """Return the VMI that KubeVirt makes of a template."""
    owner = scribe.get(kind, name)
    made = owned(vmi(name=instance or name, **owner["spec"]["template"]["spec"]), owner)
    metadata = {**made["metadata"], "finalizers": [_FINALIZER]}
    return {**made, "metadata": metadata, "status": {"phase": "Pending"}}


def start(scribe: Scribe, name: str) -> None:
    """``virtctl start``, until the VM runs."""
    scribe.update(APISERVER, VM, name, sets("spec", "runStrategy", value="Always"))
    scribe.create(CONTROLLER, instance_of(scribe, name))
    _status(scribe, name, created=True, printableStatus="Starting")
    run_instance(scribe, name)
    _status(scribe, name, ready=True, printableStatus="Running")


def run_instance(scribe: Scribe, name: str) -> None:
    """Have a VMI that was just created scheduled, handed over to its node, and running."""
    scribe.update(CONTROLLER, VMI, name, _OBSERVED)
    scribe.update(CONTROLLER, VMI, name, says(phase="Scheduling", conditions=[_condition("Ready", "False", "Guest")]))
    scribe.update(CONTROLLER, VMI, name, says(qosClass="Burstable", activePods={"pod-1": ""}))
    node = sets("metadata", "labels", value={"kubevirt.io/nodeName": "node-1"})
    scribe.update(
        CONTROLLER, VMI, name, node, says(phase="Scheduled", nodeName="node-1", activePods={"pod-1": "node-1"})
    )
    scribe.update(HANDLER, VMI, name, says(phase="Running", conditions=[_condition("Ready", "True", "")]))


def beat(scribe: Scribe, name: str, times: int) -> None:
    """Have a node tell of a VMI so many times."""
    for number in range(times):
        scribe.update(HANDLER, VMI, name, says(guestOSInfo={"name": "Fedora", "kernelRelease": f"6.{number}"}))


def ask_for(scribe: Scribe, name: str, volume: Object) -> None:
    """``virtctl addvolume`` on a VirtualMachine, which goes into its status."""
    _ask(scribe, name, volume_request(volume))


def ask_away(scribe: Scribe, name: str, volume: str) -> None:
    """``virtctl removevolume`` on a VirtualMachine."""
    _ask(scribe, name, {"removeVolumeOptions": {"name": volume}})


def _ask(scribe: Scribe, name: str, request: Object) -> None:
    scribe.update(APISERVER, VM, name, says(volumeRequests=[request]), subresource="status")


def plug_halted(scribe: Scribe, name: str, volume: Object) -> None:
    """``virtctl addvolume`` on a halted VM."""
    ask_for(scribe, name, volume)
    _carry_out(scribe, name, plugs(volume, "spec", "template", "spec"))


def unplug_halted(scribe: Scribe, name: str, volume: str) -> None:
    """``virtctl removevolume`` on a halted VM."""
    ask_away(scribe, name, volume)
    _carry_out(scribe, name, unplugs(volume, "spec", "template", "spec"))


def plug_running(scribe: Scribe, name: str, volume: Object) -> None:
    """``virtctl addvolume`` on a running VM."""
    ask_for(scribe, name, volume)
    scribe.update(APISERVER, VMI, name, plugs(volume, "spec"))
    _carry_out(scribe, name, plugs(volume, "spec", "template", "spec"))
    _attach(scribe, name, volume["name"])


def unplug_running(scribe: Scribe, name: str, volume: str) -> None:
    """``virtctl removevolume`` on a running VM."""
    ask_away(scribe, name, volume)
    scribe.update(APISERVER, VMI, name, unplugs(volume, "spec"))
    _carry_out(scribe, name, unplugs(volume, "spec", "template", "spec"))
    scribe.update(HANDLER, VMI, name, says(volumeStatus=[{"name": volume, "phase": "UnMountedFromPod"}]))
    scribe.update(CONTROLLER, VMI, name, says(volumeStatus=[]))


def _attach(scribe: Scribe, name: str, volume: str) -> None:
    for user, phase in ((CONTROLLER, "AttachedToNode"), (HANDLER, "MountedToPod"), (HANDLER, "Ready")):
        scribe.update(user, VMI, name, says(volumeStatus=[{"name": volume, "phase": phase}]))


def _carry_out(scribe: Scribe, name: str, change: Change) -> None:
    scribe.update(CONTROLLER, VM, name, change)
    _status(scribe, name, volumeRequests=None)
    _status(scribe, name, volumeSnapshotStatuses=[{"name": "root", "enabled": False, "reason": "no class"}])


def plug_declared(scribe: Scribe, user: User, name: str, volume: Object) -> None:
    """A volume in the template of a running VM, which KubeVirt plugs into the VMI."""
    scribe.update(user, VM, name, plugs(volume, "spec", "template", "spec"))
    scribe.update(CONTROLLER, VMI, name, plugs(volume, "spec"))
    _status(scribe, name, desiredGeneration=2)
    _attach(scribe, name, volume["name"])


def migrate(scribe: Scribe, name: str) -> None:
    """``virtctl migrate``."""
    migration = _thing("VirtualMachineInstanceMigration", "kubevirt.io/v1", f"migrate-{name}", vmiName=name)
    scribe.create(APISERVER, migration)
    kind, migrating = migration["kind"], migration["metadata"]["name"]
    scribe.update(CONTROLLER, kind, migrating, _OBSERVED)
    for phase in ("Pending", "Scheduling", "Scheduled", "TargetReady", "Running", "Succeeded"):
        scribe.update(CONTROLLER, kind, migrating, says(phase=phase), subresource="status")
    scribe.update(CONTROLLER, VMI, name, says(migrationState={"targetNode": "node-2"}))
    scribe.update(HANDLER, VMI, name, says(nodeName="node-2", migrationState={"completed": True}))


def stop(scribe: Scribe, name: str) -> None:
    """``virtctl stop``, until the VMI is gone."""
    scribe.update(APISERVER, VMI, name, sets("spec", "terminationGracePeriodSeconds", value=0))
    scribe.update(APISERVER, VM, name, sets("spec", "runStrategy", value="Halted"))
    scribe.delete(CONTROLLER, VMI, name)
    _status(scribe, name, printableStatus="Stopping")
    scribe.update(CONTROLLER, VMI, name, says(phase="Succeeded", activePods=None))
    scribe.update(CONTROLLER, VMI, name, holds())
    _status(scribe, name, created=None, ready=None, printableStatus="Stopped")


def delete_vm(scribe: Scribe, name: str) -> None:
    """``kubectl delete vm`` of a halted VM."""
    scribe.delete(ALICE, VM, name)
    _status(scribe, name, printableStatus="Terminating")
    scribe.update(CONTROLLER, VM, name, holds())


def make_data_volumes(scribe: Scribe, name: str) -> None:
    """Have KubeVirt make the DataVolumes of a VM's templates, and CDI their PVCs."""
    vm = scribe.get(VM, name)
    for template in vm["spec"]["dataVolumeTemplates"]:
        made = data_volume(template["metadata"]["name"], **template["spec"])
        scribe.create(CONTROLLER, owned(made, vm))
        claim = _thing("PersistentVolumeClaim", "v1", template["metadata"]["name"], **template["spec"]["pvc"])
        scribe.create(CDI, owned(claim, scribe.get("DataVolume", template["metadata"]["name"])))
        for phase in ("ImportScheduled", "ImportInProgress", "Succeeded"):
            scribe.update(CDI, "DataVolume", template["metadata"]["name"], says(phase=phase), subresource="status")
    _status(scribe, name, printableStatus="Provisioning")


def snapshot(scribe: Scribe, user: User, name: str, vm: str) -> None:
    """Take a snapshot of a VM."""
    source = {"apiGroup": "kubevirt.io", "kind": VM, "name": vm}
    kind, api = "VirtualMachineSnapshot", "snapshot.kubevirt.io/v1beta1"
    scribe.create(user, _thing(kind, api, name, source=source))
    scribe.update(CONTROLLER, kind, name, holds("snapshot.kubevirt.io/vmsnapshot-protection"))
    _status(scribe, vm, snapshotInProgress=name)
    content = {"source": {"virtualMachine": scribe.get(VM, vm)}, "virtualMachineSnapshotName": name}
    scribe.create(CONTROLLER, _thing("VirtualMachineSnapshotContent", api, f"content-{name}", **content))
    ready = says(readyToUse=True, virtualMachineSnapshotContentName=f"content-{name}")
    scribe.update(CONTROLLER, kind, name, ready, subresource="status")
    _status(scribe, vm, snapshotInProgress=None)


def restore(scribe: Scribe, user: User, snapshot_name: str, source: str, target: str, clone: str = "") -> None:
    """Restore a snapshot of a VM under a new name, for somebody or for a clone."""
    kind, name = "VirtualMachineRestore", f"restore-{snapshot_name}"
    spec = {"target": _vm(target), "virtualMachineSnapshotName": snapshot_name}
    made = _thing(kind, "snapshot.kubevirt.io/v1beta1", name, **spec)
    scribe.create(user, owned(made, scribe.get("VirtualMachineClone", clone)) if clone else made)
    scribe.update(CONTROLLER, kind, name, holds("snapshot.kubevirt.io/vmrestore-protection"))
    uid = scribe.get(kind, name)["metadata"]["uid"]
    vm = _thing(VM, "kubevirt.io/v1", target, **scribe.get(VM, source)["spec"])
    vm["metadata"]["annotations"] = {"restore.kubevirt.io/lastRestoreUID": f"{name}-{uid}"}
    scribe.create(CONTROLLER, vm)
    wait_for_vm(scribe, target)
    scribe.update(CONTROLLER, kind, name, says(complete=True), subresource="status")


def clone(scribe: Scribe, user: User, name: str, source: str, target: str) -> None:
    """Clone a VM, which KubeVirt does by a snapshot and a restore."""
    spec = {"source": _vm(source), "target": _vm(target)}
    scribe.create(user, _thing("VirtualMachineClone", "clone.kubevirt.io/v1beta1", name, **spec))
    snapshot(scribe, CONTROLLER, f"tmp-{name}", source)
    restore(scribe, CONTROLLER, f"tmp-{name}", source, target, clone=name)
    scribe.update(CONTROLLER, "VirtualMachineClone", name, says(phase="Succeeded"), subresource="status")


def plugs(volume: Object, *path: str) -> Change:
    """Return a change that adds a volume and its disk to the spec at a path."""

    def change(obj: Object) -> None:
        spec = _below(obj, path)
        spec["volumes"] = [*spec["volumes"], volume]
        devices = spec["domain"].setdefault("devices", {})
        devices["disks"] = [*devices.get("disks", []), {"name": volume["name"], "disk": {"bus": "scsi"}}]

    return change


def unplugs(name: str, *path: str) -> Change:
    """Return a change that takes a volume and its disk out of the spec at a path."""

    def change(obj: Object) -> None:
        spec = _below(obj, path)
        spec["volumes"] = [volume for volume in spec["volumes"] if volume["name"] != name]
        devices = spec["domain"]["devices"]
        devices["disks"] = [found for found in devices["disks"] if found["name"] != name]

    return change


def _below(obj: Object, path: tuple[str, ...]) -> Object:
    for key in path:
        obj = obj[key]
    return obj


def _status(scribe: Scribe, name: str, **status: object) -> None:
    scribe.update(CONTROLLER, VM, name, says(**status), subresource="status")


def _condition(kind: str, status: str, reason: str) -> Object:
    return {"type": kind, "status": status, "reason": reason}


def _vm(name: str) -> Object:
    return {"apiGroup": "kubevirt.io", "kind": VM, "name": name}


def _thing(kind: str, api: str, name: str, **spec: object) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}

"""What users and KubeVirt do to a VM day by day, write by write, each by the account that makes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.build import NAMESPACE, Object, disk, of_kind
from tests.build_paths import ALICE, APISERVER, CONTROLLER
from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.violators import ALIVE, HANDLER, TEMPLATED, VIRTUAL, VM, Kind, in_template, vm_for, vmi_for

Writes = Iterable[Answer]
Act = Callable[[Api, VM], Writes]
_MORE = {"domain": {"memory": {"guest": "2Gi"}, "resources": {"requests": {"memory": "2Gi"}}}}


@dataclass(frozen=True)
class Verb:
    """What is done, to VMs of which kinds, what must have been done ``before``, and whether any of it is evaluated."""

    name: str
    kinds: tuple[Kind, ...]
    act: Act
    before: Act | None = None
    evaluated: bool | None = False
    """None where the API server may ask about an outdated state from its cache, and then tries again."""

    def __str__(self) -> str:
        return self.name


def _each_part(patch: Callable[[Object], Object], user: str) -> Act:
    return lambda api, vm: (api.patch(part, patch(part), user) for part in vm.parts)


def _vmi(patch: Callable[[VM], Object], user: str) -> Act:
    return lambda api, vm: [api.patch(_running(vm), patch(vm), user)]


def _write_status(api: Api, vm: VM) -> Writes:
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    for part in vm.parts:
        yield api.patch(part, status, CONTROLLER, "" if part["kind"] == "VirtualMachineInstance" else "status")


def _change_template(patch: Callable[[VM], Object]) -> Act:
    """A user changes it; KubeVirt updates the VirtualMachine of a Pool to its new template."""

    def act(api: Api, vm: VM) -> Writes:
        yield api.patch(vm.owner, in_template(vm.kind, patch(vm)), ALICE)
        if vm.kind is Kind.POOL and vm.virtual_machine:
            yield api.patch(vm.virtual_machine, in_template(Kind.HALTED, patch(vm)), CONTROLLER)

    return act


def _without_data(vm: VM) -> Object:
    return {"volumes": [volume for volume in vm.fault.volumes() if volume["name"] != "data"]}


def _begin_volume_migration(api: Api, vm: VM) -> Writes:
    there = {"volumes": vm.fault.volumes(data="target")}
    source, destination = {"claimName": vm.fault.data}, {"claimName": "target"}
    moves = [{"volumeName": "data", "sourcePVCInfo": source, "destinationPVCInfo": destination}]
    virtual_machine, instance = vm.virtual_machine or vm.owner, vm.instance
    forward = in_template(Kind.RUNNING, there)
    forward["spec"]["updateVolumesStrategy"] = "Migration"
    yield api.patch(virtual_machine, forward, ALICE)
    state = {"volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": moves}}}
    yield api.patch(virtual_machine, {"status": state}, CONTROLLER, "status")
    if instance:
        yield api.patch(instance, {"status": {"migratedVolumes": moves}}, CONTROLLER)
        yield api.patch(instance, {"spec": there}, CONTROLLER)


def _cancel_volume_migration(api: Api, vm: VM) -> Writes:
    back = {"volumes": vm.fault.volumes()}
    virtual_machine, instance = vm.virtual_machine or vm.owner, vm.instance
    yield api.patch(virtual_machine, in_template(Kind.RUNNING, back), ALICE)
    if instance:
        yield api.patch(instance, {"spec": back}, CONTROLLER)
        yield api.patch(instance, {"status": {"migratedVolumes": None}}, CONTROLLER)
    yield api.patch(virtual_machine, {"status": {"volumeUpdateState": None}}, CONTROLLER, "status")


def _migrate(api: Api, vm: VM) -> Writes:
    instance = _running(vm)
    name = instance["metadata"]["name"]
    kind = ("kubevirt.io/v1", "VirtualMachineInstanceMigration")
    move = api.create(of_kind(*kind, f"{name}-move", NAMESPACE, spec={"vmiName": name}), APISERVER)
    yield move
    yield api.patch(move.body, {"metadata": {"annotations": {"kubevirt.io/latest-observed": "v1"}}}, CONTROLLER)
    yield api.patch(move.body, {"status": {"phase": "Scheduling"}}, CONTROLLER, "status")
    yield api.patch(instance, {"metadata": {"annotations": {"kubevirt.io/migrationTransportUnix": "true"}}}, CONTROLLER)
    yield api.patch(instance, {"status": {"migrationState": {"sourceNode": "n1", "targetNode": "n2"}}}, HANDLER)
    yield api.delete(move.body, ALICE)


def _one_finalizer_less(part: Object) -> Object:
    return {"metadata": {"finalizers": part["metadata"]["finalizers"][:1]}}


def _switch(api: Api, vm: VM, *, on: bool) -> Answer:
    if vm.virtual_machine:
        return api.patch(vm.virtual_machine, {"spec": {"runStrategy": "Always" if on else "Halted"}}, APISERVER)
    return api.patch(vm.owner, {"spec": {"replicas": int(on)}}, ALICE)


def _stop(api: Api, vm: VM) -> Writes:
    yield _switch(api, vm, on=False)
    yield from _end(api, vm)


def _start(api: Api, vm: VM) -> Writes:
    """What already runs is restarted."""
    yield from _end(api, vm)
    wanted = _switch(api, vm, on=True)
    yield wanted
    yield from _run(api, vm, wanted.body)


def _replace_instance(api: Api, vm: VM) -> Writes:
    yield from _end(api, vm)
    yield from _run(api, vm, api.get(vm.owner))


def _replace_vm(api: Api, vm: VM) -> Writes:
    """The Pool makes another, under another name, beside the lost one."""
    lost = vm.virtual_machine
    made = api.create(vm_for(api.get(vm.owner), number=1), CONTROLLER)
    yield made
    if lost:
        yield from _end(api, vm)
        yield from _delete_object(api, lost, ALICE)
    vm.virtual_machine = made.body
    yield from _run(api, vm, made.body)


def _delete(api: Api, vm: VM) -> Writes:
    """A user deletes it, somebody still writes to it, KubeVirt deletes what it made for it and lets go of it all."""
    first, *others = vm.parts
    yield api.delete(first, ALICE)
    late = {"volumes": vm.fault.volumes(disk("once-new", "new"))}
    yield api.patch(first, in_template(vm.kind, late), ALICE)
    for other in others:
        yield from _delete_object(api, other, CONTROLLER)
    yield _let_go(api, first)
    assert not any(api.exists(part) for part in vm.parts), f"{vm} is still there"
    vm.virtual_machine = vm.instance = None


def _run(api: Api, vm: VM, owner: Object) -> Writes:
    made = api.create(vmi_for(owner), CONTROLLER)
    yield made
    vm.instance = made.body
    if vm.virtual_machine:
        yield api.patch(vm.virtual_machine, {"status": {"created": True}}, CONTROLLER, "status")


def _end(api: Api, vm: VM) -> Writes:
    if vm.instance is None:
        return
    yield api.patch(vm.instance, {"spec": {"terminationGracePeriodSeconds": 0}}, APISERVER)
    yield from _delete_object(api, vm.instance, CONTROLLER)
    vm.instance = None
    if vm.virtual_machine:
        yield api.patch(vm.virtual_machine, {"status": {"created": False}}, CONTROLLER, "status")


def _delete_object(api: Api, obj: Object, user: str) -> Writes:
    yield api.delete(obj, user)
    yield _let_go(api, obj)


def _let_go(api: Api, obj: Object) -> Answer:
    return api.patch(obj, {"metadata": {"finalizers": None}}, CONTROLLER)


def _running(vm: VM) -> Object:
    assert vm.instance is not None, f"{vm} does not run"
    return vm.instance


_LABEL = {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "x"}}}
_BEAT = {"metadata": {"annotations": {"beat": "1"}}, "status": {"phase": "Running", "nodeName": "n1"}}
VERBS = (
    Verb("a label", tuple(Kind), _each_part(lambda _: _LABEL, ALICE)),
    Verb("a status write", tuple(Kind), _write_status),
    Verb("a heartbeat", ALIVE, _vmi(lambda _: _BEAT, HANDLER)),
    Verb("a migration", ALIVE, _migrate),
    Verb("more memory for a VMI", ALIVE, _vmi(lambda _: {"spec": _MORE}, CONTROLLER)),
    Verb("a cancelled volume migration", VIRTUAL, _cancel_volume_migration, _begin_volume_migration, evaluated=True),
    Verb("more memory in a template", TEMPLATED, _change_template(lambda _: _MORE)),
    Verb(
        "a bad disk given another PVC in a template",
        TEMPLATED,
        _change_template(lambda vm: {"volumes": vm.fault.volumes(data="fixed")}),
        evaluated=True,
    ),
    Verb("a bad disk taken out of a template", TEMPLATED, _change_template(_without_data)),
    Verb("a bad disk unplugged from a VMI", (Kind.BARE,), _vmi(lambda vm: {"spec": _without_data(vm)}, APISERVER)),
    Verb("a replaced replica of a ReplicaSet", (Kind.REPLICA_SET,), _replace_instance),
    Verb("a replaced replica of a Pool", (Kind.POOL,), _replace_vm),
    Verb("a stop", TEMPLATED, _stop),
    Verb("a start", TEMPLATED, _start),
    Verb("a removed finalizer", tuple(Kind), _each_part(_one_finalizer_less, CONTROLLER)),
    Verb("a deletion", tuple(Kind), _delete, evaluated=None),
)
"""In an order in which all can be done to the same VM; the deletion is the last."""

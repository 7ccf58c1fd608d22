"""Ways of making an old violator worse, each a single write."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.build import Object, disk, host_disk, volume_request
from tests.build_paths import ALICE, APISERVER
from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.violators import (
    ALIVE,
    FAULTS,
    LENIENT,
    TEMPLATED,
    VIRTUAL,
    VM,
    Fault,
    Kind,
    host_device,
    in_template,
)

_EXCEPT_BRIDGED = tuple(fault for fault in FAULTS if fault.binding != "bridge")


@dataclass(frozen=True)
class Variant:
    """What a write does to VMs of some kinds, with some faults, and the one reason why it is denied.

    The reason is the rule, and what of the VM it is about.
    """

    name: str
    kinds: tuple[Kind, ...]
    act: Callable[[Api, VM], Answer]
    rule: str
    about: str
    faults: tuple[Fault, ...] = field(default=FAULTS)

    def __str__(self) -> str:
        return self.name


def _template(patch: Callable[[Fault], Object], **spec: str) -> Callable[[Api, VM], Answer]:
    def act(api: Api, vm: VM) -> Answer:
        whole = in_template(vm.kind, patch(vm.fault))
        whole["spec"].update(spec)
        return api.patch(vm.owner, whole, ALICE)

    return act


def _ask_for_disk(api: Api, vm: VM) -> Answer:
    wanted = volume_request(disk("once-new", "new"))
    request = {"addVolumeOptions": {**wanted["addVolumeOptions"], "disk": {"name": "new"}}}
    target = vm.virtual_machine or vm.owner
    return api.patch(target, {"status": {"volumeRequests": [request]}}, APISERVER, "status")


def _plug(api: Api, vm: VM) -> Answer:
    volumes = vm.fault.volumes(disk("once-new", "new"))
    return api.patch(vm.instance or vm.owner, {"spec": {"volumes": volumes}}, APISERVER)


def _device(fault: Fault) -> Object:
    return {"domain": {"devices": {"hostDevices": [*fault.devices, host_device("second")]}}}


def _bridge(_: Fault) -> Object:
    return {"domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}}


def _strategy(_: Fault) -> Object:
    return {"evictionStrategy": "None"}


VARIANTS = (
    Variant(
        "a bad PVC beside the old ones",
        TEMPLATED,
        _template(lambda fault: {"volumes": fault.volumes(disk("once-new", "new"))}),
        "shared-access",
        'volume "new"',
    ),
    Variant(
        "a bad file system beside the old ones",
        TEMPLATED,
        _template(lambda fault: {"volumes": fault.volumes(disk("san-fs-new", "new"))}),
        "san-block",
        'volume "new"',
    ),
    Variant(
        "a hostDisk beside the old ones",
        TEMPLATED,
        _template(lambda fault: {"volumes": fault.volumes(host_disk("new"))}),
        "host-disk",
        'volume "new"',
    ),
    Variant(
        "a good disk exchanged for a bad one",
        TEMPLATED,
        _template(lambda fault: {"volumes": fault.volumes(logs="once-new")}),
        "shared-access",
        'volume "logs"',
    ),
    Variant("another host device", TEMPLATED, _template(_device), "host-devices", 'host device "second"'),
    Variant(
        "a bridge on the pod network",
        TEMPLATED,
        _template(_bridge),
        "pod-network",
        'interface "default"',
        _EXCEPT_BRIDGED,
    ),
    Variant("a bad PVC by virtctl addvolume", VIRTUAL, _ask_for_disk, "shared-access", 'volume "new"'),
    Variant("a bad PVC plugged into a VMI", ALIVE, _plug, "shared-access", 'volume "new"'),
    Variant(
        "a volume migration to a PVC for one node",
        (Kind.HALTED, Kind.RUNNING),
        _template(lambda fault: {"volumes": fault.volumes(logs="once-new")}, updateVolumesStrategy="Migration"),
        "shared-access",
        'volume "logs"',
    ),
    Variant(
        "a lowered evictionStrategy",
        (Kind.RUNNING, Kind.BARE, Kind.POOL, Kind.REPLICA_SET),
        _template(_strategy),
        "eviction-strategy",
        'evictionStrategy is "None"',
        (LENIENT,),
    ),
)
VARIANTS_BY_KIND = [(kind, variant) for variant in VARIANTS for kind in variant.kinds]
"""For tests: each way, with each kind of VM that it is open to."""

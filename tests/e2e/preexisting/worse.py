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


def _beside(volume: Object) -> Callable[[Api, VM], Answer]:
    return _template(lambda fault: {"volumes": fault.volumes(volume)})


def _instead(**spec: str) -> Callable[[Api, VM], Answer]:
    return _template(lambda fault: {"volumes": fault.volumes(logs="once-new")}, **spec)


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


_NEW, _LOGS = 'volume "new"', 'volume "logs"'
_BRIDGE = {"domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}}
_ON_POD_NETWORK = ("pod-network", 'interface "default"', _EXCEPT_BRIDGED)
_LOWERED = ("eviction-strategy", 'evictionStrategy is "None"', (LENIENT,))
VARIANTS = (
    Variant("a bad PVC beside the old ones", TEMPLATED, _beside(disk("once-new", "new")), "shared-access", _NEW),
    Variant("a bad file system beside the old ones", TEMPLATED, _beside(disk("san-fs-new", "new")), "san-block", _NEW),
    Variant("a hostDisk beside the old ones", TEMPLATED, _beside(host_disk("new")), "host-disk", _NEW),
    Variant("a good disk exchanged for a bad one", TEMPLATED, _instead(), "shared-access", _LOGS),
    Variant("another host device", TEMPLATED, _template(_device), "host-devices", 'host device "second"'),
    Variant("a bridge on the pod network", TEMPLATED, _template(lambda _: _BRIDGE), *_ON_POD_NETWORK),
    Variant("a bad PVC by virtctl addvolume", VIRTUAL, _ask_for_disk, "shared-access", _NEW),
    Variant("a bad PVC plugged into a VMI", ALIVE, _plug, "shared-access", _NEW),
    Variant(
        "a volume migration to a PVC for one node",
        (Kind.HALTED, Kind.RUNNING),
        _instead(updateVolumesStrategy="Migration"),
        "shared-access",
        _LOGS,
    ),
    Variant("a lowered evictionStrategy", ALIVE, _template(lambda _: {"evictionStrategy": "None"}), *_LOWERED),
)
VARIANTS_BY_KIND = [(kind, variant) for variant in VARIANTS for kind in variant.kinds]
"""For tests: each way, with each kind of VM that it is open to."""

"""Which changes the API server sends: what is sent is denied while we do not answer, and what is not sent passes."""

import copy
import itertools
from typing import Any

import pytest

from tests.build import Object, disk, volume_request
from tests.e2e.match_conditions.dry_runs import DryRuns, which
from tests.e2e.objects import declared
from tests.e2e.preexisting.api import collection, path_of
from webhook.admission.scope import COMPARED, KIND_OF_RESOURCE
from webhook.objects import at

NAMES = map("sent-{}".format, itertools.count())
KINDS = tuple(KIND_OF_RESOURCE.values())
ROOT, DATA = disk("good", "root"), disk("once", "data")
DISKS: list[Object] = [{"name": name, "disk": {"bus": "virtio"}} for name in ("root", "data")]
DEVICES: Object = {"disks": DISKS, "filesystems": [{"name": "share", "virtiofs": {}}], "interfaces": []}
WHOLE: Object = {
    "domain": {"cpu": {"cores": 1}, "memory": {"guest": "1Gi"}, "devices": DEVICES},
    "volumes": [ROOT, DATA],
}


def domain(**patch: Any) -> Object:
    """Return a VMI's spec with another domain."""
    return {"domain": {**WHOLE["domain"], **patch}}


def devices(**patch: Any) -> Object:
    """Return a VMI's spec with other devices."""
    return domain(devices={**DEVICES, **patch})


NOT_SENT: list[tuple[str, Object]] = [
    ("more memory", domain(memory={"guest": "2Gi"}, resources={"requests": {"memory": "2Gi"}})),
    ("more CPUs", domain(cpu={"cores": 2, "sockets": 2, "threads": 2})),
    ("a volume less", {"volumes": [ROOT]}),
    ("volumes in another order", {"volumes": [DATA, ROOT]}),
    ("a volume and its disk less", {"volumes": [ROOT], **devices(disks=DISKS[:1])}),
    ("no disks at all", devices(disks=[])),
    ("a file system less", devices(filesystems=[])),
    ("what nobody reads", {"hostname": "x", "terminationGracePeriodSeconds": 7}),
]
SENT: list[tuple[str, Object]] = [
    ("a volume more", {"volumes": [ROOT, DATA, disk("good", "more")]}),
    ("a volume for another", {"volumes": [ROOT, disk("good", "more")]}),
    ("another PVC", {"volumes": [ROOT, disk("good", "data")]}),
    ("the same volume twice", {"volumes": [ROOT, DATA, DATA]}),
    ("another disk", devices(disks=[DISKS[0], {"name": "data", "lun": {"reservation": True}}])),
    ("a disk more", devices(disks=[*DISKS, {"name": "more", "disk": {}}])),
    ("a host device", devices(hostDevices=[{"name": "a", "deviceName": "vendor.example/card"}])),
    ("an interface", devices(interfaces=[{"name": "default", "bridge": {}}])),
    ("no interface", devices(autoattachPodInterface=False)),
    ("a network", {"networks": [{"name": "default", "pod": {}}]}),
    ("another strategy", {"evictionStrategy": "None"}),
    ("memory and another PVC", {"volumes": [ROOT, disk("good", "data")], **domain(memory={"guest": "2Gi"})}),
]
SENT_OF_TEMPLATES: list[tuple[str, Object]] = [
    ("a CPU feature", domain(cpu={"features": [{"name": "invtsc", "policy": "require"}]})),
    ("a Hyper-V feature", domain(features={"hyperv": {"reenlightenment": {}}})),
    ("launch security", domain(launchSecurity={"sev": {}})),
    ("nodes", {"nodeSelector": {"kubernetes.io/hostname": "n1"}}),
    ("an affinity", {"affinity": {"nodeAffinity": {}}}),
    ("an architecture", {"architecture": "arm64"}),
]
ROWS = [
    *((kind, name, patch, False) for kind in KINDS for name, patch in NOT_SENT),
    *((kind, name, patch, True) for kind in KINDS for name, patch in SENT),
    *((kind, name, patch, not kind.endswith("Instance")) for kind in KINDS for name, patch in SENT_OF_TEMPLATES),
]


def have(runs: DryRuns, obj: Object) -> Object:
    """Store an object, and return it as it is stored."""
    made = runs.client.request("POST", collection(obj), obj)
    assert made.ok, made.body
    return made.object()


def is_sent(runs: DryRuns, new: Object, *, status: bool = False) -> bool:
    """Say whether a change reaches us; both sides are asked about the same updates of templates."""
    stored, asked = runs.change(new, next(NAMES), status)
    assert stored is not None, "a change is invalid"
    assert status or new["kind"].endswith("Instance") or len(asked) != 1
    return "/validate" in asked


def patched(obj: Object, patch: Object) -> Object:
    """Return an object with other fields in its VMI's spec."""
    found = copy.deepcopy(obj)
    at(found, *COMPARED[which(obj["kind"])].template).update(patch)
    return found


@pytest.fixture(scope="module")
def stored(dry_runs: DryRuns) -> dict[str, Object]:
    """An object of each kind."""
    return {kind: have(dry_runs, declared(kind, WHOLE, f"whole-{kind.lower()}")) for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "patch", "expected"), [(k, p, e) for k, _, p, e in ROWS], ids=[f"{r[1]} of {r[0]}" for r in ROWS]
)
def test_a_change_is_sent_only_where_it_can_add_something(
    dry_runs: DryRuns, stored: dict[str, Object], kind: str, patch: Object, expected: bool
) -> None:
    assert is_sent(dry_runs, patched(stored[kind], patch)) is expected


@pytest.mark.parametrize("keeper", ["instancetype", "preference"])
def test_a_volume_stays_from_which_something_is_inferred(dry_runs: DryRuns, keeper: str) -> None:
    vm = declared("VirtualMachine", WHOLE, f"infers-{keeper}")
    vm["spec"][keeper] = {"inferFromVolume": "root", "inferFromVolumeFailurePolicy": "Ignore"}
    made = have(dry_runs, vm)
    assert is_sent(dry_runs, patched(made, {"volumes": [ROOT]}))
    assert not is_sent(dry_runs, patched(made, {"hostname": "x"}))


ADDITION = {"addVolumeOptions": {**volume_request(disk("good"))["addVolumeOptions"], "disk": {"name": "good"}}}
REMOVAL = {"removeVolumeOptions": {"name": "data"}}
REQUESTS: list[tuple[str, list[Object], list[Object], bool]] = [
    ("an addition", [], [ADDITION], True),
    ("an addition beside another", [ADDITION], [ADDITION, {**ADDITION, **REMOVAL}], True),
    ("an addition that is done", [ADDITION], [], False),
    ("a removal", [ADDITION], [ADDITION, REMOVAL], False),
    ("more removals than are compared", [], [{"removeVolumeOptions": {"name": f"v{n}"}} for n in range(1500)], True),
]


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_of_the_status_only_an_added_volume_is_sent(
    dry_runs: DryRuns, old: list[Object], new: list[Object], expected: bool
) -> None:
    vm = have(dry_runs, declared("VirtualMachine", WHOLE, next(NAMES)))
    vm["status"] = {"volumeRequests": old}
    vm = dry_runs.client.request("PUT", path_of(vm, "status"), vm).object()
    fewer = is_sent(dry_runs, patched(vm, {"volumes": [ROOT]}))
    assert fewer is (ADDITION in old), "no volume goes while another is requested"
    assert is_sent(dry_runs, {**vm, "status": {"volumeRequests": new}}, status=True) is expected


MOST = range(256)
LONG = "x" * 900
DEEP: Object = {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"] * 64}]} for _ in MOST]
}


def many(numbers: range) -> Object:
    """Return a VMI's spec with as many of everything, with long names, and much that is compared whole."""
    names = [f"v{number}" for number in numbers]
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": DEEP}},
        "nodeSelector": {f"key-{number}": "value" for number in MOST},
        "volumes": [{"name": name, "configMap": {"name": name, "volumeLabel": LONG}} for name in names],
        "domain": {
            "devices": {
                "disks": [{"name": name, "serial": LONG, "disk": {"bus": "virtio"}} for name in names],
                "filesystems": [{"name": name, "virtiofs": {}} for name in names],
            }
        },
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_object_is_compared_within_the_api_servers_budget(dry_runs: DryRuns, kind: str) -> None:
    labels = {f"example.com/label-{number}": LONG[:60] for number in MOST}
    made = declared(kind, many(MOST), f"many-{kind.lower()}")
    made["metadata"]["labels"] = labels
    made = have(dry_runs, made)
    backwards, other = many(MOST[::-1]), many(MOST[::-1])
    assert not is_sent(dry_runs, patched(made, backwards))
    other["volumes"][-1] = disk("good", "other")
    assert is_sent(dry_runs, patched(made, other))


def test_what_is_longer_is_sent(dry_runs: DryRuns) -> None:
    vm = declared("VirtualMachine", WHOLE, "too-many")
    vm["metadata"]["labels"] = {f"l{number}": "" for number in range(10_000)}
    vm = have(dry_runs, vm)
    started = {**vm, "spec": {**vm["spec"], "runStrategy": "Always"}}
    assert dry_runs.change(started, next(NAMES))[1] == {"/validate"}


ODD: list[Object] = [
    {"volumes": None},
    {"volumes": "x"},
    {"volumes": [None, 1, "x", [], {}, {"name": None}]},
    {"domain": {"devices": None, "cpu": None, "features": 1}},
    {"domain": "x", "affinity": [], "networks": {}},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", ODD, ids=str)
def test_no_condition_fails_on_what_is_odd(dry_runs: DryRuns, kind: str, spec: Object) -> None:
    """A failed condition would deny every later write. KubeVirt's definitions deny most of it."""
    odd = declared(kind, {**WHOLE, **spec}, next(NAMES))
    made = dry_runs.client.request("POST", collection(odd), odd)
    assert made.ok or made.status == 422, made.body
    if made.ok:
        assert is_sent(dry_runs, patched(made.object(), {"volumes": [DATA, disk("good", "new")]}))
        assert not is_sent(dry_runs, patched(made.object(), {"hostname": "x"}))

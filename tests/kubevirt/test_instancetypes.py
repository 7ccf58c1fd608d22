"""The instancetype and the preference of a VM, as KubeVirt finds them."""

import copy
from typing import Any

import pytest

from tests.build import CLUSTER, NAMESPACE, Object, data_volume_template, disk, vm, vmi
from tests.build_facts import instancetype, preference, revision
from webhook import Verdict, evaluate
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.model import VM
from webhook.kubevirt.reader import read_vm

KINDS = {
    None: "everywhere",
    "": "everywhere",
    "VirtualMachineInstancetype": "here",
    "virtualmachineinstancetypes": "here",
    "VirtualMachineClusterInstancetype": "everywhere",
    "virtualmachineclusterinstancetypes": "everywhere",
    "VirtualMachinePreference": None,
    "Pod": None,
}
"""Where an instancetype of a kind is found."""


def read(vm_object: Object, *objects: Object) -> VM:
    return read_vm(vm_object, Snapshot(objects), KubeVirtFacts())


def verdict(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects])


def matched(vm_object: Object, *objects: Object) -> list[str]:
    """Return the names of the host devices, which differ between instancetypes."""
    return [device.name for device in read(vm_object, *objects).hardware.host_devices]


def naming(status: Object | None = None, **matcher: Any) -> Object:
    return vm(spec={"instancetype": matcher}, status=status)


HERE = instancetype("i", NAMESPACE, hostDevices=[{"name": "here"}])
ELSEWHERE = instancetype("i", "elsewhere", hostDevices=[{"name": "elsewhere"}])
EVERYWHERE = instancetype("i", hostDevices=[{"name": "everywhere"}])


@pytest.mark.parametrize(("kind", "expected"), KINDS.items(), ids=repr)
def test_an_instancetype_is_found_by_kind_and_name(kind: str | None, expected: str | None) -> None:
    matcher: Object = {"name": "i"} if kind is None else {"name": "i", "kind": kind}
    vm_object = naming(**matcher)
    assert matched(vm_object, HERE, ELSEWHERE, EVERYWHERE) == ([expected] if expected else [])
    found = read(vm_object, HERE, ELSEWHERE, EVERYWHERE)
    assert bool(found.not_evaluated) is (expected is None)
    assert found.matchers == {"instancetype/i"}
    assert found.missing_matchers == (frozenset() if expected else {"instancetype/i"})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(None, "arm64"), ("VirtualMachineClusterPreference", "arm64"), ("VirtualMachinePreference", "s390x")],
)
def test_a_preference_is_found_by_kind_and_name(kind: str | None, expected: str) -> None:
    here = preference("p", NAMESPACE, preferredArchitecture="s390x")
    objects = (preference("p", preferredArchitecture="arm64"), here)
    vm_object = vm(spec={"preference": {"name": "p", **({"kind": kind} if kind else {})}})
    assert read(vm_object, *objects).hardware.architecture == expected


def test_an_instancetype_of_another_namespace_is_not_there() -> None:
    assert matched(naming(name="i", kind="VirtualMachineInstancetype"), ELSEWHERE, EVERYWHERE) == []


KEPT = revision("kept", "i", hostDevices=[{"name": "kept"}])
KEPT_OF_ANOTHER = revision("kept", "other", hostDevices=[{"name": "kept"}])
RECORDED = {"instancetypeRef": {"controllerRevisionRef": {"name": "kept"}}}


@pytest.mark.parametrize("kept", [KEPT, KEPT_OF_ANOTHER], ids=["of its name", "of another name"])
def test_a_revision_that_is_named_counts_whatever_it_was_kept_of(kept: Object) -> None:
    assert matched(naming(name="i", revisionName="kept"), EVERYWHERE, kept) == ["kept"]
    assert matched(naming(revisionName="kept"), EVERYWHERE, kept) == ["kept"]


def test_a_named_revision_that_is_missing_is_not_replaced_by_what_is_there_now() -> None:
    vm_object = naming(name="i", revisionName="gone")
    assert matched(vm_object, EVERYWHERE) == []
    (phrase,) = read(vm_object, EVERYWHERE).not_evaluated
    assert '"gone"' in phrase


ELSEWHERE_KEPT = {**KEPT, "metadata": {**KEPT["metadata"], "namespace": "elsewhere"}}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [(KEPT, "kept"), (KEPT_OF_ANOTHER, "everywhere"), (ELSEWHERE_KEPT, "everywhere"), (None, "everywhere")],
    ids=["of its name", "of another name", "of another namespace", "missing"],
)
def test_the_revision_of_the_status_counts_where_it_is_of_the_named_one(kept: Object | None, expected: str) -> None:
    assert matched(naming(RECORDED, name="i"), EVERYWHERE, *([kept] if kept else [])) == [expected]


def test_the_revision_of_a_preference_has_its_own_place_in_the_status() -> None:
    status = {"preferenceRef": {"controllerRevisionRef": {"name": "kept"}}}
    vm_object = vm(spec={"preference": {"name": "p"}}, status=status)
    objects = (preference("p"), revision("kept", "p", preferredArchitecture="arm64"))
    assert read(vm_object, *objects).hardware.architecture == "arm64"


NOT_EVALUATED = {
    "instancetype": ("GPUs", "host devices", "launch security"),
    "preference": ("network binding", "Hyper-V features", "storage class"),
}
MISSING: dict[str, Object] = {
    "by name": {"name": "gone"},
    "by name and kind": {"name": "gone", "kind": "Pod"},
    "revision": {"name": "i", "revisionName": "gone"},
    "by a volume": {"inferFromVolume": "gone"},
}


@pytest.mark.parametrize("field", NOT_EVALUATED)
@pytest.mark.parametrize("matcher", MISSING.values(), ids=MISSING)
def test_what_is_missing_is_warned_about_with_what_could_not_be_evaluated(field: str, matcher: Object) -> None:
    found = verdict(vm(disk("good"), spec={field: matcher}))
    assert (found.allowed, found.violations) == (True, [])
    assert [operation["value"] for operation in found.eviction_patch] == ["LiveMigrate"]
    line = found.warnings[0]
    assert line.startswith(f"{field} ")
    for part in ('"gone"', "does not exist", *NOT_EVALUATED[field], "cannot be evaluated"):
        assert part in line


def test_both_that_are_missing_are_warned_about_of_a_denied_vm_too() -> None:
    found = verdict(vm(disk("once"), spec={"instancetype": {"name": "gone"}, "preference": {"name": "gone"}}))
    assert not found.allowed
    assert ['"gone"' in line for line in found.warnings] == [True, True]


def test_a_long_name_that_is_missing_makes_no_long_warning() -> None:
    found = verdict(vm(spec={"instancetype": {"name": "x" * 5000}}))
    assert all(len(line) <= 256 for line in found.warnings)


@pytest.mark.parametrize(
    ("matcher", "reported"),
    [
        (None, 0),
        ("i", 0),
        ([], 0),
        ({}, 2),
        ({"name": ""}, 2),
        ({"name": 5}, 2),
        ({"kind": "VirtualMachineInstancetype"}, 2),
    ],
    ids=repr,
)
def test_a_matcher_without_a_name_is_reported_and_one_of_a_wrong_type_ignored(matcher: object, reported: int) -> None:
    assert len(read(vm(spec={"instancetype": matcher, "preference": matcher})).not_evaluated) == reported


def test_a_vmi_has_no_matchers() -> None:
    assert read(vmi(instancetype={"name": "gone"})).not_evaluated == ()


PREFERRED = preference("p", volumes={"preferredStorageClassName": "san"})
TEMPLATES: list[tuple[Object, Object]] = [
    ({"storage": {}}, {"storage": {"storageClassName": "san"}}),
    ({"pvc": {"accessModes": ["x"]}}, {"pvc": {"accessModes": ["x"], "storageClassName": "san"}}),
    ({"storage": {"storageClassName": None}}, {"storage": {"storageClassName": "san"}}),
    ({"storage": {"storageClassName": "nas"}}, {"storage": {"storageClassName": "nas"}}),
    ({"storage": {"storageClassName": ""}}, {"storage": {"storageClassName": ""}}),
    ({"source": {"blank": {}}}, {"source": {"blank": {}}}),
    ({"storage": None}, {"storage": None}),
]


@pytest.mark.parametrize(("spec", "expected"), TEMPLATES, ids=repr)
def test_a_preferred_class_is_written_into_templates_that_name_none(spec: Object, expected: Object) -> None:
    template = data_volume_template("d", **copy.deepcopy(spec))
    vm_object = vm(spec={"preference": {"name": "p"}, "dataVolumeTemplates": [template]})
    assert read(vm_object, PREFERRED).data_volume_templates["d"].spec == expected
    assert template == data_volume_template("d", **spec)


def test_the_class_that_is_preferred_decides_the_verdict() -> None:
    template = data_volume_template("d", storage={"accessModes": ["ReadWriteMany"], "volumeMode": "Filesystem"})
    spec = {"preference": {"name": "p"}, "dataVolumeTemplates": [template]}
    vm_object = vm({"name": "d", "dataVolume": {"name": "d"}}, spec=spec)
    assert [found.rule for found in verdict(vm_object, PREFERRED).violations] == ["san-block"]
    assert verdict(vm_object, preference("p", volumes={"preferredStorageClassName": "nas"})).violations == []

"""The instancetype and the preference of a VM, as KubeVirt finds them."""

import copy
from typing import Any

import pytest

from tests.build import NAMESPACE, Object, data_volume_template, disk, vm, vmi
from tests.build_facts import instancetype, preference, revision
from tests.policy.samples import table, verdict
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.model import VM
from webhook.kubevirt.reader import read_vm

KINDS: dict[str | None, str | None] = {
    **dict.fromkeys(
        (None, "", "VirtualMachineClusterInstancetype", "virtualmachineclusterinstancetypes"), "everywhere"
    ),
    **dict.fromkeys(("VirtualMachineInstancetype", "virtualmachineinstancetypes"), "here"),
    **dict.fromkeys(("VirtualMachinePreference", "Pod")),
}


def read(vm_object: Object, *objects: Object) -> VM:
    return read_vm(vm_object, Snapshot(objects), KubeVirtFacts())


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
    vm_object = naming(name="i", kind=kind) if kind is not None else naming(name="i")
    assert matched(vm_object, HERE, ELSEWHERE, EVERYWHERE) == ([expected] if expected else [])
    assert matched(vm_object, ELSEWHERE, EVERYWHERE) == ([expected] if expected == "everywhere" else [])
    found = read(vm_object, HERE, ELSEWHERE, EVERYWHERE)
    assert (bool(found.not_evaluated), found.matchers) == (expected is None, frozenset({"instancetype/i"}))
    assert found.missing_matchers == (frozenset() if expected else {"instancetype/i"})


@pytest.mark.parametrize(("expected", "kind"), [("arm64", {}), ("s390x", {"kind": "VirtualMachinePreference"})])
def test_a_preference_is_found_by_kind_and_name(expected: str, kind: Object) -> None:
    objects = preference("p", preferredArchitecture="arm64"), preference("p", NAMESPACE, preferredArchitecture="s390x")
    assert read(vm(spec={"preference": {"name": "p", **kind}}), *objects).hardware.architecture == expected


KEPT = revision("kept", "i", hostDevices=[{"name": "kept"}])
KEPT_OF_ANOTHER = revision("kept", "other", hostDevices=[{"name": "kept"}])
RECORDED = {"instancetypeRef": {"controllerRevisionRef": {"name": "kept"}}}
ELSEWHERE_KEPT = {**KEPT, "metadata": {**KEPT["metadata"], "namespace": "elsewhere"}}
REVISIONS: list[tuple[str, Object, list[Object], list[str]]] = [
    ("named", naming(name="i", revisionName="kept"), [KEPT], ["kept"]),
    ("named, of another name", naming(name="i", revisionName="kept"), [KEPT_OF_ANOTHER], ["kept"]),
    ("named, without an instancetype", naming(revisionName="kept"), [KEPT], ["kept"]),
    ("named, and missing", naming(name="i", revisionName="gone"), [KEPT], []),
    ("of the status", naming(RECORDED, name="i"), [KEPT], ["kept"]),
    ("of the status, of another name", naming(RECORDED, name="i"), [KEPT_OF_ANOTHER], ["everywhere"]),
    ("of the status, of another namespace", naming(RECORDED, name="i"), [ELSEWHERE_KEPT], ["everywhere"]),
    ("of the status, and missing", naming(RECORDED, name="i"), [], ["everywhere"]),
]


@table(REVISIONS, "vm_object revisions expected")
def test_a_named_revision_counts_always_and_that_of_the_status_where_it_is_of_the_named_one(
    vm_object: Object, revisions: list[Object], expected: list[str]
) -> None:
    assert matched(vm_object, EVERYWHERE, *revisions) == expected


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


NAMELESS = [{}, {"name": ""}, {"name": 5}, {"kind": "VirtualMachineInstancetype"}]


@pytest.mark.parametrize("matcher", [None, "i", [], *NAMELESS], ids=repr)
def test_a_matcher_without_a_name_is_reported_and_one_of_a_wrong_type_ignored(matcher: object) -> None:
    found = read(vm(spec={"instancetype": matcher, "preference": matcher})).not_evaluated
    assert len(found) == (2 if matcher in NAMELESS else 0)


@pytest.mark.parametrize("matcher", [{"name": "i"}, {"name": "gone"}, {"inferFromVolume": "gone"}], ids=repr)
def test_a_vmi_has_no_matchers(matcher: Object) -> None:
    found = read(vmi(instancetype=matcher), EVERYWHERE)
    assert (found.not_evaluated, found.hardware.host_devices) == ((), ())


PREFERRED = preference("p", volumes={"preferredStorageClassName": "san"})
SAN = {"storageClassName": "san"}
TEMPLATES: list[tuple[Object, Object]] = [
    ({"storage": {}}, {"storage": SAN}),
    ({"pvc": {"accessModes": ["x"]}}, {"pvc": {"accessModes": ["x"], **SAN}}),
    ({"storage": {"storageClassName": None}}, {"storage": SAN}),
    *(({"storage": {"storageClassName": own}},) * 2 for own in ("nas", "")),
    ({"source": {"blank": {}}}, {"source": {"blank": {}}}),
    ({"storage": None}, {"storage": None}),
]


@pytest.mark.parametrize(("spec", "expected"), TEMPLATES, ids=repr)
def test_a_preferred_class_is_written_into_templates_that_name_none(spec: Object, expected: Object) -> None:
    template = data_volume_template("d", **copy.deepcopy(spec))
    vm_object = vm(spec={"preference": {"name": "p"}, "dataVolumeTemplates": [template]})
    assert read(vm_object, PREFERRED).data_volume_templates["d"].spec == expected
    assert template == data_volume_template("d", **spec)

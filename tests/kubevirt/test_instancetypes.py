"""The instancetype and the preference of a virtual VM, as KubeVirt finds them."""

from typing import Any

import pytest

from tests.build import CLUSTER, NAMESPACE, Object, data_volume_template, disk, vm, vmi
from tests.build_facts import instancetype, preference, revision
from webhook import Verdict, evaluate
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import VM, read_vm

KINDS = [
    # kind, found in the namespace, found cluster-wide
    (None, False, True),
    ("", False, True),
    ("VirtualMachineInstancetype", True, False),
    ("virtualmachineinstancetype", True, False),
    ("virtualmachineinstancetypes", True, False),
    ("VirtualMachineClusterInstancetype", False, True),
    ("virtualmachineclusterinstancetypes", False, True),
    ("VirtualMachinePreference", False, False),
    ("Pod", False, False),
]


def read(vm_object: Object, *objects: Object) -> VM:
    return read_vm(vm_object, Snapshot(objects), KubeVirtFacts())


def verdict(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects])


def card(name: str) -> list[Object]:
    return [{"name": name}]


def matched(vm_object: Object, *objects: Object) -> list[str]:
    """Return the names of the host devices, by which the tests tell instancetypes apart."""
    return [device.name for device in read(vm_object, *objects).hardware.host_devices]


def naming(status: Object | None = None, **matcher: Any) -> Object:
    return vm(spec={"instancetype": matcher}, status=status)


HERE = instancetype("i", NAMESPACE, hostDevices=card("here"))
ELSEWHERE = instancetype("i", "elsewhere", hostDevices=card("elsewhere"))
EVERYWHERE = instancetype("i", hostDevices=card("everywhere"))


@pytest.mark.parametrize(("kind", "here", "everywhere"), KINDS, ids=[repr(row[0]) for row in KINDS])
def test_an_instancetype_is_found_by_kind_and_name(kind: str | None, here: bool, everywhere: bool) -> None:
    matcher: Object = {"name": "i"} if kind is None else {"name": "i", "kind": kind}
    vm_object = naming(**matcher)
    expected = ["here"] if here else ["everywhere"] if everywhere else []
    assert matched(vm_object, HERE, ELSEWHERE, EVERYWHERE) == expected
    assert bool(read(vm_object, HERE, ELSEWHERE, EVERYWHERE).not_evaluated) is not (here or everywhere)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(None, "arm64"), ("VirtualMachineClusterPreference", "arm64"), ("VirtualMachinePreference", "s390x")],
)
def test_a_preference_is_found_by_kind_and_name(kind: str | None, expected: str) -> None:
    objects = (
        preference("p", preferredArchitecture="arm64"),
        preference("p", NAMESPACE, preferredArchitecture="s390x"),
    )
    vm_object = vm(spec={"preference": {"name": "p", **({"kind": kind} if kind else {})}})
    assert read(vm_object, *objects).hardware.architecture == expected


def test_an_instancetype_of_another_namespace_is_not_there() -> None:
    assert matched(naming(name="i", kind="VirtualMachineInstancetype"), ELSEWHERE, EVERYWHERE) == []


KEPT = revision("kept", "i", hostDevices=card("kept"))
KEPT_OF_ANOTHER = revision("kept", "other", hostDevices=card("kept"))
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


@pytest.mark.parametrize(("kept", "expected"), [(KEPT, "kept"), (KEPT_OF_ANOTHER, "everywhere"), (None, "everywhere")])
def test_the_revision_of_the_status_counts_where_it_is_of_the_named_one(kept: Object | None, expected: str) -> None:
    assert matched(naming(RECORDED, name="i"), EVERYWHERE, *([kept] if kept else [])) == [expected]


def test_a_revision_of_another_namespace_is_not_there() -> None:
    elsewhere = {**KEPT, "metadata": {**KEPT["metadata"], "namespace": "elsewhere"}}
    assert matched(naming(RECORDED, name="i"), EVERYWHERE, elsewhere) == ["everywhere"]


def test_the_revision_of_a_preference_has_its_own_place_in_the_status() -> None:
    status = {"preferenceRef": {"controllerRevisionRef": {"name": "kept"}}}
    vm_object = vm(spec={"preference": {"name": "p"}}, status=status)
    objects = (preference("p"), revision("kept", "p", preferredArchitecture="arm64"))
    assert read(vm_object, *objects).hardware.architecture == "arm64"


NOT_EVALUATED = {
    "instancetype": ("GPUs", "host devices", "launch security"),
    "preference": ("network binding", "Hyper-V features", "storage class"),
}
MISSING: list[tuple[str, Object]] = [
    ("by name", {"name": "gone"}),
    ("by name and kind", {"name": "gone", "kind": "Pod"}),
    ("revision", {"name": "i", "revisionName": "gone"}),
    ("what a volume says", {"inferFromVolume": "gone"}),
]


@pytest.mark.parametrize("field", NOT_EVALUATED)
@pytest.mark.parametrize("matcher", [row[1] for row in MISSING], ids=[row[0] for row in MISSING])
def test_what_is_missing_draws_a_warning_that_says_what_could_not_be_evaluated(field: str, matcher: Object) -> None:
    found = verdict(vm(disk("good"), spec={field: matcher}))
    assert found.allowed
    assert found.violations == []
    assert [operation["value"] for operation in found.eviction_patch] == ["LiveMigrate"]
    line = found.warnings[0]
    assert line.startswith(f"{field} ")
    for part in ('"gone"', "is not there", *NOT_EVALUATED[field], "cannot be evaluated"):
        assert part in line


def test_both_that_are_missing_are_warned_about() -> None:
    found = verdict(vm(spec={"instancetype": {"name": "a"}, "preference": {"name": "b"}}))
    assert ["instancetype" in line or "preference" in line for line in found.warnings[:2]] == [True, True]


def test_a_denied_vm_is_warned_of_what_is_missing_too() -> None:
    found = verdict(vm(disk("once"), spec={"instancetype": {"name": "gone"}}))
    assert not found.allowed
    assert ['"gone"' in line for line in found.warnings] == [True]


def test_a_long_name_that_is_missing_makes_no_long_warning() -> None:
    found = verdict(vm(spec={"instancetype": {"name": "x" * 5000}}))
    assert all(len(line) <= 256 for line in found.warnings)


@pytest.mark.parametrize("matcher", [None, "i", [], 5], ids=repr)
def test_a_matcher_of_the_wrong_shape_names_nothing(matcher: object) -> None:
    assert read(vm(spec={"instancetype": matcher, "preference": matcher})).not_evaluated == ()


@pytest.mark.parametrize("matcher", [{}, {"name": ""}, {"name": 5}, {"kind": "VirtualMachineInstancetype"}], ids=repr)
def test_a_matcher_without_a_name_is_one_that_cannot_be_evaluated(matcher: Object) -> None:
    assert len(read(vm(spec={"instancetype": matcher})).not_evaluated) == 1


def test_an_vmi_has_no_matchers() -> None:
    vm_object = vmi(instancetype={"name": "gone"})
    assert read(vm_object).not_evaluated == ()


PREFERRED = preference("p", volumes={"preferredStorageClassName": "san"})
TEMPLATES: list[tuple[str, Object, Object]] = [
    ("storage", {"storage": {}}, {"storage": {"storageClassName": "san"}}),
    ("pvc", {"pvc": {"accessModes": ["x"]}}, {"pvc": {"accessModes": ["x"], "storageClassName": "san"}}),
    ("null", {"storage": {"storageClassName": None}}, {"storage": {"storageClassName": "san"}}),
    ("its own", {"storage": {"storageClassName": "nas"}}, {"storage": {"storageClassName": "nas"}}),
    ("none wanted", {"storage": {"storageClassName": ""}}, {"storage": {"storageClassName": ""}}),
    ("neither part", {"source": {"blank": {}}}, {"source": {"blank": {}}}),
    ("null part", {"storage": None}, {"storage": None}),
]


@pytest.mark.parametrize(("spec", "expected"), [row[1:] for row in TEMPLATES], ids=[row[0] for row in TEMPLATES])
def test_a_preferred_class_is_written_into_templates_that_name_none(spec: Object, expected: Object) -> None:
    template = data_volume_template("d", **spec)
    vm_object = vm(spec={"preference": {"name": "p"}, "dataVolumeTemplates": [template]})
    assert read(vm_object, PREFERRED).data_volume_templates["d"].spec == expected
    assert template == data_volume_template("d", **spec)


def test_the_class_that_is_preferred_decides_the_verdict() -> None:
    template = data_volume_template("d", storage={"accessModes": ["ReadWriteMany"], "volumeMode": "Filesystem"})
    vm_object = vm(
        {"name": "d", "dataVolume": {"name": "d"}},
        spec={"preference": {"name": "p"}, "dataVolumeTemplates": [template]},
    )
    assert [found.rule for found in verdict(vm_object, PREFERRED).violations] == ["san-block"]
    assert verdict(vm_object, preference("p", volumes={"preferredStorageClassName": "nas"})).violations == []

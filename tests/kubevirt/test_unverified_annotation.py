"""The mark on a VM and on its templates: read, compared and patched."""

import copy

import jsonpatch
import pytest

from tests.build import Object, disk, vm, vmi
from tests.build_paths import pool, replica_set
from webhook.kubevirt.reader import METADATA_PATHS
from webhook.kubevirt.unverified import missing_names, operations_on, unverified_names
from webhook.names import UNVERIFIED
from webhook.objects import at

NAMES = frozenset({"claim/a", "claim/b"})
PLACES: dict[str, tuple[Object, list[tuple[str, ...]]]] = {
    "VirtualMachine": (vm(disk("a")), [("metadata",), ("spec", "template", "metadata")]),
    "VirtualMachineInstance": (vmi(disk("a")), [("metadata",)]),
    "ReplicaSet": (replica_set(disk("a")), [("metadata",), ("spec", "template", "metadata")]),
    "Pool": (
        pool(disk("a")),
        [
            ("metadata",),
            ("spec", "virtualMachineTemplate", "metadata"),
            ("spec", "virtualMachineTemplate", "spec", "template", "metadata"),
        ],
    ),
}
EVERY_KIND = pytest.mark.parametrize("kind", PLACES)


def patched(obj: Object, *names: str) -> Object:
    """Return an object whose marks hold these names."""
    found: Object = jsonpatch.apply_patch(obj, operations_on(obj, frozenset(names)))
    return found


@EVERY_KIND
def test_it_stands_on_the_vm_and_on_each_template_in_it(kind: str) -> None:
    obj, places = PLACES[kind]
    found = patched(obj, "claim/b", "claim/a")
    assert [at(found, *place, "annotations", UNVERIFIED) for place in places] == ["claim/a,claim/b"] * len(places)


def test_labels_of_ours_are_looked_for_wherever_the_mark_stands() -> None:
    assert set(METADATA_PATHS) == {place for _, places in PLACES.values() for place in places}


@EVERY_KIND
def test_what_is_marked_is_read_again(kind: str) -> None:
    obj, _ = PLACES[kind]
    assert unverified_names(obj) == frozenset()
    assert unverified_names(patched(obj, *NAMES)) == NAMES


@EVERY_KIND
def test_a_mark_that_is_as_it_should_be_is_not_touched(kind: str) -> None:
    obj, _ = PLACES[kind]
    assert operations_on(obj, frozenset()) == []
    assert operations_on(patched(obj, *NAMES), NAMES) == []


@EVERY_KIND
def test_without_names_it_goes_and_leaves_what_else_is_annotated(kind: str) -> None:
    obj, places = PLACES[kind]
    annotated = copy.deepcopy(obj)
    for place in places:
        annotated = jsonpatch.apply_patch(
            annotated, [{"op": "add", "path": "/" + "/".join(place), "value": {"annotations": {"x": "y"}}}]
        )
    assert patched(patched(annotated, *NAMES)) == annotated


@EVERY_KIND
def test_a_name_is_lacking_where_one_place_does_not_hold_it(kind: str) -> None:
    obj, places = PLACES[kind]
    whole = patched(obj, *NAMES)
    assert missing_names(whole, NAMES) == []
    for place in places:
        pointer = "/" + "/".join((*place, "annotations", UNVERIFIED.replace("/", "~1")))
        less = jsonpatch.apply_patch(whole, [{"op": "replace", "path": pointer, "value": "claim/a"}])
        assert missing_names(less, NAMES) == ["claim/b"]


def test_names_that_nobody_asked_for_are_lacking_nothing_and_go_with_the_patch() -> None:
    obj = patched(vm(disk("a")), "claim/forged", "claim/a")
    assert missing_names(obj, frozenset({"claim/a"})) == []
    assert unverified_names(patched(obj, "claim/a")) == {"claim/a"}


METADATA: list[tuple[str, object, bool]] = [
    ("none", None, True),
    ("empty", {}, True),
    ("without annotations", {"labels": {"x": "y"}}, True),
    ("annotations that are null", {"annotations": None}, True),
    ("a mark that is no string", {"annotations": {UNVERIFIED: 3}}, True),
    ("no object", "x", False),
    ("annotations that are no object", {"annotations": ["x"]}, False),
]


@pytest.mark.parametrize(("metadata", "can"), [row[1:] for row in METADATA], ids=[row[0] for row in METADATA])
def test_metadata_of_any_shape_gets_a_patch_that_applies(metadata: object, can: bool) -> None:
    obj = vm(disk("a"))
    obj["spec"]["template"]["metadata"] = metadata
    found = at(patched(obj, "claim/a"), "spec", "template", "metadata")
    assert (at(found, "annotations", UNVERIFIED) == "claim/a") is can
    assert missing_names(patched(obj, "claim/a"), frozenset({"claim/a"})) == []


@pytest.mark.parametrize("template", [None, "x", []], ids=repr)
def test_a_template_that_is_no_object_has_no_place_for_it(template: object) -> None:
    obj = {**vm(), "spec": {"template": template}}
    assert [operation["path"] for operation in operations_on(obj, NAMES)] == ["/metadata/annotations"]
    assert missing_names(patched(obj, *NAMES), NAMES) == []

"""The unverified annotation on a VM and on its templates: read, compared and patched."""

import jsonpatch
import pytest

from tests.build import Object, disk, vm, vmi
from tests.build_paths import pool, replica_set, with_annotation
from webhook.kubevirt.reader import METADATA_PATHS
from webhook.kubevirt.unverified import may_be_annotated, missing_names, operations_on, unverified_names
from webhook.names import UNVERIFIED
from webhook.objects import at

NAMES = frozenset({"claim/a", "claim/b"})
METADATA = ("metadata",)
TEMPLATE = ("spec", "template", "metadata")
OF_POOL = ("spec", "virtualMachineTemplate")
PLACES: dict[str, tuple[Object, list[tuple[str, ...]]]] = {
    "VirtualMachine": (vm(disk("a")), [METADATA, TEMPLATE]),
    "VirtualMachineInstance": (vmi(disk("a")), [METADATA]),
    "ReplicaSet": (replica_set(disk("a")), [METADATA, TEMPLATE]),
    "Pool": (pool(disk("a")), [METADATA, (*OF_POOL, *METADATA), (*OF_POOL, *TEMPLATE)]),
}
EVERY_KIND = pytest.mark.parametrize(("obj", "places"), PLACES.values(), ids=PLACES)


@EVERY_KIND
def test_annotation_is_set_on_the_vm_and_on_each_template_and_read_again(
    obj: Object, places: list[tuple[str, ...]]
) -> None:
    found = with_annotation(obj, *NAMES)
    assert [at(found, *place, "annotations", UNVERIFIED) for place in places] == ["claim/a,claim/b"] * len(places)
    assert (unverified_names(obj), unverified_names(found)) == (frozenset(), NAMES)
    assert operations_on(obj, frozenset()) == operations_on(found, NAMES) == []


def test_our_own_labels_are_read_wherever_the_annotation_is() -> None:
    assert set(METADATA_PATHS) == {place for _, places in PLACES.values() for place in places}


@EVERY_KIND
def test_without_names_it_is_removed_and_other_annotations_stay(obj: Object, places: list[tuple[str, ...]]) -> None:
    add = [{"op": "add", "path": "/" + "/".join(place), "value": {"annotations": {"x": "y"}}} for place in places]
    annotated = jsonpatch.apply_patch(obj, add)
    assert with_annotation(with_annotation(annotated, *NAMES)) == annotated


@EVERY_KIND
def test_a_name_is_missing_where_one_place_does_not_hold_it(obj: Object, places: list[tuple[str, ...]]) -> None:
    whole = with_annotation(obj, *NAMES)
    assert missing_names(whole, NAMES) == []
    for place in places:
        pointer = "/" + "/".join((*place, "annotations", UNVERIFIED.replace("/", "~1")))
        less = jsonpatch.apply_patch(whole, [{"op": "replace", "path": pointer, "value": "claim/a"}])
        assert missing_names(less, NAMES) == ["claim/b"]


def test_a_name_that_does_not_belong_there_is_removed_by_the_patch() -> None:
    obj = with_annotation(vm(disk("a")), "claim/forged", "claim/a")
    assert missing_names(obj, frozenset({"claim/a"})) == []
    assert unverified_names(with_annotation(obj, "claim/a")) == {"claim/a"}


WRITABLE: list[object] = [None, {}, {"labels": {"x": "y"}}, {"annotations": None}, {"annotations": {UNVERIFIED: 3}}]


@pytest.mark.parametrize("metadata", [*WRITABLE, "x", {"annotations": ["x"]}], ids=repr)
def test_metadata_of_any_type_gets_a_patch_that_applies(metadata: object) -> None:
    obj = vm(disk("a"))
    obj["spec"]["template"]["metadata"] = metadata
    found = at(with_annotation(obj, "claim/a"), *TEMPLATE)
    assert (at(found, "annotations", UNVERIFIED) == "claim/a") is (metadata in WRITABLE)
    assert missing_names(with_annotation(obj, "claim/a"), frozenset({"claim/a"})) == []


@pytest.mark.parametrize("template", [None, "x", []], ids=repr)
def test_a_template_that_is_not_an_object_is_not_annotated(template: object) -> None:
    obj = {**vm(), "spec": {"template": template}}
    assert [operation["path"] for operation in operations_on(obj, NAMES)] == ["/metadata/annotations"]
    assert missing_names(with_annotation(obj, *NAMES), NAMES) == []


def test_annotation_of_a_pool_may_change_only_with_its_vm_template() -> None:
    assert not may_be_annotated(pool(disk("a"), name="x"), pool(disk("a")))
    assert may_be_annotated(pool(disk("b")), pool(disk("a")))
    assert may_be_annotated(vm(disk("a")), vm(disk("a")))

"""What a clone means for the verdict: Trident's stays on SAN whatever its class would say, CDI's may be a copy."""

import pytest

from tests.build import (
    NAMESPACE,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
)
from tests.build_facts import clone_source, cloned_from, data_source, snapshot, trident_volume
from tests.storage.test_origin import CONTENT, SAN_VOLUME, SOURCES, STORAGE, target
from webhook import Settings, Verdict, evaluate


def evaluated(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(
        vm_object, [*STORAGE, *SOURCES, *objects], settings=Settings.parse({"rules": {"pod-network": "off"}})
    )


def rules(vm_object: Object, *objects: Object) -> list[str]:
    return [found.rule for found in evaluated(vm_object, *objects).violations]


def test_a_shared_filesystem_cloned_from_a_san_volume_is_denied_though_its_class_would_say_nfs() -> None:
    made = target(cloned_from("PersistentVolumeClaim", "san-source"))
    (found,) = evaluated(vm(disk("target")), made).violations
    assert found.rule == "san-block"
    assert "cloned: bound PV pv-san" in (found.evidence or "")
    assert rules(vm(disk("target")), target()) == []


CDI_SOURCES: list[tuple[str, Object, tuple[Object, ...]]] = [
    ("claim", {"source": {"pvc": {"name": "san-source"}}}, ()),
    ("PVC with its namespace", {"source": {"pvc": {"name": "san-source", "namespace": NAMESPACE}}}, ()),
    ("snapshot", {"source": {"snapshot": {"name": "s"}}}, (snapshot("s", "san-source"),)),
    (
        "DataSource of a PVC",
        {"sourceRef": {"kind": "DataSource", "name": "d"}},
        (data_source("d", pvc={"name": "san-source"}),),
    ),
    (
        "DataSource of a snapshot elsewhere",
        {"sourceRef": {"kind": "DataSource", "name": "d", "namespace": "images"}},
        (
            data_source("d", "images", snapshot={"name": "s"}),
            snapshot("s", None, "content", namespace="images"),
            CONTENT,
        ),
    ),
    (
        "DataSource of a DataSource",
        {"sourceRef": {"kind": "DataSource", "name": "d"}},
        (data_source("d", dataSource={"name": "e"}), data_source("e", pvc={"name": "san-source"})),
    ),
]
SHARED_FILESYSTEM = {"accessModes": [RWX], "volumeMode": "Filesystem"}


@pytest.mark.parametrize(("name", "expected"), [("any", ["san-block"]), ("nas", []), ("san", ["san-block"])])
@pytest.mark.parametrize(("source", "objects"), [row[1:] for row in CDI_SOURCES], ids=[row[0] for row in CDI_SOURCES])
def test_cdi_clones_a_san_filesystem_in_place_but_copies_it_onto_a_class_of_nas_alone(
    source: Object, objects: tuple[Object, ...], name: str, expected: list[str]
) -> None:
    spec = {"storage": {**SHARED_FILESYSTEM, "storageClassName": name}, **source}
    assert rules(templated_vm("d", spec=spec), *objects) == expected
    assert rules(vm(data_volume_disk("dv")), data_volume("dv", **spec), *objects) == expected


@pytest.mark.parametrize(("name", "expected"), [("any", ["san-block"]), ("nas", [])])
def test_a_pvc_that_cdi_fills_is_evaluated_like_the_data_volume_of_it(name: str, expected: list[str]) -> None:
    made = target(cloned_from("VolumeCloneSource", "v"), storage_class=name)
    assert rules(vm(disk("target")), made, clone_source("v", "PersistentVolumeClaim", "san-source")) == expected


def test_a_clone_of_cdi_in_block_mode_is_none_of_the_sources_matter() -> None:
    spec = {"storage": {"storageClassName": "any", "accessModes": [RWX], "volumeMode": "Block"}}
    assert rules(templated_vm("d", spec={**spec, "source": {"pvc": {"name": "san-source"}}})) == []


def test_the_record_of_trident_counts_for_the_source_too() -> None:
    by_hand = persistent_volume("pv-hand", "file", provisioner=None)
    source = claim("hand", RWO, storage_class="any", volume="pv-hand")
    made = target(cloned_from("PersistentVolumeClaim", "hand"))
    assert rules(vm(disk("target")), made, by_hand, source, trident_volume("pv-hand", "block")) == ["san-block"]


def test_without_tridents_own_objects_the_volume_still_says_its_protocol() -> None:
    cluster = [SAN_VOLUME, storage_class("any"), claim("c", RWX, storage_class="any", volume="pv-san")]
    found = evaluate(vm(disk("c")), cluster, settings=Settings.parse({"rules": {"pod-network": "off"}}))
    (violation,) = found.violations
    assert violation.rule == "san-block"
    assert "a SAN backend" in violation.message
    assert "no TridentBackend with this UUID can be read" in (violation.evidence or "")


CARRIED: list[tuple[str, Object, Object]] = [
    # what the part asks for, Trident's annotations
    ("a volume", {"volumeName": "pv-san"}, {}),
    ("an import", {}, {"importBackendUUID": "u-san"}),
    ("a clone of Trident's own", {}, {"cloneFromPVC": "san-source"}),
    ("a clone by its own data source", cloned_from("PersistentVolumeClaim", "san-source"), {}),
]


@pytest.mark.parametrize(("asked", "annotations"), [row[1:] for row in CARRIED], ids=[row[0] for row in CARRIED])
def test_what_a_data_volume_carries_to_its_pvc_is_evaluated(asked: Object, annotations: Object) -> None:
    spec = {"storage": {**SHARED_FILESYSTEM, "storageClassName": "any", **asked}}
    metadata = {"annotations": {f"trident.netapp.io/{key}": value for key, value in annotations.items()}}
    vm_object = templated_vm("d", spec=spec)
    vm_object["spec"]["dataVolumeTemplates"][0]["metadata"].update(metadata)
    assert rules(vm_object) == ["san-block"]
    made = data_volume("dv", **spec)
    made["metadata"].update(metadata)
    assert rules(vm(data_volume_disk("dv")), made) == ["san-block"]

"""Who serves a PVC by what it is created from: an import, a share, a clone."""

from typing import Any

import pytest

from tests.build import (
    RWO,
    RWX,
    Object,
    backend,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
)
from tests.build_facts import clone_source, cloned_from, data_source, snapshot, snapshot_content, trident_volume
from tests.storage.asking import Objects, the_claim
from webhook import Settings, evaluate
from webhook.storage.model import Backing

Served = tuple[str, str | None]  # protocol and driver

STORAGE = (
    persistent_volume("pv-san", "block", backend="u-san"),
    persistent_volume("pv-nas", "file", backend="u-nas"),
    backend("u-san", "ontap-san", "tbe-san"),
    backend("u-nas", "ontap-nas", "tbe-nas", nasType="nfs"),
    storage_class("any"),
    storage_class("nas", backendType="ontap-nas"),
    storage_class("san", backendType="ontap-san"),
    storage_class("foreign", provisioner="rbd.csi.ceph.com"),
    claim("san-source", RWO, storage_class="san", volume="pv-san"),
    claim("nas-source", RWO, volume="pv-nas"),
    claim("image", RWO, storage_class="san", volume="pv-san", namespace="images"),
)
PVC = "PersistentVolumeClaim"
BLOCK, FILE, SAN = ("block", "ontap-san"), ("file", "ontap-nas"), ("block", None)
UNTRACED = ("file", None)  # what Trident would provision for a shared filesystem that starts empty


def served(obj: Object, *objects: Object) -> Served:
    backing = the_claim(vm(disk(obj["metadata"]["name"])), *STORAGE, *objects, obj).backing
    return backing.protocol, backing.driver


def target(annotations: Object | None = None, **spec: Any) -> Object:
    """Return a PVC to be filled; ``annotations`` are Trident's."""
    made = claim("target", RWX, **{"storage_class": "any", **spec})
    made["metadata"]["annotations"] = prefixed(annotations or {})
    return made


def prefixed(annotations: Object) -> Object:
    return {f"trident.netapp.io/{key}": value for key, value in annotations.items()}


def test_the_evidence_names_what_a_pvc_is_created_from() -> None:
    def found(annotations: Object, storage_class: str = "any") -> Backing:
        return the_claim(vm(disk("target")), *STORAGE, target(annotations, storage_class=storage_class)).backing

    assert found({"importBackendUUID": "u-san"}).evidence == "imported from backend tbe-san ontap-san"
    shared = found({"shareFromPVC": "ns/pvc"}, "san")
    assert (shared.protocol, shared.nas_type, shared.evidence) == ("file", "nfs", "shared from PVC ns/pvc, over NFS")
    cloned = found({"cloneFromPVC": "nas-source"})
    evidence = "cloned: bound PV pv-nas: protocol file, backend tbe-nas ontap-nas"
    assert (cloned.nas_type, cloned.evidence) == ("nfs", evidence)


FROM_PVC, FROM_SNAPSHOT = cloned_from(PVC, "san-source"), cloned_from("VolumeSnapshot", "s")
FROM_CDI = cloned_from("VolumeCloneSource", "v")
TO_TARGET = cloned_from(PVC, "target")
IN = ("content", "pv-san/snap")
CONTENT = snapshot_content(*IN)
OF_SAN, OF_NAS = snapshot("s", "san-source", "content"), snapshot("s", "nas-source", "content")
OF_NO_PVC, OF_SNAPSHOT = snapshot("s", None, "content"), clone_source("v", "VolumeSnapshot", "s")
BLOCK_SOURCE = claim("b", RWX, mode="Block", storage_class="san", volume="pv-san")
MANUAL = (claim("m", RWO, storage_class="any", volume="pv-m"), persistent_volume("pv-m", "file", provisioner=None))
A_OF_B, B_OF_A = data_source("a", dataSource={"name": "b"}), data_source("b", dataSource={"name": "a"})
CLONES: dict[str, tuple[Object, Objects, Served]] = {
    "PVC": (FROM_PVC, (), BLOCK),
    "PVC, the old field": ({"dataSource": {"kind": PVC, "name": "san-source"}}, (), BLOCK),
    "PVC on NAS": (cloned_from(PVC, "nas-source"), (), FILE),
    "PVC not bound": (cloned_from(PVC, "unbound"), (claim("unbound", RWO, storage_class="san"),), BLOCK),
    "PVC in Block mode": (cloned_from(PVC, "b"), (BLOCK_SOURCE,), UNTRACED),
    "PVC with a manually created volume": (cloned_from(PVC, "m"), MANUAL, UNTRACED),
    "the same, with Trident's own record": (cloned_from(PVC, "m"), (*MANUAL, trident_volume("pv-m", "block")), SAN),
    "missing PVC": (cloned_from(PVC, "gone"), (), UNTRACED),
    "PVC of another namespace": (cloned_from(PVC, "image", "images"), (), BLOCK),
    "missing PVC of a name elsewhere": (cloned_from(PVC, "image"), (), UNTRACED),
    "bound volume before the source": ({"volumeName": "pv-nas", **FROM_PVC}, (), FILE),
    "class of another provisioner before the source": ({"storage_class": "foreign", **FROM_PVC}, (), ("foreign", None)),
    "snapshot, by its content": (FROM_SNAPSHOT, (OF_NO_PVC, CONTENT), BLOCK),
    "snapshot, by its PVC": (FROM_SNAPSHOT, (snapshot("s", "san-source"),), BLOCK),
    "snapshot, its content before its PVC": (FROM_SNAPSHOT, (OF_NAS, CONTENT), BLOCK),
    "snapshot, its content without a mode": (FROM_SNAPSHOT, (OF_NAS, snapshot_content(*IN, None)), FILE),
    "snapshot, its content of another driver": (FROM_SNAPSHOT, (OF_NAS, snapshot_content(*IN, driver="x")), FILE),
    "snapshot of a Block volume": (FROM_SNAPSHOT, (OF_NO_PVC, snapshot_content(*IN, "Block")), UNTRACED),
    "snapshot of a volume that is gone": (FROM_SNAPSHOT, (OF_SAN, snapshot_content("content", "pv-gone/snap")), BLOCK),
    "missing snapshot": (FROM_SNAPSHOT, (), UNTRACED),
    "snapshot of nothing": (FROM_SNAPSHOT, (snapshot("s"),), UNTRACED),
    "VolumeCloneSource": (FROM_CDI, (clone_source("v", PVC, "san-source"),), BLOCK),
    "VolumeCloneSource of a snapshot": (FROM_CDI, (OF_SNAPSHOT, OF_NO_PVC, CONTENT), BLOCK),
    "missing VolumeCloneSource": (FROM_CDI, (), UNTRACED),
    "unknown kind": (cloned_from("Populator", "san-source"), (), UNTRACED),
    "cycle of one PVC": (TO_TARGET, (), UNTRACED),
    "cycle of two PVCs": (cloned_from(PVC, "b"), (claim("b", RWX, storage_class="any", **TO_TARGET),), UNTRACED),
    "cycle by a snapshot": (FROM_SNAPSHOT, (snapshot("s", "target"),), UNTRACED),
    "cycle of DataSources": (cloned_from("DataSource", "a"), (A_OF_B, B_OF_A), UNTRACED),
    "cycle of a VolumeCloneSource": (FROM_CDI, (clone_source("v", "VolumeCloneSource", "v"),), UNTRACED),
}


@pytest.mark.parametrize(("source", "objects", "expected"), CLONES.values(), ids=CLONES)
def test_a_clone_is_served_by_what_serves_its_source(source: Object, objects: Objects, expected: Served) -> None:
    assert served(target(**source), *objects) == expected


ANNOTATED = [
    ({"importBackendUUID": "u-san"}, BLOCK),
    ({"importBackendUUID": "u-nas"}, FILE),
    ({"importBackendUUID": "u-gone"}, UNTRACED),
    ({"cloneFromPVC": "san-source", "cloneFromSnapshot": "snap"}, BLOCK),
    ({"cloneFromPVC": "image"}, UNTRACED),
    ({"cloneFromPVC": "image", "cloneFromNamespace": "images"}, BLOCK),
    ({"cloneFromPVC": "san-source", "cloneFromNamespace": "images"}, UNTRACED),
]


@pytest.mark.parametrize(("annotations", "expected"), ANNOTATED, ids=repr)
def test_an_import_or_a_clone_by_trident_names_its_source_in_annotations(annotations: Object, expected: Served) -> None:
    assert served(target(annotations)) == expected


@pytest.mark.parametrize(("length", "expected"), [(1, BLOCK), (8, BLOCK), (9, UNTRACED), (500, UNTRACED)])
def test_a_chain_of_clones_is_followed_to_a_bounded_depth(length: int, expected: Served) -> None:
    sources = [cloned_from(PVC, f"c{number}") for number in range(1, length + 1)]
    links = [claim(f"c{number}", RWX, storage_class="any", **source) for number, source in enumerate(sources)]
    assert served(*links, claim(f"c{length}", RWO, storage_class="any", volume="pv-san")) == expected


DATA_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "d"}}
ELSEWHERE = {"sourceRef": {"kind": "DataSource", "name": "d", "namespace": "images"}}
THERE = (data_source("d", "images", snapshot={"name": "s"}), snapshot("s", None, "content", "images"), CONTENT)
OF_A_DATA_SOURCE = (data_source("d", dataSource={"name": "e"}), data_source("e", pvc={"name": "san-source"}))
BY_CDI: dict[str, tuple[Object, Objects]] = {
    "PVC": ({"source": {"pvc": {"name": "san-source"}}}, ()),
    "snapshot": ({"source": {"snapshot": {"name": "s"}}}, (snapshot("s", "san-source"),)),
    "DataSource of a PVC": (DATA_SOURCE, (data_source("d", pvc={"name": "san-source"}),)),
    "DataSource of a snapshot elsewhere": (ELSEWHERE, THERE),
    "DataSource of a DataSource": (DATA_SOURCE, OF_A_DATA_SOURCE),
}


def served_alike(spec: Object, *objects: Object, mode: str = "Filesystem", annotations: Object | None = None) -> Served:
    """Return who serves what a template and a DataVolume of one spec create."""
    spec = {**spec, "storage": {"accessModes": [RWX], "volumeMode": mode, **spec["storage"]}}
    vm_object, made = templated_vm("d", spec=spec), data_volume("dv", **spec)
    for source in (vm_object["spec"]["dataVolumeTemplates"][0], made):
        source["metadata"]["annotations"] = prefixed(annotations or {})
    found = the_claim(vm_object, *STORAGE, *objects).backing
    assert the_claim(vm(data_volume_disk("dv")), made, *STORAGE, *objects).backing == found
    return found.protocol, found.driver


@pytest.mark.parametrize(("name", "expected"), [("any", BLOCK), ("nas", FILE), ("san", BLOCK)])
@pytest.mark.parametrize(("source", "objects"), BY_CDI.values(), ids=BY_CDI)
def test_cdi_clones_a_san_filesystem_in_place_but_copies_it_to_a_class_of_nas_alone(
    source: Object, objects: Objects, name: str, expected: Served
) -> None:
    assert served_alike({"storage": {"storageClassName": name}, **source}, *objects) == expected


def test_a_pvc_that_cdi_fills_is_served_like_that_of_the_data_volume_and_in_block_mode_whatever_its_source() -> None:
    for name, expected in (("any", BLOCK), ("nas", FILE)):
        assert served(target(storage_class=name, **FROM_CDI), clone_source("v", PVC, "san-source")) == expected
    spec = {"storage": {"storageClassName": "any"}, "source": {"pvc": {"name": "san-source"}}}
    assert served_alike(spec, mode="Block") == SAN


CARRIED: dict[str, tuple[Object, Object]] = {
    # what the part asks for, Trident's annotations
    "a volume": ({"volumeName": "pv-san"}, {}),
    "an import": ({}, {"importBackendUUID": "u-san"}),
    "a clone by Trident": ({}, {"cloneFromPVC": "san-source"}),
    "a clone by its own data source": (FROM_PVC, {}),
}


@pytest.mark.parametrize(("asked", "annotations"), CARRIED.values(), ids=CARRIED)
def test_what_a_data_volume_passes_on_to_its_pvc_counts(asked: Object, annotations: Object) -> None:
    assert served_alike({"storage": {"storageClassName": "any", **asked}}, annotations=annotations) == BLOCK


def test_without_tridents_own_objects_the_message_names_a_san_backend() -> None:
    objects = [STORAGE[0], storage_class("any"), claim("c", RWX, storage_class="any", volume="pv-san")]
    (found,) = evaluate(vm(disk("c")), objects, settings=Settings.parse({"rules": {"pod-network": "off"}})).violations
    assert (found.rule, "a SAN backend" in found.message) == ("san-block", True)

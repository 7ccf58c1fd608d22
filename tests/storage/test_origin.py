"""What a PVC comes from, where that decides who serves it: an import, a share, a clone."""

from typing import Any

import pytest

from tests.build import (
    RWO,
    RWX,
    Object,
    backend,
    claim,
    disk,
    persistent_volume,
    storage_class,
    vm,
)
from tests.build_facts import clone_source, cloned_from, data_source, snapshot, snapshot_content
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import read_vm
from webhook.storage import Claim, resolve

SAN_VOLUME = persistent_volume("pv-san", "block", backend="u-san")
NAS_VOLUME = persistent_volume("pv-nas", "file", backend="u-nas")
BACKENDS = (backend("u-san", "ontap-san", "tbe-san"), backend("u-nas", "ontap-nas", "tbe-nas", nasType="nfs"))
STORAGE = (
    SAN_VOLUME,
    NAS_VOLUME,
    *BACKENDS,
    storage_class("any"),
    storage_class("nas", backendType="ontap-nas"),
    storage_class("san", backendType="ontap-san"),
    storage_class("foreign", provisioner="rbd.csi.ceph.com"),
)
SAN_SOURCE = claim("san-source", RWO, storage_class="san", volume="pv-san")
NAS_SOURCE = claim("nas-source", RWO, volume="pv-nas")
SOURCES = (SAN_SOURCE, NAS_SOURCE)


def the_claim(vm_object: Object, *objects: Object) -> Claim:
    cluster = Snapshot([*STORAGE, *SOURCES, *objects])
    (found,) = resolve(read_vm(vm_object, cluster, KubeVirtFacts()), cluster, "trident").values()
    assert isinstance(found, Claim)
    return found


def served(obj: Object, *objects: Object) -> tuple[str, str | None]:
    """Return protocol and driver of a PVC."""
    backing = the_claim(vm(disk(obj["metadata"]["name"])), *objects, obj).backing
    return backing.protocol, backing.driver


def target(source: Object | None = None, *, mode: str | None = None, **how: Any) -> Object:
    """Return a PVC to be filled; ``annotations`` are of Trident's domain."""
    annotations = how.pop("annotations", {})
    made = claim("target", RWX, mode=mode, storage_class=how.pop("storage_class", "any"), **how, **(source or {}))
    made["metadata"]["annotations"] = {f"trident.netapp.io/{key}": value for key, value in annotations.items()}
    return made


BLOCK, FILE = ("block", "ontap-san"), ("file", "ontap-nas")
UNTRACED = ("file", None)
"""What Trident would provision for a shared filesystem that starts empty."""


IMPORTS = [("u-san", BLOCK), ("u-nas", FILE), ("u-gone", UNTRACED), ("", UNTRACED)]


@pytest.mark.parametrize(("uuid", "expected"), IMPORTS)
def test_an_import_is_served_by_the_backend_that_it_names(uuid: str, expected: tuple[str, str | None]) -> None:
    assert served(target(annotations={"importBackendUUID": uuid})) == expected


def test_the_evidence_of_an_import_names_its_backend() -> None:
    vm_object = vm(disk("target"))
    found = the_claim(vm_object, target(annotations={"importBackendUUID": "u-san"}))
    assert "imported from backend tbe-san ontap-san" in found.evidence


def test_a_shared_volume_is_served_over_nfs() -> None:
    found = the_claim(vm(disk("target")), target(storage_class="san", annotations={"shareFromPVC": "ns/pvc"}))
    assert (found.backing.protocol, found.backing.nas_type) == ("file", "nfs")
    assert '"ns/pvc"' in found.evidence or "ns/pvc" in found.evidence


CONTENT = snapshot_content("content", "pv-san/snap")
CLONES: list[tuple[str, Object, tuple[Object, ...], tuple[str, str | None]]] = [
    ("claim", cloned_from("PersistentVolumeClaim", "san-source"), (), BLOCK),
    ("PVC, the old field", {"dataSource": {"kind": "PersistentVolumeClaim", "name": "san-source"}}, (), BLOCK),
    ("PVC on NAS", cloned_from("PersistentVolumeClaim", "nas-source"), (), FILE),
    ("missing PVC", cloned_from("PersistentVolumeClaim", "gone"), (), UNTRACED),
    ("snapshot, by its content", cloned_from("VolumeSnapshot", "s"), (snapshot("s", None, "content"), CONTENT), BLOCK),
    ("snapshot, by its PVC", cloned_from("VolumeSnapshot", "s"), (snapshot("s", "san-source"),), BLOCK),
    (
        "snapshot whose content does not say its mode, by its PVC",
        cloned_from("VolumeSnapshot", "s"),
        (snapshot("s", "nas-source", "content"), snapshot_content("content", "pv-san/snap", None)),
        FILE,
    ),
    (
        "snapshot whose content is not Trident's, by its PVC",
        cloned_from("VolumeSnapshot", "s"),
        (snapshot("s", "nas-source", "content"), snapshot_content("content", "pv-san/snap", driver="x")),
        FILE,
    ),
    (
        "snapshot whose content goes before its PVC",
        cloned_from("VolumeSnapshot", "s"),
        (snapshot("s", "nas-source", "content"), CONTENT),
        BLOCK,
    ),
    (
        "snapshot of a block volume",
        cloned_from("VolumeSnapshot", "s"),
        (snapshot("s", None, "content"), snapshot_content("content", "pv-san/snap", "Block")),
        UNTRACED,
    ),
    (
        "snapshot of a volume that is gone, by its PVC",
        cloned_from("VolumeSnapshot", "s"),
        (snapshot("s", "san-source", "content"), snapshot_content("content", "pv-gone/snap")),
        BLOCK,
    ),
    ("missing snapshot", cloned_from("VolumeSnapshot", "gone"), (), UNTRACED),
    ("snapshot of nothing", cloned_from("VolumeSnapshot", "s"), (snapshot("s"),), UNTRACED),
    (
        "VolumeCloneSource",
        cloned_from("VolumeCloneSource", "v"),
        (clone_source("v", "PersistentVolumeClaim", "san-source"),),
        BLOCK,
    ),
    (
        "VolumeCloneSource of a snapshot",
        cloned_from("VolumeCloneSource", "v"),
        (clone_source("v", "VolumeSnapshot", "s"), snapshot("s", None, "content"), CONTENT),
        BLOCK,
    ),
    ("missing VolumeCloneSource", cloned_from("VolumeCloneSource", "gone"), (), UNTRACED),
    ("VolumeImportSource", cloned_from("VolumeImportSource", "i"), (), UNTRACED),
    ("a kind that nobody knows", cloned_from("Populator", "san-source"), (), UNTRACED),
]


@pytest.mark.parametrize(("source", "objects", "expected"), [row[1:] for row in CLONES], ids=[row[0] for row in CLONES])
def test_a_clone_is_served_by_what_serves_its_source(
    source: Object, objects: tuple[Object, ...], expected: tuple[str, str | None]
) -> None:
    assert served(target(source), *objects) == expected


def test_the_source_of_another_namespace_is_looked_up_there() -> None:
    elsewhere = {**SAN_SOURCE, "metadata": {"name": "s", "namespace": "images"}}
    assert served(target(cloned_from("PersistentVolumeClaim", "s", "images")), elsewhere) == BLOCK
    assert served(target(cloned_from("PersistentVolumeClaim", "s")), elsewhere) == UNTRACED


ANNOTATED = [
    ({"cloneFromPVC": "san-source"}, BLOCK),
    ({"cloneFromPVC": "san-source", "cloneFromSnapshot": "snap"}, BLOCK),
    ({"cloneFromPVC": "nas-source"}, FILE),
    ({"cloneFromPVC": "image"}, UNTRACED),
    ({"cloneFromPVC": "image", "cloneFromNamespace": "images"}, BLOCK),
    ({"cloneFromPVC": "san-source", "cloneFromNamespace": "images"}, UNTRACED),
]


@pytest.mark.parametrize(("annotations", "expected"), ANNOTATED, ids=repr)
def test_a_clone_of_tridents_own_names_its_source_in_annotations(
    annotations: Object, expected: tuple[str, str | None]
) -> None:
    image = {**SAN_SOURCE, "metadata": {"name": "image", "namespace": "images"}}
    assert served(target(annotations=annotations), image) == expected


def test_a_bound_volume_goes_before_what_the_pvc_was_cloned_from() -> None:
    source = cloned_from("PersistentVolumeClaim", "san-source")
    assert served(target(source, volume="pv-nas")) == FILE


def test_a_clone_in_another_volume_mode_is_not_the_sources_volume() -> None:
    source = claim("block-source", RWX, mode="Block", storage_class="san", volume="pv-san")
    assert served(target(cloned_from("PersistentVolumeClaim", "block-source")), source) == UNTRACED


def test_a_clone_on_a_class_that_trident_does_not_serve_is_foreign() -> None:
    source = cloned_from("PersistentVolumeClaim", "san-source")
    assert served(target(source, storage_class="foreign")) == ("foreign", None)


def test_a_clone_of_a_pvc_that_is_not_bound_yet_is_served_by_that_ones_class() -> None:
    source = claim("unbound", RWO, storage_class="san")
    assert served(target(cloned_from("PersistentVolumeClaim", "unbound")), source) == BLOCK


def chain(length: int) -> list[Object]:
    """Return PVCs cloned each from the next, the last one bound to a SAN volume."""
    links = [
        claim(f"c{index}", RWX, storage_class="any", **cloned_from("PersistentVolumeClaim", f"c{index + 1}"))
        for index in range(length)
    ]
    return [*links, claim(f"c{length}", RWO, storage_class="any", volume="pv-san")]


@pytest.mark.parametrize(("length", "expected"), [(1, BLOCK), (5, BLOCK), (8, BLOCK), (9, UNTRACED), (500, UNTRACED)])
def test_a_chain_of_clones_is_followed_to_a_bounded_depth(length: int, expected: tuple[str, str | None]) -> None:
    first, *others = chain(length)
    assert served(first, *others) == expected


CYCLES: list[tuple[str, list[Object]]] = [
    ("itself", [target(cloned_from("PersistentVolumeClaim", "target"))]),
    (
        "two PVCs",
        [
            target(cloned_from("PersistentVolumeClaim", "b")),
            claim("b", RWX, storage_class="any", **cloned_from("PersistentVolumeClaim", "target")),
        ],
    ),
    ("a snapshot of itself", [target(cloned_from("VolumeSnapshot", "s")), snapshot("s", "target")]),
    (
        "DataSources",
        [
            target(cloned_from("DataSource", "a")),
            data_source("a", dataSource={"name": "b"}),
            data_source("b", dataSource={"name": "a"}),
        ],
    ),
    (
        "a VolumeCloneSource",
        [target(cloned_from("VolumeCloneSource", "v")), clone_source("v", "VolumeCloneSource", "v")],
    ),
]


@pytest.mark.parametrize("objects", [row[1] for row in CYCLES], ids=[row[0] for row in CYCLES])
def test_a_cycle_of_clones_ends(objects: list[Object]) -> None:
    assert served(objects[0], *objects[1:]) == UNTRACED

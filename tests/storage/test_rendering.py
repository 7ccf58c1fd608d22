"""The PVC that CDI creates for a DataVolume."""

import json
from typing import Any

import pytest

from tests.beside import beside
from tests.build import NAMESPACE, ROX, RWO, RWX, Object, storage_class, storage_profile
from tests.conftest import Report
from tests.storage.asking import Objects
from webhook.cluster import Snapshot
from webhook.cluster.facts import ClassFacts, SourceFacts
from webhook.storage.classes import property_sets_of
from webhook.storage.model import ClaimRequest
from webhook.storage.rendering import NotRendered, render

DEFAULT = "storageclass.kubernetes.io/is-default-class"
VIRT_DEFAULT = "storageclass.kubevirt.io/is-default-virt-class"
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
FS, BLOCK = "Filesystem", "Block"
NAS_SETS, SAN_SETS = (([RWX], FS), ([RWO], FS)), (([RWX], BLOCK),)
SC = storage_class("sc")
Made = tuple[str, str] | str  # access modes and volume mode, or why there is none


def rendered(spec: Object, *objects: Object, cluster: Snapshot | None = None, **more: Any) -> ClaimRequest | str:
    """Return the PVC that CDI creates, or why it creates none."""
    try:
        return render(spec, NAMESPACE, cluster or Snapshot(objects), **more)
    except NotRendered as why:
        return str(why)


def asking(access: str | None, mode: str | None, content: str | None = None, name: str | None = "sc") -> Object:
    storage = {"accessModes": [access] if access else None, "volumeMode": mode, "storageClassName": name}
    spec: Object = {"storage": {key: value for key, value in storage.items() if value is not None}}
    return {**spec, "contentType": content} if content else spec


def asked_for(access: str, mode: str, name: str | None, **more: Any) -> ClaimRequest:
    return ClaimRequest((access,), mode, name, NAMESPACE, **{"made_by_cdi": True, **more})


def made(spec: Object, *objects: Object) -> Made:
    found = rendered(spec, *objects)
    return found if isinstance(found, str) else ("+".join(found.access_modes), found.volume_mode)


NO_MODE = "no access mode is set, and "
NONE_OFFERED = f'{NO_MODE}the StorageProfile "sc" offers none'
SAN, GOOGLE = {"backendType": "ontap-san"}, {"backendType": "google-cloud-netapp-volumes"}
EMPTY = storage_profile("sc")
OFFERED: dict[str, tuple[Object, Objects, Any]] = {
    "a driver of NAS": ({"backendType": "ontap-nas-flexgroup"}, (), NAS_SETS),
    "a driver of SAN": ({"backendType": "ontap-san-economy"}, (), SAN_SETS),
    "a driver that CDI does not know": ({"backendType": "solidfire-san"}, (), ()),
    "another profile": (SAN, (storage_profile("sc", *NAS_SETS),), NAS_SETS),
    "an empty profile": (SAN, (EMPTY,), ()),
    "a profile without status": (SAN, ({**EMPTY, "status": {}},), SAN_SETS),
    "a prefix": ({"trident.netapp.io/backendType": "ontap-san"}, (), ()),
    "other letters": ({"backendType": "Ontap-San"}, (), ()),
    "another provisioner": ({"provisioner": "rbd.csi.ceph.com", "backendType": "ontap-nas"}, (), ()),
    "a selector alone": ({"selector": "performance=flex"}, (), ()),
    "Google's flex pools": ({**GOOGLE, "selector": "performance=flex"}, (), NAS_SETS),
    "Google's flex pools among others": ({**GOOGLE, "selector": "a=b; performance=flex"}, (), NAS_SETS),
    "Google's other pools": ({**GOOGLE, "selector": "performance=standard"}, (), ()),
}


@pytest.mark.parametrize(("parameters", "objects", "sets"), OFFERED.values(), ids=OFFERED)
def test_a_profile_comes_before_what_cdi_would_offer(parameters: Object, objects: Objects, sets: Any) -> None:
    cluster = (storage_class("sc", **parameters), *objects)
    found = property_sets_of(ClassFacts.read(cluster[0]), Snapshot(cluster))
    assert [([*entry.access_modes], entry.volume_mode) for entry in found] == [*sets]
    assert made(asking(None, None), *cluster) == ((RWX, sets[0][1]) if sets else NONE_OFFERED)


MIXED, ONE_BLOCK = (([ROX], BLOCK), ([RWO], FS)), (([RWO], BLOCK),)
PROFILE_TABLE = [
    # sets          content    asked            made
    (ONE_BLOCK, None, None, None, (RWO, BLOCK)),
    (ONE_BLOCK, None, None, FS, f"{NONE_OFFERED} for volumeMode Filesystem"),
    (ONE_BLOCK, None, RWX, None, (RWX, FS)),
    (ONE_BLOCK, None, RWX, FS, (RWX, FS)),
    (MIXED, "archive", None, None, (RWO, FS)),
    (MIXED, None, None, FS, (RWO, FS)),
    (MIXED, None, RWO, None, (RWO, FS)),
    (SAN_SETS, "archive", RWX, None, (RWX, FS)),
    ((([], BLOCK), ([RWX], BLOCK)), None, None, BLOCK, (RWX, BLOCK)),
    ((([], BLOCK), ([RWX], BLOCK)), None, None, None, NONE_OFFERED),
    ((([RWX, RWO], BLOCK),), None, None, None, (f"{RWX}+{RWO}", BLOCK)),
    ((([RWX, RWO], BLOCK), ([RWO], FS)), None, RWO, None, (RWO, BLOCK)),
]


@pytest.mark.parametrize(("sets", "content", "access", "mode", "expected"), PROFILE_TABLE)
def test_modes_left_out_come_from_the_first_set_that_fits(
    sets: Any, content: str | None, access: str | None, mode: str | None, expected: Made
) -> None:
    objects = (storage_class("sc", provisioner="any.example.com"), storage_profile("sc", *sets))
    assert made(asking(access, mode, content), *objects) == expected


def default_class(name: str, created: str = OLD, virt: bool = False) -> Object:
    return storage_class(name, created=created, annotations={VIRT_DEFAULT if virt else DEFAULT: "true"})


A, VIRT = default_class("a"), default_class("v", virt=True)
CLASSES: dict[str, tuple[Objects, str | None, str | None]] = {
    "one default": ((A,), None, "a"),
    "an annotation that is not true": ((storage_class("a", annotations={DEFAULT: "True"}),), None, None),
    "virt default before a newer default": ((default_class("a", NEW), VIRT), None, "v"),
    "default for an archive": ((A, VIRT), "archive", "a"),
    "virt default alone, for an archive": ((VIRT,), "archive", None),
    "newest default": ((A, default_class("b", NEW)), None, "b"),
    "newest virt default": ((default_class("a", NEW, virt=True), VIRT), None, "a"),
    "same age, first name": ((default_class("b"), A), None, "a"),
}


@pytest.mark.parametrize(("classes", "content", "taken"), CLASSES.values(), ids=CLASSES)
def test_the_class_of_a_pvc_that_names_none(classes: Objects, content: str | None, taken: str | None) -> None:
    found = rendered(asking(RWX, FS, content, name=None), *classes)
    assert found == asked_for(RWX, FS, taken, is_archive=content == "archive")
    for name in ("sc", "nowhere", ""):
        assert rendered(asking(RWX, None, name=name), SC, *classes) == asked_for(RWX, FS, name), "a named one is taken"


def test_the_pvc_part_is_taken_as_it_is() -> None:
    objects = (storage_class("sc", backendType="ontap-san"), storage_profile("sc", *SAN_SETS))
    pvc = {"accessModes": [RWO], "storageClassName": "sc"}
    assert rendered({"pvc": pvc}, *objects) == asked_for(RWO, FS, "sc")
    assert rendered({"pvc": {**pvc, "volumeMode": BLOCK}}, *objects) == asked_for(RWO, BLOCK, "sc")
    assert rendered({"pvc": pvc, "contentType": "archive"}, *objects) == asked_for(RWO, FS, "sc")


def test_the_pvc_part_takes_kubernetes_default_class_never_the_virt_default_and_may_leave_its_mode_to_cdi() -> None:
    classes = (A, default_class("v", NEW, virt=True))
    assert rendered({"pvc": {"accessModes": [RWX]}}, *classes) == asked_for(RWX, FS, "a")
    assert rendered({"pvc": {"accessModes": [RWX]}}, VIRT) == asked_for(RWX, FS, None)
    for access, taken in (([], RWX), ([RWO], RWO)):
        pvc: Object = {"storageClassName": "sc", "volumeMode": "FromStorageProfile", "accessModes": access}
        assert made({"pvc": pvc}, SC, storage_profile("sc", *NAS_SETS)) == (taken, FS)


ONE_PART = "exactly one of spec.pvc and spec.storage must be set"
WHY: list[tuple[Object, str]] = [
    ({}, ONE_PART),
    ({"pvc": {}, "storage": {}}, ONE_PART),
    ({"pvc": {"storageClassName": "sc"}}, "spec.pvc sets no access mode"),
    (asking(None, BLOCK, "archive"), "an archive cannot be written to a Block volume"),
    (asking(None, FS), f"{NONE_OFFERED} for volumeMode Filesystem"),
    (asking(None, None, name=None), f"{NO_MODE}the cluster has no default StorageClass"),
    (asking(None, None, name="nowhere"), f'{NO_MODE}StorageClass "nowhere" does not exist'),
    (asking(None, None, name=""), f'{NO_MODE}StorageClass "" does not exist'),
]


@pytest.mark.parametrize(("spec", "why"), WHY, ids=repr)
def test_where_cdi_creates_no_pvc_it_says_why(spec: Object, why: str) -> None:
    assert rendered(spec, SC, storage_profile("sc", *SAN_SETS)) == why


SOURCES: list[tuple[Object, SourceFacts | None]] = [
    ({"source": {"pvc": {"name": "a"}}}, SourceFacts("pvc", "a", NAMESPACE)),
    ({"source": {"snapshot": {"name": "s", "namespace": "images"}}}, SourceFacts("snapshot", "s", "images")),
    ({"sourceRef": {"kind": "DataSource", "name": "d"}}, SourceFacts("DataSource", "d", NAMESPACE)),
    ({"sourceRef": {"kind": "DataSource", "name": "d", "namespace": "i"}}, SourceFacts("DataSource", "d", "i")),
    ({"source": {"blank": {}}}, None),
    ({"source": None, "sourceRef": {"name": "d"}}, None),
    ({"source": {"pvc": {"name": 5}}}, None),
]
ASKED = {"accessModes": [RWX], "volumeMode": FS, "storageClassName": "sc"}


@pytest.mark.parametrize("part", ["storage", "pvc"])
@pytest.mark.parametrize(("filled", "source"), SOURCES, ids=[repr(row[0]) for row in SOURCES])
def test_the_source_is_kept_unless_a_pvc_has_its_own(filled: Object, source: SourceFacts | None, part: str) -> None:
    assert rendered({part: ASKED, **filled}, SC) == asked_for(RWX, FS, "sc", source=source)
    by_trident = asked_for(RWX, FS, "sc", source=SourceFacts("VolumeSnapshot", "s", ""), made_by_cdi=False)
    for key in ("dataSource", "dataSourceRef"):
        own = {**ASKED, key: {"kind": "VolumeSnapshot", "name": "s"}}
        assert rendered({part: own, **filled}, SC) == by_trident


def test_the_requested_volume_and_the_annotations_of_a_data_volume_are_passed_on() -> None:
    annotations = {"importBackendUUID": "u"}
    for part in ("storage", "pvc"):
        found = rendered({part: {**ASKED, "volumeName": "pv"}}, SC, annotations=annotations)
        assert found == asked_for(RWX, FS, "sc", volume_name="pv", annotations=annotations)


ROWS = 924


def agrees(row: dict[str, Any], cluster: Snapshot) -> bool:
    found, expected = rendered(row["spec"], cluster=cluster), row["claim"]
    if isinstance(found, str) or expected is None:
        return isinstance(found, str) and expected is None
    asked = [[*found.access_modes], found.volume_mode, found.storage_class]
    return asked == [expected.get(key) for key in ("accessModes", "volumeMode", "storageClassName")]


def test_every_pvc_of_the_oracle_is_rendered_as_cdi_made_it(report: Report) -> None:
    oracle = beside("oracle", "the tables of test_rendering hold each of CDI's rules once")
    cluster = Snapshot(json.loads((oracle / "cdi_cluster.json").read_text(encoding="utf-8")))
    rows = [json.loads(line) for line in (oracle / "cdi_claims.jsonl").read_text(encoding="utf-8").splitlines()]
    differing = [row["id"] for row in rows if not agrees(row, cluster)]
    report(f"{len(rows) - len(differing)} of {len(rows)} PVCs agree with CDI")
    assert (differing, len(rows)) == ([], ROWS)

"""The PVC that CDI makes of a DataVolume's spec."""

from typing import Any

import pytest

from tests.build import NAMESPACE, RWO, RWX, TRIDENT, Object, storage_class, storage_profile
from webhook.cluster import Snapshot
from webhook.cluster.facts import SourceFacts
from webhook.storage.model import ClaimRequest
from webhook.storage.rendering import NotRendered, render

DEFAULT = "storageclass.kubernetes.io/is-default-class"
VIRT_DEFAULT = "storageclass.kubevirt.io/is-default-virt-class"
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
NAS_SETS = (([RWX], "Filesystem"), ([RWO], "Filesystem"))
SAN_SETS = (([RWX], "Block"),)

ROX = "ReadOnlyMany"
FS, BLOCK, NO_CLAIM = "Filesystem", "Block", None


def rendered(spec: Object, *objects: Object) -> ClaimRequest | None:
    try:
        return render(spec, NAMESPACE, Snapshot(objects))
    except NotRendered:
        return None


def denied(spec: Object, *objects: Object) -> str:
    with pytest.raises(NotRendered) as caught:
        render(spec, NAMESPACE, Snapshot(objects))
    return str(caught.value)


def asking(access: str | None, mode: str | None, content: str | None = None, name: str | None = "sc") -> Object:
    storage = {"accessModes": [access] if access else None, "volumeMode": mode, "storageClassName": name}
    spec: Object = {"storage": {key: value for key, value in storage.items() if value is not None}}
    return {**spec, "contentType": content} if content else spec


def asked_for(access: str, mode: str, name: str, **more: Any) -> ClaimRequest:
    return ClaimRequest((access,), mode, name, NAMESPACE, made_by_cdi=True, **more)


def outcome(found: ClaimRequest | None) -> tuple[str, str] | None:
    return ("+".join(found.access_modes), found.volume_mode) if found else None


TRIDENT_TABLE = [
    # family          asked access, mode     made
    ("ontap-san", None, None, (RWX, BLOCK)),
    ("ontap-san", RWO, None, (RWO, FS)),
    ("ontap-san", RWX, None, (RWX, BLOCK)),
    ("ontap-san", None, BLOCK, (RWX, BLOCK)),
    ("ontap-san", None, FS, NO_CLAIM),
    ("ontap-san", RWX, FS, (RWX, FS)),
    ("ontap-nas", None, None, (RWX, FS)),
    ("ontap-nas", RWO, None, (RWO, FS)),
    ("ontap-nas", RWX, None, (RWX, FS)),
    ("ontap-nas", None, BLOCK, NO_CLAIM),
    ("ontap-nas", None, FS, (RWX, FS)),
    ("ontap-nas", RWX, FS, (RWX, FS)),
    ("solidfire-san", None, None, NO_CLAIM),
    ("solidfire-san", RWO, None, (RWO, FS)),
    ("solidfire-san", RWX, None, (RWX, FS)),
    ("solidfire-san", None, BLOCK, NO_CLAIM),
    ("solidfire-san", None, FS, NO_CLAIM),
    ("solidfire-san", RWX, FS, (RWX, FS)),
]
PROFILES = {"ontap-san": SAN_SETS, "ontap-nas": NAS_SETS, "solidfire-san": ()}


def _row(row: tuple[Any, ...]) -> str:
    return f"{row[0]}-{row[1] or 'no access'}-{row[2] or 'no mode'}"


@pytest.mark.parametrize(("driver", "access", "mode", "made"), TRIDENT_TABLE, ids=map(_row, TRIDENT_TABLE))
def test_trident_by_the_profile(driver: str, access: str | None, mode: str | None, made: tuple[str, str]) -> None:
    objects = (storage_class("sc", backendType=driver), storage_profile("sc", *PROFILES[driver]))
    assert outcome(rendered(asking(access, mode), *objects)) == made


@pytest.mark.parametrize("suffix", ["", "-economy", "-flexgroup"])
@pytest.mark.parametrize(("driver", "access", "mode", "made"), TRIDENT_TABLE, ids=map(_row, TRIDENT_TABLE))
def test_trident_without_a_profile_is_predicted_from_the_class(
    driver: str, access: str | None, mode: str | None, made: tuple[str, str], suffix: str
) -> None:
    assert outcome(rendered(asking(access, mode), storage_class("sc", backendType=driver + suffix))) == made


def test_a_profile_that_says_otherwise_goes_before_the_class() -> None:
    objects = (storage_class("sc", backendType="ontap-san"), storage_profile("sc", *NAS_SETS))
    assert outcome(rendered(asking(None, None), *objects)) == (RWX, FS)


def test_a_profile_that_offers_nothing_goes_before_the_class() -> None:
    objects = (storage_class("sc", backendType="ontap-san"), storage_profile("sc"))
    assert "StorageProfile" in denied(asking(None, None), *objects)


def test_a_profile_whose_status_is_not_written_yet_is_predicted_from_the_class() -> None:
    objects = (storage_class("sc", backendType="ontap-san"), {**storage_profile("sc"), "status": {}})
    assert outcome(rendered(asking(None, None), *objects)) == (RWX, BLOCK)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"trident.netapp.io/backendType": "ontap-san"}, {"backendType": "Ontap-San"}, {"sanType": "iscsi"}],
    ids=repr,
)
def test_a_class_that_cdi_does_not_recognize_offers_nothing(parameters: Object) -> None:
    assert "StorageProfile" in denied(asking(None, None), storage_class("sc", **parameters))


@pytest.mark.parametrize(
    ("selector", "made"),
    [("performance=flex", (RWX, FS)), ("a=b; performance=flex", (RWX, FS)), ("performance=standard", None)],
)
def test_flex_pools_of_google_are_recognized_by_the_selector(selector: str, made: tuple[str, str] | None) -> None:
    found = storage_class("sc", backendType="google-cloud-netapp-volumes", selector=selector)
    assert outcome(rendered(asking(None, None), found)) == made


def test_a_class_of_another_provisioner_without_a_profile_offers_nothing() -> None:
    found = storage_class("sc", provisioner="rbd.csi.ceph.com", backendType="ontap-nas")
    assert "StorageProfile" in denied(asking(None, None), found)


MIXED = (([ROX], BLOCK), ([RWO], FS))
ONE_BLOCK = (([RWO], BLOCK),)
PROFILE_TABLE = [
    # sets          content    asked            made
    (ONE_BLOCK, None, None, None, (RWO, BLOCK)),
    (ONE_BLOCK, None, None, BLOCK, (RWO, BLOCK)),
    (ONE_BLOCK, None, RWO, None, (RWO, BLOCK)),
    (ONE_BLOCK, None, None, FS, NO_CLAIM),
    (ONE_BLOCK, None, RWX, None, (RWX, FS)),
    (ONE_BLOCK, None, RWX, FS, (RWX, FS)),
    (MIXED, None, None, None, (ROX, BLOCK)),
    (MIXED, "archive", None, None, (RWO, FS)),
    (MIXED, None, None, FS, (RWO, FS)),
    (MIXED, None, RWO, None, (RWO, FS)),
    (MIXED, "archive", None, BLOCK, NO_CLAIM),
    ((([RWX], BLOCK), ([RWO], BLOCK), ([RWO], FS)), "archive", None, None, (RWO, FS)),
    ((([RWX], BLOCK),), "archive", RWX, None, (RWX, FS)),
    ((([RWX], BLOCK),), "archive", None, None, NO_CLAIM),
    ((([], BLOCK), ([RWX], BLOCK)), None, None, BLOCK, (RWX, BLOCK)),
    ((([RWX, RWO], BLOCK),), None, None, None, (f"{RWX}+{RWO}", BLOCK)),
    ((([RWX, RWO], BLOCK), ([RWO], FS)), None, RWO, None, (RWO, BLOCK)),
]


@pytest.mark.parametrize(("sets", "content", "access", "mode", "made"), PROFILE_TABLE)
def test_modes_left_out_come_from_the_first_set_that_fits(
    sets: Any, content: str | None, access: str | None, mode: str | None, made: tuple[str, str] | None
) -> None:
    objects = (storage_class("sc", provisioner="any.example.com"), storage_profile("sc", *sets))
    assert outcome(rendered(asking(access, mode, content), *objects)) == made


def test_an_archive_on_a_block_volume_is_told_as_the_reason() -> None:
    assert "archive" in denied(asking(None, BLOCK, "archive"), storage_class("sc"))


def default_class(name: str, created: str = OLD, virt: bool = False) -> Object:
    return storage_class(name, created=created, annotations={VIRT_DEFAULT if virt else DEFAULT: "true"})


CLASS_TABLE = [
    ("one default", [default_class("a")], None, "a"),
    ("no mark", [storage_class("a")], None, None),
    ("a mark that is not true", [storage_class("a", annotations={DEFAULT: "True"})], None, None),
    ("virt before newer default", [default_class("a", NEW), default_class("v", OLD, virt=True)], None, "v"),
    ("archive takes no virt default", [default_class("a"), default_class("v", virt=True)], "archive", "a"),
    ("virt alone", [default_class("v", virt=True)], None, "v"),
    ("virt alone, archive", [default_class("v", virt=True)], "archive", None),
    ("newest default", [default_class("a", OLD), default_class("b", NEW)], None, "b"),
    ("newest virt", [default_class("a", NEW, virt=True), default_class("b", OLD, virt=True)], None, "a"),
    ("same age, first name", [default_class("b"), default_class("a")], None, "a"),
    ("same age, first name, virt", [default_class("b", virt=True), default_class("a", virt=True)], None, "a"),
]


@pytest.mark.parametrize(
    ("classes", "content", "taken"), [row[1:] for row in CLASS_TABLE], ids=[r[0] for r in CLASS_TABLE]
)
def test_the_class_that_is_taken_where_none_is_named(
    classes: list[Object], content: str | None, taken: str | None
) -> None:
    found = rendered(asking(RWX, FS, content, name=None), *classes)
    assert found is not None
    assert found.storage_class == taken


def test_a_named_class_goes_before_every_default() -> None:
    objects = (storage_class("sc"), default_class("a"), default_class("v", virt=True))
    found = rendered(asking(RWX, None), *objects)
    assert found is not None
    assert found.storage_class == "sc"


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_a_missing_class_is_no_reason_where_the_access_mode_is_given(name: str) -> None:
    found = rendered(asking(RWX, None, name=name), default_class("a"))
    assert found == asked_for(RWX, FS, name)


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_a_missing_class_without_an_access_mode_makes_no_pvc_and_is_named(name: str) -> None:
    assert f'"{name}"' in denied(asking(None, None, name=name), default_class("a"))


def test_no_class_at_all_without_an_access_mode_makes_no_pvc() -> None:
    assert "no default StorageClass" in denied(asking(None, None, name=None))


@pytest.mark.parametrize("mode", [None, FS, BLOCK])
def test_the_pvc_part_is_taken_as_it_stands(mode: str | None) -> None:
    pvc = {"accessModes": [RWO], "storageClassName": "sc", **({"volumeMode": mode} if mode else {})}
    objects = (storage_class("sc", backendType="ontap-san"), storage_profile("sc", *SAN_SETS))
    assert rendered({"pvc": pvc}, *objects) == asked_for(RWO, mode or FS, "sc")


def test_the_pvc_part_takes_kubernetes_default_class_never_the_virt_default() -> None:
    classes = (default_class("a"), default_class("v", NEW, virt=True))
    assert rendered({"pvc": {"accessModes": [RWX]}}, *classes) == asked_for(RWX, FS, "a")


def test_the_pvc_part_without_an_access_mode_makes_no_pvc() -> None:
    assert "access mode" in denied({"pvc": {"storageClassName": "sc"}}, storage_class("sc", provisioner=TRIDENT))


@pytest.mark.parametrize("spec", [{}, {"pvc": {}, "storage": {}}, {"pvc": None, "storage": 3}], ids=repr)
def test_both_parts_or_neither_make_no_pvc(spec: Object) -> None:
    assert "exactly one" in denied(spec)


@pytest.mark.parametrize("access", [(), (RWO,)], ids=["no access", "access given"])
def test_the_pvc_part_may_leave_its_volume_mode_to_cdi(access: tuple[str, ...]) -> None:
    objects = (storage_class("sc", backendType="ontap-san"), storage_profile("sc", *NAS_SETS))
    pvc: Object = {"storageClassName": "sc", "volumeMode": "FromStorageProfile", "accessModes": list(access)}
    assert outcome(rendered({"pvc": pvc}, *objects)) == (access[0] if access else RWX, FS)


SOURCES: list[tuple[Object, SourceFacts | None]] = [
    ({"source": {"pvc": {"name": "a"}}}, SourceFacts("pvc", "a", NAMESPACE)),
    ({"source": {"pvc": {"name": "a", "namespace": "images"}}}, SourceFacts("pvc", "a", "images")),
    ({"source": {"snapshot": {"name": "s", "namespace": "images"}}}, SourceFacts("snapshot", "s", "images")),
    ({"sourceRef": {"kind": "DataSource", "name": "d"}}, SourceFacts("DataSource", "d", NAMESPACE)),
    ({"sourceRef": {"kind": "DataSource", "name": "d", "namespace": "i"}}, SourceFacts("DataSource", "d", "i")),
    ({"source": {"blank": {}}}, None),
    ({"source": {"http": {"url": "http://example.com"}}}, None),
    ({"source": None, "sourceRef": {"name": "d"}}, None),
    ({"source": {"pvc": {"name": 5}}}, None),
]


@pytest.mark.parametrize("part", ["storage", "pvc"])
@pytest.mark.parametrize(("filled", "source"), SOURCES, ids=[repr(row[0]) for row in SOURCES])
def test_what_a_pvc_is_filled_from_is_kept_and_decides_no_mode(
    filled: Object, source: SourceFacts | None, part: str
) -> None:
    spec = {part: {"accessModes": [RWX], "volumeMode": FS, "storageClassName": "sc"}, **filled}
    assert rendered(spec, storage_class("sc")) == asked_for(RWX, FS, "sc", source=source)


def test_an_archive_is_known_as_one() -> None:
    objects = (storage_class("sc"), storage_profile("sc", *NAS_SETS))
    assert rendered(asking(None, None, "archive"), *objects) == asked_for(RWX, FS, "sc", is_archive=True)


@pytest.mark.parametrize("part", ["storage", "pvc"])
def test_a_volume_that_is_asked_for_and_the_annotations_of_the_data_volume_come_to_the_pvc(part: str) -> None:
    asked = {"accessModes": [RWX], "volumeMode": FS, "storageClassName": "sc", "volumeName": "pv"}
    annotations = {"importBackendUUID": "u"}
    found = render({part: asked}, NAMESPACE, Snapshot([storage_class("sc")]), annotations)
    assert found == asked_for(RWX, FS, "sc", volume_name="pv", annotations=annotations)


@pytest.mark.parametrize("part", ["storage", "pvc"])
@pytest.mark.parametrize("key", ["dataSource", "dataSourceRef"])
def test_a_data_source_of_the_pvc_itself_is_not_filled_by_cdi(part: str, key: str) -> None:
    asked = {
        "accessModes": [RWX],
        "volumeMode": FS,
        "storageClassName": "sc",
        key: {"kind": "VolumeSnapshot", "name": "s"},
    }
    found = rendered({part: asked, "source": {"pvc": {"name": "other"}}}, storage_class("sc"))
    assert found == ClaimRequest((RWX,), FS, "sc", NAMESPACE, source=SourceFacts("VolumeSnapshot", "s", ""))

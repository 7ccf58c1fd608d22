"""KubeVirt's objects as VMs: volumes, PVCs, field paths, requests and templates."""

from typing import Any

import pytest

from tests.build import Object, data_volume_disk, data_volume_template, disk, host_disk, vm, vmi, volume_request
from tests.kubevirt.test_instancetypes import read
from webhook.kubevirt.model import VM
from webhook.kubevirt.reader import KINDS, is_vm

VOLUME = "spec.template.spec.volumes[0]"
REQUESTED = "status.volumeRequests[{}].addVolumeOptions.volumeSource.{}"


def volumes_of(found: VM) -> list[tuple[str, str | None, str | None, str]]:
    return [(volume.name, volume.source, volume.claim, volume.field) for volume in found.volumes]


def requested(*requests: Any, declared: tuple[Object, ...] = ()) -> VM:
    return read(vm(*declared, status={"volumeRequests": list(requests)}))


@pytest.mark.parametrize(("make", "root"), [(vm, "spec.template.spec"), (vmi, "spec")])
def test_volumes_are_read_in_order_with_the_pvc_that_each_source_names(make: Any, root: str) -> None:
    found = read(make(disk("claim-a", "disk-a"), data_volume_disk("dv-b", "disk-b"), host_disk("h", shared=True)))
    assert volumes_of(found) == [
        ("disk-a", "persistentVolumeClaim", "claim-a", f"{root}.volumes[0].persistentVolumeClaim.claimName"),
        ("disk-b", "dataVolume", "dv-b", f"{root}.volumes[1].dataVolume.name"),
        ("h", "hostDisk", None, f"{root}.volumes[2].hostDisk"),
    ]
    assert [volume.attached for volume in found.volumes] == [True, True, False]
    assert found.volumes[2].body["shared"] is True


OTHERS = ("containerDisk", "memoryDump", "sourceOfTheFuture")
PVC, OF_CLAIM = "persistentVolumeClaim", {"persistentVolumeClaim": {"claimName": "c"}}
ENTRIES: list[tuple[object, str, str | None, str | None, str]] = [
    # a volume; its name, its source, its PVC, and its field below that of the volume
    *(({"name": "x", key: {"claimName": "no", "name": "no"}}, "x", key, None, f".{key}") for key in OTHERS),
    ({"name": "x", "ephemeral": OF_CLAIM}, "x", "ephemeral", "c", f".ephemeral.{PVC}.claimName"),
    *(
        ({"name": "x", key: {}, **OF_CLAIM}, "x", PVC, "c", f".{PVC}.claimName")
        for key in ("containerDisk", "hostDisk")
    ),
    *((entry, "", None, None, "") for entry in (None, "disk", {}, {"name": 5})),
    *(({"name": "x", PVC: body}, "x", None, None, "") for body in (None, "c")),
    ({"name": "x", PVC: {"claimName": 5}}, "x", PVC, None, f".{PVC}.claimName"),
    ({"name": "x", "dataVolume": {"name": ""}}, "x", "dataVolume", None, ".dataVolume.name"),
]


@pytest.mark.parametrize(("entry", "name", "source", "claim", "below"), ENTRIES, ids=repr)
def test_a_volume_is_read_as_far_as_possible_and_those_after_it_too(
    entry: object, name: str, source: str | None, claim: str | None, below: str
) -> None:
    found = read(vm(volumes=[entry, disk("root")]))
    first, second = volumes_of(found)
    assert first == (name, source, claim, f"{VOLUME}{below}")
    assert [volume.attached for volume in found.volumes] == [source in (PVC, "dataVolume"), True]
    assert second[-1] == f"spec.template.spec.volumes[1].{PVC}.claimName"


def test_pending_requests_follow_the_declared_volumes_and_removals_remove_nothing() -> None:
    removal = {"removeVolumeOptions": {"name": "root"}}
    hot, data_volume = volume_request(disk("hot")), volume_request(data_volume_disk("dv"))
    found = requested(hot, removal, data_volume, volume_request(disk("root")), declared=(disk("root"),))
    assert volumes_of(found) == [
        *volumes_of(read(vm(disk("root")))),
        ("hot", "persistentVolumeClaim", "hot", REQUESTED.format(0, "persistentVolumeClaim.claimName")),
        ("dv", "dataVolume", "dv", REQUESTED.format(2, "dataVolume.name")),
    ]


@pytest.mark.parametrize("value", [None, "text", 5, {"name": "x"}, True], ids=repr)
def test_what_is_not_a_list_holds_no_volumes_requests_or_templates(value: object) -> None:
    found = read(vm(volumes=value, status={"volumeRequests": value}, spec={"dataVolumeTemplates": value}))
    assert (found.volumes, found.data_volume_templates) == ((), {})


OPTIONS: list[object] = [None, {"name": "x", "volumeSource": "y"}]
METADATA: list[object] = [None, {"name": 5}, {"name": ""}]
KEYS = [("addVolumeOptions", value) for value in OPTIONS] + [("metadata", value) for value in METADATA]


@pytest.mark.parametrize("entry", [None, 7, "hot", [], {}, *({key: value} for key, value in KEYS)], ids=repr)
def test_a_request_or_template_of_a_wrong_type_is_ignored(entry: object) -> None:
    found = read(vm(status={"volumeRequests": [entry]}, spec={"dataVolumeTemplates": [entry]}))
    assert (found.volumes, found.data_volume_templates) == ((), {})


TEMPLATES: list[object] = [None, {}, {"spec": None}, {"spec": 3}]


@pytest.mark.parametrize("spec", [None, [], "x", {}, *({"template": found} for found in TEMPLATES)], ids=repr)
def test_without_a_template_only_requests_add_volumes(spec: object) -> None:
    found = read({**vm(), "spec": spec, "status": {"volumeRequests": [volume_request(disk("h"))]}})
    assert found.template is None
    assert [volume.claim for volume in found.volumes] == ["h"]


def test_a_data_volume_template_is_found_by_name_with_the_field_that_describes_its_pvc() -> None:
    templates = [
        data_volume_template("a", storage={"accessModes": ["X"]}),
        data_volume_template("b", pvc={"accessModes": ["X"]}),
        data_volume_template("c"),
        data_volume_template("a", pvc={"accessModes": ["Y"]}),
    ]
    found = read(vm(spec={"dataVolumeTemplates": templates})).data_volume_templates
    assert {name: (template.spec, template.field) for name, template in found.items()} == {
        "a": ({"storage": {"accessModes": ["X"]}}, "spec.dataVolumeTemplates[0].spec.storage"),
        "b": ({"pvc": {"accessModes": ["X"]}}, "spec.dataVolumeTemplates[1].spec.pvc"),
        "c": ({}, "spec.dataVolumeTemplates[2].spec"),
    }


def test_a_vmi_has_no_data_volume_templates() -> None:
    assert read(vmi(dataVolumeTemplates=[data_volume_template("a", storage={})])).data_volume_templates == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("None", "None"), (None, None), ("", None), (5, "5"), (False, "False"), ([], "[]"), ({"a": 1}, "{'a': 1}")],
    ids=repr,
)
@pytest.mark.parametrize(
    ("make", "field"), [(vm, "spec.template.spec.evictionStrategy"), (vmi, "spec.evictionStrategy")]
)
def test_an_eviction_strategy_that_is_not_a_string_is_explicit(
    make: Any, field: str, value: object, expected: str | None
) -> None:
    found = read(make(evictionStrategy=value))
    assert (found.eviction_strategy, found.eviction_field) == (expected, field)


@pytest.mark.parametrize(("created", "expected"), [(True, True), (False, False), (None, False), ("true", False)])
def test_a_vm_has_a_vmi_once_its_status_says_so(created: object, expected: bool) -> None:
    assert read(vm(status={"created": created})).has_instance is expected


def test_a_volume_migration_is_read_from_the_status() -> None:
    moved = [{"volumeName": "a", "sourcePVCInfo": {"claimName": "from"}}, {"volumeName": 5}, None, "x"]
    of_vmi = read({**vmi(disk("a")), "status": {"migratedVolumes": moved}})
    assert (sorted(of_vmi.migrated_volumes), sorted(of_vmi.former_claims)) == (["a"], ["from"])
    state = {"volumeMigrationState": {"migratedVolumes": moved}}
    of_vm = read(vm(disk("a"), status={"volumeUpdateState": state}))
    assert (sorted(of_vm.migrated_volumes), sorted(of_vm.former_claims)) == ([], ["from"])


def test_a_vm_is_named_by_its_metadata() -> None:
    found, generated = read(vm(name="web")), read({**vm(), "metadata": {"generateName": "web-"}})
    assert (found.kind, found.namespace, found.name) == ("VirtualMachine", "vms", "web")
    assert (generated.kind, generated.namespace, generated.name) == ("VirtualMachine", "default", "web-")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("version", ["v1", "v1alpha3"])
def test_a_vm_is_recognized_by_its_group_and_kind_in_every_version(kind: str, version: str) -> None:
    group, other = ("pool.kubevirt.io", "kubevirt.io")[:: 1 if kind == "VirtualMachinePool" else -1]
    assert is_vm({"apiVersion": f"{group}/{version}", "kind": kind})
    assert not is_vm({"apiVersion": f"{other}/{version}", "kind": kind})


@pytest.mark.parametrize("obj", [None, [], {}, {"kind": "VirtualMachine"}], ids=repr)
def test_anything_else_is_not_a_vm(obj: object) -> None:
    assert not is_vm(obj)
    assert not is_vm({"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt"})


def test_reading_another_kind_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="'Pod'"):
        read({"apiVersion": "v1", "kind": "Pod"})


@pytest.mark.parametrize(("declared", "asked"), [(256, 256), (257, 1), (1, 300), (5000, 5000)])
def test_volumes_beyond_what_kubevirt_allows_are_not_evaluated_and_that_is_reported(declared: int, asked: int) -> None:
    found = requested(
        *(volume_request(disk(f"hot{index}")) for index in range(asked)),
        declared=tuple(disk(f"d{index}") for index in range(declared)),
    )
    assert len(found.volumes) == min(declared, 256) + min(asked, 256)
    most = max(declared, asked)
    assert [phrase.split()[0] for phrase in found.not_evaluated] == ([str(most)] if most > 256 else [])

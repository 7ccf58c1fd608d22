"""KubeVirt's objects as VMs: volumes, PVCs, field paths, requests and templates."""

from typing import Any

import pytest

from tests.build import (
    NAMESPACE,
    Object,
    data_volume_disk,
    data_volume_template,
    disk,
    host_disk,
    vm,
    vmi,
    volume_request,
)
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import KINDS, VM, is_vm, read_vm

VM_VOLUMES = "spec.template.spec.volumes"
REQUESTED = "status.volumeRequests[{}].addVolumeOptions.volumeSource.{}"


def read(obj: Object) -> VM:
    return read_vm(obj, Snapshot(), KubeVirtFacts())


def volumes_of(vm_object: VM) -> list[tuple[str, str | None, str | None, str]]:
    return [(volume.name, volume.source, volume.claim, volume.field) for volume in vm_object.volumes]


def requested(*requests: Any, declared: tuple[Object, ...] = ()) -> VM:
    return read(vm(*declared, status={"volumeRequests": list(requests)}))


def test_volumes_of_a_virtual_vm_stand_in_its_template() -> None:
    vm_object = read(vm(disk("root"), data_volume_disk("data")))
    assert volumes_of(vm_object) == [
        ("root", "persistentVolumeClaim", "root", f"{VM_VOLUMES}[0].persistentVolumeClaim.claimName"),
        ("data", "dataVolume", "data", f"{VM_VOLUMES}[1].dataVolume.name"),
    ]


def test_volumes_of_an_vmi_stand_in_its_spec() -> None:
    vm_object = read(vmi(disk("root"), data_volume_disk("data")))
    assert [volume.field for volume in vm_object.volumes] == [
        "spec.volumes[0].persistentVolumeClaim.claimName",
        "spec.volumes[1].dataVolume.name",
    ]


def test_a_pvc_is_named_by_the_source_not_by_the_volume() -> None:
    vm_object = read(vm(disk("claim-a", "disk-a"), data_volume_disk("dv-b", "disk-b")))
    assert [(volume.name, volume.claim) for volume in vm_object.volumes] == [("disk-a", "claim-a"), ("disk-b", "dv-b")]


@pytest.mark.parametrize(
    "source", ["containerDisk", "cloudInitNoCloud", "emptyDisk", "memoryDump", "sourceOfTheFuture"]
)
def test_other_sources_have_no_pvc(source: str) -> None:
    vm_object = read(vm({"name": "x", source: {"claimName": "no", "name": "no"}}))
    assert volumes_of(vm_object) == [("x", source, None, f"{VM_VOLUMES}[0].{source}")]


def test_an_ephemeral_volume_has_a_pvc_that_is_not_the_disk_itself() -> None:
    (volume,) = read(vm({"name": "x", "ephemeral": {"persistentVolumeClaim": {"claimName": "c"}}})).volumes
    assert (volume.source, volume.claim, volume.attached) == ("ephemeral", "c", False)
    assert volume.field == f"{VM_VOLUMES}[0].ephemeral.persistentVolumeClaim.claimName"


@pytest.mark.parametrize("volume", [disk("c"), data_volume_disk("c")], ids=["claim", "DataVolume"])
def test_a_pvc_of_a_volume_is_the_disk_itself(volume: Object) -> None:
    assert [found.attached for found in read(vm(volume)).volumes] == [True]


def test_a_host_disk_keeps_what_it_says() -> None:
    (volume,) = read(vm(host_disk("local", shared=True))).volumes
    assert volume.source == "hostDisk"
    assert volume.body["shared"] is True


@pytest.mark.parametrize("other", ["containerDisk", "hostDisk"])
def test_of_two_sources_the_pvc_counts(other: str) -> None:
    (volume,) = read(vm({"name": "x", other: {}, "persistentVolumeClaim": {"claimName": "c"}})).volumes
    assert (volume.source, volume.claim) == ("persistentVolumeClaim", "c")


def test_a_pending_request_counts_as_a_volume_behind_the_declared_ones() -> None:
    vm_object = requested(volume_request(disk("hot")), volume_request(data_volume_disk("dv")), declared=(disk("root"),))
    assert volumes_of(vm_object)[1:] == [
        ("hot", "persistentVolumeClaim", "hot", REQUESTED.format(0, "persistentVolumeClaim.claimName")),
        ("dv", "dataVolume", "dv", REQUESTED.format(1, "dataVolume.name")),
    ]


def test_a_request_for_a_declared_name_is_not_counted_twice() -> None:
    vm_object = requested(volume_request(disk("root")), declared=(disk("root"),))
    assert [volume.field for volume in vm_object.volumes] == [f"{VM_VOLUMES}[0].persistentVolumeClaim.claimName"]


def test_a_pending_removal_takes_nothing_away() -> None:
    removal = {"removeVolumeOptions": {"name": "root"}}
    assert volumes_of(requested(removal, declared=(disk("root"),))) == volumes_of(read(vm(disk("root"))))


def test_the_index_of_a_request_counts_removals() -> None:
    vm_object = requested({"removeVolumeOptions": {"name": "x"}}, volume_request(disk("hot")))
    assert [volume.field for volume in vm_object.volumes] == [REQUESTED.format(1, "persistentVolumeClaim.claimName")]


@pytest.mark.parametrize(
    "request_",
    [None, 7, "hot", [], {}, {"addVolumeOptions": None}, {"addVolumeOptions": {"name": "x", "volumeSource": "y"}}],
    ids=repr,
)
def test_a_request_of_the_wrong_shape_adds_nothing(request_: object) -> None:
    assert requested(request_).volumes == ()


@pytest.mark.parametrize("found", [None, "text", 5, {"name": "x"}, True], ids=repr)
def test_volumes_that_are_no_list_are_none(found: object) -> None:
    obj = vm()
    obj["spec"]["template"]["spec"]["volumes"] = found
    assert read(obj).volumes == ()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, ("", None, None, f"{VM_VOLUMES}[0]")),
        ("disk", ("", None, None, f"{VM_VOLUMES}[0]")),
        ([], ("", None, None, f"{VM_VOLUMES}[0]")),
        ({}, ("", None, None, f"{VM_VOLUMES}[0]")),
        ({"name": 5}, ("", None, None, f"{VM_VOLUMES}[0]")),
        ({"name": "x", "persistentVolumeClaim": None}, ("x", None, None, f"{VM_VOLUMES}[0]")),
        ({"name": "x", "persistentVolumeClaim": "c"}, ("x", None, None, f"{VM_VOLUMES}[0]")),
        (
            {"name": "x", "persistentVolumeClaim": {"claimName": 5}},
            ("x", "persistentVolumeClaim", None, f"{VM_VOLUMES}[0].persistentVolumeClaim.claimName"),
        ),
        ({"name": "x", "dataVolume": {"name": ""}}, ("x", "dataVolume", None, f"{VM_VOLUMES}[0].dataVolume.name")),
    ],
    ids=repr,
)
def test_a_volume_of_the_wrong_shape_is_read_as_far_as_it_goes(entry: object, expected: tuple[object, ...]) -> None:
    obj = vm()
    obj["spec"]["template"]["spec"]["volumes"] = [entry]
    assert volumes_of(read(obj)) == [expected]


def test_a_broken_volume_keeps_the_index_of_the_next() -> None:
    obj = vm(disk("root"))
    obj["spec"]["template"]["spec"]["volumes"].insert(0, None)
    assert read(obj).volumes[1].field == f"{VM_VOLUMES}[1].persistentVolumeClaim.claimName"


@pytest.mark.parametrize(
    "spec",
    [None, [], "x", {}, {"template": None}, {"template": {}}, {"template": {"spec": None}}, {"template": {"spec": 3}}],
    ids=repr,
)
def test_without_a_template_there_are_no_volumes_and_nothing_to_patch(spec: object) -> None:
    vm_object = read({**vm(), "spec": spec})
    assert vm_object.template is None
    assert vm_object.volumes == ()


def test_requests_count_where_the_template_is_null() -> None:
    vm_object = read({**vm(), "spec": {"template": None}, "status": {"volumeRequests": [volume_request(disk("h"))]}})
    assert [volume.claim for volume in vm_object.volumes] == ["h"]


@pytest.mark.parametrize("api", ["storage", "pvc"])
def test_a_template_of_a_data_volume_is_found_by_name_with_the_part_that_shapes_its_pvc(api: str) -> None:
    templates = [data_volume_template("a", storage={}), data_volume_template("b", **{api: {"accessModes": ["X"]}})]
    found = read(vm(spec={"dataVolumeTemplates": templates})).data_volume_templates
    assert sorted(found) == ["a", "b"]
    assert found["b"].spec == {api: {"accessModes": ["X"]}}
    assert found["b"].field == f"spec.dataVolumeTemplates[1].spec.{api}"


def test_of_two_templates_with_one_name_kubevirt_makes_the_first() -> None:
    templates = [data_volume_template("a", pvc={"accessModes": [mode]}) for mode in ("ReadWriteOnce", "ReadWriteMany")]
    found = read(vm(spec={"dataVolumeTemplates": templates})).data_volume_templates
    assert found["a"].spec["pvc"]["accessModes"] == ["ReadWriteOnce"]


def test_a_template_that_gives_neither_part_is_corrected_at_its_spec() -> None:
    found = read(vm(spec={"dataVolumeTemplates": [data_volume_template("a")]})).data_volume_templates
    assert found["a"].field == "spec.dataVolumeTemplates[0].spec"


@pytest.mark.parametrize(
    "templates",
    [None, {}, "x", [None], [5], [{}], [{"metadata": None}], [{"metadata": {"name": 5}}], [{"metadata": {"name": ""}}]],
    ids=repr,
)
def test_templates_of_the_wrong_shape_are_none(templates: object) -> None:
    assert read(vm(spec={"dataVolumeTemplates": templates})).data_volume_templates == {}


def test_an_vmi_has_no_templates() -> None:
    vm_object = read(vmi(dataVolumeTemplates=[data_volume_template("a", storage={})]))
    assert vm_object.data_volume_templates == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("None", "None"), (None, None), ("", None), (5, "5"), (False, "False"), ([], "[]"), ({"a": 1}, "{'a': 1}")],
    ids=repr,
)
def test_an_eviction_strategy_that_is_no_word_is_explicit_all_the_same(value: object, expected: str | None) -> None:
    assert read(vm(evictionStrategy=value)).eviction_strategy == expected
    assert read(vmi(evictionStrategy=value)).eviction_strategy == expected


def test_the_eviction_strategy_has_the_field_path_of_its_kind() -> None:
    assert read(vm()).eviction_field == "spec.template.spec.evictionStrategy"
    assert read(vmi()).eviction_field == "spec.evictionStrategy"


@pytest.mark.parametrize(("created", "expected"), [(True, True), (False, False), (None, False), ("true", False)])
def test_a_virtual_vm_has_an_vmi_once_its_status_says_so(created: object, expected: bool) -> None:
    assert read(vm(status={"created": created})).has_instance is expected


def test_volumes_that_are_being_moved_are_those_of_the_status_of_an_vmi() -> None:
    moved = [{"volumeName": "a", "sourcePVCInfo": {}}, {"volumeName": 5}, None, "x"]
    assert read({**vmi(disk("a")), "status": {"migratedVolumes": moved}}).migrated_volumes == {"a"}


def test_a_vm_is_known_by_namespace_and_name() -> None:
    vm_object = read(vm(name="web"))
    assert (vm_object.kind, vm_object.namespace, vm_object.name) == ("VirtualMachine", NAMESPACE, "web")


def test_a_vm_without_namespace_stands_in_default_and_a_generated_name_is_shown_by_its_prefix() -> None:
    vm_object = read({**vm(), "metadata": {"generateName": "web-"}})
    assert (vm_object.namespace, vm_object.name) == ("default", "web-")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("version", ["v1", "v1alpha3"])
def test_a_vm_is_one_in_whatever_version(kind: str, version: str) -> None:
    group = "pool.kubevirt.io" if kind == "VirtualMachinePool" else "kubevirt.io"
    assert is_vm({"apiVersion": f"{group}/{version}", "kind": kind})


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [],
        {},
        {"kind": "VirtualMachine"},
        {"apiVersion": "example.com/v1", "kind": "VirtualMachine"},
        {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt"},
        {"apiVersion": "clone.kubevirt.io/v1beta1", "kind": "VirtualMachine"},
        {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachinePool"},
    ],
    ids=repr,
)
def test_anything_else_is_no_vm(obj: object) -> None:
    assert not is_vm(obj)


def test_reading_another_kind_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="'Pod'"):
        read({"apiVersion": "v1", "kind": "Pod"})


@pytest.mark.parametrize(("declared", "asked"), [(256, 256), (257, 1), (1, 300), (5000, 5000)])
def test_volumes_beyond_what_kubevirt_allows_are_not_evaluated_and_that_is_said(declared: int, asked: int) -> None:
    vm_object = requested(
        *(volume_request(disk(f"hot{index}")) for index in range(asked)),
        declared=tuple(disk(f"d{index}") for index in range(declared)),
    )
    assert len(vm_object.volumes) == min(declared, 256) + min(asked, 256)
    most = max(declared, asked)
    assert [phrase.split()[0] for phrase in vm_object.not_evaluated] == ([str(most)] if most > 256 else [])

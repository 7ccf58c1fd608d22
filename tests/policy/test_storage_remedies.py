"""The remedy of a disk names what can be changed where the disk comes from: its template, its DataVolume, its PVC."""

import copy
import re

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    storage_class,
    templated_vm,
    vm,
    vmi,
)
from tests.policy.samples import STRICT
from webhook import Verdict, evaluate

ON_SAN = {"storageClassName": "san", "accessModes": [RWX], "volumeMode": "Filesystem"}
TEMPLATE = "spec.dataVolumeTemplates[0].spec"


def evaluated(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects], settings=STRICT, final=True)


def remedies(vm_object: Object, *objects: Object) -> list[str]:
    return [violation.remedy for violation in evaluated(vm_object, *objects).violations]


def template_on_san(**spec: object) -> Object:
    return templated_vm("d", spec={"storage": {"storageClassName": "san", "accessModes": [RWO]}, **spec})


def corrected(vm_object: Object, objects: tuple[Object, ...], remedy: str) -> tuple[Object, list[Object]]:
    """Apply the words of a remedy to the first disk: to its template, its DataVolume, or a new PVC beside it."""
    asked: Object = {}
    if found := re.search(r"accessModes \[(\w+)\]", remedy):
        asked["accessModes"] = [found[1]]
    if found := re.search(r"volumeMode (\w+)", remedy):
        asked["volumeMode"] = found[1]
    elif found := re.search(r"storageClassName on (\S+)", remedy):
        asked["storageClassName"] = {"ontap-nas": "nas"}[found[1]]
    assert asked
    after = copy.deepcopy(vm_object)
    if found := re.search(r"in spec\.dataVolumeTemplates\[0\]\.spec\.(\w+)$", remedy):
        after["spec"]["dataVolumeTemplates"][0]["spec"][found[1]].update(asked)
        return after, list(objects)
    spec = after["spec"]["template"]["spec"] if after["kind"] == "VirtualMachine" else after["spec"]
    name = spec["volumes"][0]["name"]
    if found := re.search(r'in a new DataVolume "(\S+)"$', remedy):
        made = copy.deepcopy(next(obj for obj in objects if obj["metadata"]["name"] == found[1]))
        made["metadata"]["name"] = "corrected"
        made["spec"]["storage"].update(asked)
        spec["volumes"][0] = data_volume_disk("corrected", name)
        return after, [*objects, made]
    spec["volumes"][0] = disk("corrected", name)
    made = claim("corrected", RWO, storage_class="san" if "volumeMode" in asked else "nas")
    made["spec"].update(asked)
    return after, [*objects, made]


CORRECTABLE: dict[str, tuple[Object, ...]] = {
    "PVC of one node of a VMI": (vmi(disk("once")),),
    "PVC of one node in Block mode": (vm(disk("once-block")),),
    "filesystem of one node on SAN": (vm(disk("san-fs-once")),),
    "PVC of one node on a class that names no driver": (
        vm(disk("c")),
        storage_class("any"),
        claim("c", RWO, storage_class="any"),
    ),
    "template of one node": (templated_vm("d", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}}),),
    "template of one node on SAN": (template_on_san(),),
    "template of one node in Block mode": (
        templated_vm("d", spec={"storage": {**ON_SAN, "accessModes": [RWO], "volumeMode": "Block"}}),
    ),
    "template of a filesystem on SAN": (templated_vm("d", spec={"storage": ON_SAN}),),
    "pvc part of one node on SAN": (
        templated_vm("d", spec={"pvc": {"storageClassName": "san", "accessModes": [RWO]}}),
    ),
    "pvc part of one node on NAS": (
        templated_vm("d", spec={"pvc": {"storageClassName": "nas", "accessModes": [RWO]}}),
    ),
    "archive on SAN": (template_on_san(contentType="archive"),),
    "archive of many nodes on SAN": (templated_vm("d", spec={"storage": ON_SAN, "contentType": "archive"}),),
    "DataVolume to come of one node": (
        vm(data_volume_disk("d")),
        data_volume("d", storage={"storageClassName": "nas", "accessModes": [RWO]}),
    ),
    "DataVolume to come on SAN": (
        vm(data_volume_disk("d")),
        data_volume("d", storage={"storageClassName": "san", "accessModes": [RWO]}),
    ),
    "archive to come on SAN": (
        vm(data_volume_disk("d")),
        data_volume("d", contentType="archive", storage={"storageClassName": "san", "accessModes": [RWO]}),
    ),
}


@pytest.mark.parametrize("sample", CORRECTABLE.values(), ids=CORRECTABLE)
def test_each_remedy_applied_to_the_letter_admits_the_vm(sample: tuple[Object, ...]) -> None:
    vm_object, *objects = sample
    violations = evaluated(vm_object, *objects).violations
    assert violations
    for violation in violations:
        after, cluster = corrected(vm_object, tuple(objects), violation.remedy)
        assert evaluated(after, *cluster).violations == [], violation.remedy


def test_the_other_remedy_of_a_filesystem_on_san_admits_it() -> None:
    (remedy,) = remedies(templated_vm("d", spec={"storage": ON_SAN}))
    assert remedy.endswith(f"a storageClassName on ontap-nas in {TEMPLATE}.storage")
    assert remedies(templated_vm("d", spec={"storage": {**ON_SAN, "storageClassName": "nas"}})) == []


def test_an_archive_is_never_told_to_be_in_block_mode() -> None:
    found = remedies(template_on_san(contentType="archive"))
    assert found == [f"Set accessModes [{RWX}] and a storageClassName on ontap-nas in {TEMPLATE}.storage"] * 2


def test_a_data_volume_that_is_to_come_is_named_as_one_to_make_again() -> None:
    made = data_volume("d", storage={"storageClassName": "nas", "accessModes": [RWO]})
    assert remedies(vm(data_volume_disk("d", "root")), made) == [f'Set accessModes [{RWX}] in a new DataVolume "d"']


def test_a_data_volume_of_which_cdi_makes_nothing_is_named() -> None:
    made = data_volume("refused-one", storage={"storageClassName": "san", "volumeMode": "Filesystem"})
    (remedy,) = remedies(vm(data_volume_disk("refused-one", "root")), made)
    assert 'DataVolume "refused-one"' in remedy


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"storage": None}, TEMPLATE),
        ({}, TEMPLATE),
        ({"storage": {}, "pvc": None}, f"{TEMPLATE}.storage"),
        ({"storage": None, "pvc": {}}, f"{TEMPLATE}.pvc"),
        ({"storage": {"storageClassName": "gone"}}, f"{TEMPLATE}.storage"),
    ],
    ids=repr,
)
def test_a_template_of_which_cdi_makes_nothing_is_corrected_where_it_can_be(spec: Object, where: str) -> None:
    assert remedies(templated_vm("d", spec=spec)) == [f"Correct {where}"]

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
from webhook import Violation, evaluate

ON_SAN: Object = {"storageClassName": "san", "accessModes": [RWX], "volumeMode": "Filesystem"}
TEMPLATE = "spec.dataVolumeTemplates[0].spec"


def evaluated(vm_object: Object, *objects: Object) -> list[Violation]:
    return evaluate(vm_object, [*CLUSTER, *objects], settings=STRICT, final=True).violations


def remedies(vm_object: Object, *objects: Object) -> list[str]:
    return [violation.remedy for violation in evaluated(vm_object, *objects)]


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


def of_template(part: str = "storage", /, content: str | None = None, **asked: object) -> Object:
    return templated_vm("d", spec={part: asked, **({"contentType": content} if content else {})})


def of_data_volume(storage: str, **spec: object) -> tuple[Object, Object]:
    made = data_volume("d", storage={"storageClassName": storage, "accessModes": [RWO]}, **spec)
    return vm(data_volume_disk("d")), made


NAS_ONCE: Object = {"storageClassName": "nas", "accessModes": [RWO]}
SAN_ONCE: Object = {"storageClassName": "san", "accessModes": [RWO]}
ANY = storage_class("any")
CORRECTABLE: dict[str, tuple[Object, ...]] = {
    "PVC for one node of a VMI": (vmi(disk("once")),),
    "PVC for one node in Block mode": (vm(disk("once-block")),),
    "filesystem for one node on SAN": (vm(disk("san-fs-once")),),
    "PVC for one node, no driver named": (vm(disk("c")), ANY, claim("c", RWO, storage_class="any")),
    "template for one node": (of_template(**NAS_ONCE),),
    "template for one node on SAN": (of_template(**SAN_ONCE),),
    "template for one node in Block mode": (of_template(**SAN_ONCE, volumeMode="Block"),),
    "template of a filesystem on SAN": (of_template(**ON_SAN),),
    "pvc part for one node on SAN": (of_template("pvc", **SAN_ONCE),),
    "pvc part for one node on NAS": (of_template("pvc", **NAS_ONCE),),
    "archive on SAN": (of_template(content="archive", **SAN_ONCE),),
    "archive for many nodes on SAN": (of_template(content="archive", **ON_SAN),),
    "late DataVolume for one node": of_data_volume("nas"),
    "late DataVolume on SAN": of_data_volume("san"),
    "late archive on SAN": of_data_volume("san", contentType="archive"),
}


@pytest.mark.parametrize("sample", CORRECTABLE.values(), ids=CORRECTABLE)
def test_each_remedy_applied_to_the_letter_admits_the_vm(sample: tuple[Object, ...]) -> None:
    vm_object, *objects = sample
    violations = evaluated(vm_object, *objects)
    assert violations
    for violation in violations:
        after, cluster = corrected(vm_object, tuple(objects), violation.remedy)
        assert evaluated(after, *cluster) == [], violation.remedy


def test_the_other_remedy_of_a_filesystem_on_san_admits_it() -> None:
    (remedy,) = remedies(of_template(**ON_SAN))
    assert remedy.endswith(f"a storageClassName on ontap-nas in {TEMPLATE}.storage")
    assert remedies(of_template(**{**ON_SAN, "storageClassName": "nas"})) == []


def test_the_remedy_for_an_archive_never_asks_for_block_mode() -> None:
    remedy = f"Set accessModes [{RWX}] and a storageClassName on ontap-nas in {TEMPLATE}.storage"
    assert remedies(of_template(content="archive", **SAN_ONCE)) == [remedy] * 2


def test_the_remedy_for_a_late_data_volume_names_a_new_one() -> None:
    assert remedies(*of_data_volume("nas")) == [f'Set accessModes [{RWX}] in a new DataVolume "d"']


PARTS: list[tuple[Object, str]] = [
    ({"storage": None}, TEMPLATE),
    ({}, TEMPLATE),
    ({"storage": {}, "pvc": None}, f"{TEMPLATE}.storage"),
    ({"storage": None, "pvc": {}}, f"{TEMPLATE}.pvc"),
]


@pytest.mark.parametrize(("spec", "where"), PARTS, ids=repr)
def test_a_template_that_cdi_cannot_render_is_corrected_where_it_can_be(spec: Object, where: str) -> None:
    assert remedies(templated_vm("d", spec=spec)) == [f"Correct {where}"]

"""The remedy of a disk names what can be changed where the disk comes from: its template, its DataVolume, its PVC."""

from collections.abc import Callable

import pytest

from tests.build import (
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
from tests.policy.samples import STRICT, verdict

TEMPLATE = "spec.dataVolumeTemplates[0].spec"
ONE, MANY = {"accessModes": [RWO]}, {"accessModes": [RWX]}
BLOCK, FILES = {"volumeMode": "Block"}, {"volumeMode": "Filesystem"}
NAS, SAN, ANY = ({"storageClassName": name} for name in ("nas", "san", "any"))
ARCHIVE = {"contentType": "archive"}
TO_SHARE = f"accessModes [{RWX}]"
TO_BLOCK, TO_NAS = f"{TO_SHARE} and volumeMode Block", f"{TO_SHARE} and a storageClassName on ontap-nas"
CHANGES: dict[str, Object] = {TO_SHARE: MANY, TO_BLOCK: {**MANY, **BLOCK}, TO_NAS: {**MANY, **NAS}}
"""What doing the words of a remedy changes."""


def remedies(vm_object: Object, *objects: Object) -> list[str]:
    found = verdict(vm_object, storage_class("any"), *objects, final=True, rules=STRICT.rules)
    return [violation.remedy for violation in found.violations]


def pvc(spec: Object) -> Object:
    return claim("c", storage_class=None, **spec)


def late(spec: Object, **more: object) -> tuple[Object, ...]:
    return vm(data_volume_disk("d")), data_volume("d", storage=spec, **more)


PLACES: dict[str, tuple[str, Callable[[Object], tuple[Object, ...]]]] = {
    "PVC": ("Use another PVC, with {}", lambda spec: (vm(disk("c")), pvc(spec))),
    "PVC of a VMI": ("Use another PVC, with {}", lambda spec: (vmi(disk("c")), pvc(spec))),
    "template": (f"Set {{}} in {TEMPLATE}.storage", lambda spec: (templated_vm("d", spec={"storage": spec}),)),
    "pvc part": (f"Set {{}} in {TEMPLATE}.pvc", lambda spec: (templated_vm("d", spec={"pvc": spec}),)),
    "archive": (
        f"Set {{}} in {TEMPLATE}.storage",
        lambda spec: (templated_vm("d", spec={"storage": spec, **ARCHIVE}),),
    ),
    "late DataVolume": ('Set {} in a new DataVolume "d"', late),
    "late archive": ('Set {} in a new DataVolume "d"', lambda spec: late(spec, **ARCHIVE)),
}
CORRECTABLE: list[tuple[str, Object, list[str]]] = [
    ("PVC of a VMI", {**NAS, **ONE}, [TO_SHARE]),
    ("PVC", {**SAN, **ONE, **BLOCK}, [TO_BLOCK]),
    ("PVC", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("PVC", {**ANY, **ONE}, [TO_SHARE]),
    ("template", {**NAS, **ONE}, [TO_SHARE]),
    ("template", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("template", {**SAN, **ONE, **BLOCK}, [TO_BLOCK]),
    ("template", {**SAN, **MANY, **FILES}, [TO_BLOCK, TO_NAS]),
    ("pvc part", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("pvc part", {**NAS, **ONE}, [TO_SHARE]),
    ("archive", {**SAN, **ONE}, [TO_NAS]),
    ("archive", {**SAN, **MANY, **FILES}, [TO_NAS]),
    ("late DataVolume", {**NAS, **ONE}, [TO_SHARE]),
    ("late DataVolume", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("late archive", {**SAN, **ONE}, [TO_NAS]),
]


@pytest.mark.parametrize(("place", "spec", "asked"), CORRECTABLE)
def test_a_remedy_says_what_to_set_and_where_and_each_choice_admits_the_vm(
    place: str, spec: Object, asked: list[str]
) -> None:
    sentence, make = PLACES[place]
    assert set(remedies(*make(spec))) == {sentence.format(", or ".join(asked))}
    for words in asked:
        assert remedies(*make({**spec, **CHANGES[words]})) == []


PARTS: list[tuple[Object, str]] = [
    ({"storage": None}, TEMPLATE),
    ({}, TEMPLATE),
    ({"storage": {}, "pvc": None}, f"{TEMPLATE}.storage"),
    ({"storage": None, "pvc": {}}, f"{TEMPLATE}.pvc"),
]


@pytest.mark.parametrize(("spec", "where"), PARTS, ids=repr)
def test_a_template_that_cdi_cannot_render_is_corrected_where_it_can_be(spec: Object, where: str) -> None:
    assert remedies(templated_vm("d", spec=spec)) == [f"Correct {where}"]

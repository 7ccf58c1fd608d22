"""The remedy of a disk names what can be changed where the disk comes from: its template, its DataVolume, its PVC."""

from collections.abc import Callable

import pytest

from tests.build import RWO, RWX, Object, claim, data_volume, data_volume_disk, disk, storage_class, templated_vm, vm
from tests.policy.samples import STRICT, verdict

ONE, MANY = {"accessModes": [RWO]}, {"accessModes": [RWX]}
BLOCK, FILES = {"volumeMode": "Block"}, {"volumeMode": "Filesystem"}
NAS, SAN, ANY = ({"storageClassName": name} for name in ("nas", "san", "any"))
TO_SHARE = f"accessModes [{RWX}]"
TO_BLOCK, TO_NAS = f"{TO_SHARE} and volumeMode Block", f"{TO_SHARE} and a storageClassName on ontap-nas"
CHANGES: dict[str, Object] = {TO_SHARE: MANY, TO_BLOCK: {**MANY, **BLOCK}, TO_NAS: {**MANY, **NAS}}
"""What doing the words of a remedy changes."""
FROM_TEMPLATE = "Set {} in spec.dataVolumeTemplates[0].spec."


def remedies(vm_object: Object, *objects: Object) -> list[str]:
    found = verdict(vm_object, storage_class("any"), *objects, final=True, rules=STRICT.rules)
    return [violation.remedy for violation in found.violations]


def templated(part: str, **more: object) -> Callable[[Object], tuple[Object, ...]]:
    return lambda spec: (templated_vm("d", spec={part: spec, **more}),)


PLACES: dict[str, tuple[str, Callable[[Object], tuple[Object, ...]]]] = {
    "PVC": ("Use another PVC, with {}", lambda spec: (vm(disk("c")), claim("c", storage_class=None, **spec))),
    "template": (f"{FROM_TEMPLATE}storage", templated("storage")),
    "pvc part": (f"{FROM_TEMPLATE}pvc", templated("pvc")),
    "archive": (f"{FROM_TEMPLATE}storage", templated("storage", contentType="archive")),
    "DataVolume": (
        'Set {} in a new DataVolume "d"',
        lambda spec: (vm(data_volume_disk("d")), data_volume("d", storage=spec)),
    ),
}
CORRECTABLE: list[tuple[str, Object, list[str]]] = [
    ("PVC", {**NAS, **ONE}, [TO_SHARE]),
    ("PVC", {**ANY, **ONE}, [TO_SHARE]),
    ("PVC", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("PVC", {**SAN, **ONE, **BLOCK}, [TO_BLOCK]),
    ("template", {**NAS, **ONE}, [TO_SHARE]),
    ("template", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("template", {**SAN, **MANY, **FILES}, [TO_BLOCK, TO_NAS]),
    ("pvc part", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
    ("archive", {**SAN, **ONE}, [TO_NAS]),
    ("archive", {**SAN, **MANY, **FILES}, [TO_NAS]),
    ("DataVolume", {**SAN, **ONE}, [TO_BLOCK, TO_NAS]),
]


@pytest.mark.parametrize(("place", "spec", "asked"), CORRECTABLE)
def test_a_remedy_says_what_to_set_and_where_and_each_choice_admits_the_vm(
    place: str, spec: Object, asked: list[str]
) -> None:
    sentence, make = PLACES[place]
    assert set(remedies(*make(spec))) == {sentence.format(", or ".join(asked))}
    for words in asked:
        assert remedies(*make({**spec, **CHANGES[words]})) == []

"""From a volume to its PVC: an existing one comes before one that could be created."""

from typing import Any

import pytest

from tests.build import (
    CLUSTER,
    ROX,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    host_disk,
    storage_class,
    storage_profile,
    templated_vm,
    vm,
    vmi,
    volume_request,
)
from tests.storage.asking import Objects, resolved, the_claim
from webhook.cluster.facts.kubernetes import BETA_CLASS_ANNOTATION
from webhook.storage.model import Backing, NoClaim

DEFAULT, VIRT_DEFAULT = (
    storage_class("d", backendType="ontap-san", annotations={f"storageclass.{domain}-class": "true"})
    for domain in ("kubernetes.io/is-default", "kubevirt.io/is-default-virt")
)
FIELD = "spec.dataVolumeTemplates[0].spec.storage"


def templated(name: str = "d", **storage: object) -> Object:
    return templated_vm(name, spec={"storage": storage})


def test_every_pvc_that_a_volume_uses_is_resolved_once() -> None:
    vm_object = vm(disk("once", "a"), disk("once", "b"), disk("good"), host_disk("h"), data_volume_disk("nowhere"))
    assert sorted(resolved(vm_object, *CLUSTER)) == ["good", "nowhere", "once"]


PVC, DATA_VOLUME = claim("d", RWX), data_volume("d", storage={"accessModes": [RWO]})
ORDER: list[tuple[Objects, tuple[str, str, str | None]]] = [
    ((PVC, DATA_VOLUME), ("PVC", RWX, None)),
    ((DATA_VOLUME,), ("DataVolume d", RWO, 'a new DataVolume "d"')),
    ((), ("dataVolumeTemplate d", ROX, FIELD)),
]


@pytest.mark.parametrize(("objects", "expected"), ORDER, ids=[row[1][0] for row in ORDER])
def test_an_existing_pvc_comes_before_the_data_volume_and_that_before_the_template(
    objects: Objects, expected: tuple[str, str, str | None]
) -> None:
    vm_object = templated(accessModes=[ROX])
    for volume in (data_volume_disk("d"), disk("d")):
        vm_object["spec"]["template"]["spec"]["volumes"] = [volume]
        found = the_claim(vm_object, *objects)
        assert (found.origin, *found.request.access_modes, found.declared_at) == expected


def test_the_pvcs_of_a_data_volume_volume_without_data_volume_and_of_a_volume_request_are_resolved() -> None:
    assert the_claim(vmi(data_volume_disk("good")), *CLUSTER).origin == "PVC"
    vm_object = vm(status={"volumeRequests": [volume_request(disk("once"))]})
    assert the_claim(vm_object, *CLUSTER).request.access_modes == (RWO,)


NOT_THERE = "does not exist, and no DataVolume or dataVolumeTemplate creates it"
CREATE = "Create the PVC or the DataVolume first, or correct its name"
NO_MODE = "will not be created: no access mode is set, and "
MISSING: dict[str, tuple[Object, Objects, str, str]] = {
    "nothing": (vm(disk("d")), (), NOT_THERE, CREATE),
    "a PVC of another namespace": (vm(disk("d")), (claim("d", RWX, namespace="elsewhere"),), NOT_THERE, CREATE),
    "a template of another name": (vm(disk("d"), spec=templated("e")["spec"]), (), NOT_THERE, CREATE),
    "a template that CDI cannot render": (
        templated(storageClassName="san", volumeMode="Filesystem"),
        CLUSTER,
        f'{NO_MODE}the StorageProfile "san" offers none for volumeMode Filesystem',
        f"Correct {FIELD}",
    ),
    "a DataVolume that CDI cannot render, and a template": (
        templated(accessModes=[RWX]),
        (data_volume("d", storage={}),),
        f"{NO_MODE}the cluster has no default StorageClass",
        'Correct DataVolume "d" and create it again',
    ),
}


@pytest.mark.parametrize(("vm_object", "objects", "why", "remedy"), MISSING.values(), ids=MISSING)
def test_where_there_is_no_pvc_and_none_is_predicted_it_says_why_and_what_to_do(
    vm_object: Object, objects: Objects, why: str, remedy: str
) -> None:
    assert resolved(vm_object, *objects)["d"] == NoClaim(why, remedy)


def backing(made: Object, *objects: Object) -> Backing:
    return the_claim(vm(disk("c")), made, *objects).backing


def test_the_class_of_a_pvc_is_that_of_the_beta_annotation_else_the_named_else_the_default_or_none() -> None:
    found = claim("c", RWX, storage_class="nas")
    found["metadata"]["annotations"] = {BETA_CLASS_ANNOTATION: "san"}
    assert backing(found, *CLUSTER).driver == "ontap-san"
    assert backing(claim("c", RWX, storage_class=None), DEFAULT).driver == "ontap-san"
    assert backing(claim("c", RWX, storage_class=""), DEFAULT).evidence == "no StorageClass"


def test_the_evidence_names_origin_modes_and_who_serves_it() -> None:
    found = the_claim(vm(disk("san-fs")), *CLUSTER)
    assert found.evidence == "PVC: ReadWriteMany, Filesystem; StorageClass san: driver ontap-san"


FROM_PROFILE = "FromStorageProfile"
SAN = (storage_class("s", backendType="ontap-san"), storage_profile("s", ([RWX], "Block")))
MIXED = (storage_class("s"), storage_profile("s", ([RWX], "Block"), ([RWO], "Filesystem")))


def labelled(*modes: str, mode: str | None = FROM_PROFILE, label: str = "true", **how: Any) -> Object:
    made = claim("c", *modes, mode=mode, **{"storage_class": "s", **how})
    made["metadata"]["labels"] = {"cdi.kubevirt.io/applyStorageProfile": label}
    return made


NO_CLASS = labelled(storage_class=None)
TABLE: dict[str, tuple[Object, Objects, tuple[list[str], str, str]]] = {
    "both modes from the profile": (labelled(), SAN, ([RWX], "Block", "s")),
    "volume mode by RWO": (labelled(RWO), MIXED, ([RWO], "Filesystem", "s")),
    "unset volume mode": (labelled(mode=None), MIXED, ([RWO], "Filesystem", "s")),
    "access mode given, volume mode unset": (labelled(RWO, mode=None), SAN, ([RWO], "Filesystem", "s")),
    "label false": (labelled(label="false"), SAN, ([], FROM_PROFILE, "s")),
    "default class": (NO_CLASS, (DEFAULT,), ([RWX], "Block", "d")),
    "default class for VMs": (NO_CLASS, (VIRT_DEFAULT,), ([RWX], "Block", "d")),
}


@pytest.mark.parametrize(("made", "objects", "expected"), TABLE.values(), ids=TABLE)
def test_cdi_fills_in_what_a_labelled_pvc_leaves_to_it(
    made: Object, objects: Objects, expected: tuple[list[str], str, str]
) -> None:
    request = the_claim(vm(disk("c")), *objects, made).request
    assert (list(request.access_modes), request.volume_mode, request.storage_class) == expected


def test_a_profile_that_offers_nothing_is_named_as_the_reason() -> None:
    found = resolved(vm(disk("c")), storage_class("s"), storage_profile("s"), labelled())
    assert found["c"] == NoClaim(f'{NO_MODE}the StorageProfile "s" offers none', "Correct the PVC's class and modes")

"""A PVC that leaves its modes to CDI's webhook, as only a manifest does that was never applied."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, claim, disk, storage_class, storage_profile, vm
from tests.storage.asking import resolved, the_claim
from webhook.storage.model import NoClaim

FROM_PROFILE = "FromStorageProfile"
EMPTY = (storage_class("s"), storage_profile("s"))
SAN = (storage_class("s", backendType="ontap-san"), storage_profile("s", ([RWX], "Block")))
MIXED = (storage_class("s"), storage_profile("s", ([RWX], "Block"), ([RWO], "Filesystem")))


def labelled(*modes: str, mode: str | None = FROM_PROFILE, label: str | None = "true", **how: Any) -> Object:
    made = claim("c", *modes, mode=mode, **{"storage_class": "s", **how})
    made["metadata"]["labels"] = {"cdi.kubevirt.io/applyStorageProfile": label} if label else {}
    return made


def default(domain: str, driver: str) -> tuple[Object, ...]:
    return (storage_class("d", backendType=driver, annotations={f"storageclass.{domain}-class": "true"}),)


NO_CLASS = labelled(storage_class=None)
TABLE: dict[str, tuple[Object, tuple[Object, ...], tuple[list[str], str, str]]] = {
    "both modes from the profile": (labelled(), SAN, ([RWX], "Block", "s")),
    "volume mode by RWO": (labelled(RWO), MIXED, ([RWO], "Filesystem", "s")),
    "volume mode by RWX": (labelled(RWX), MIXED, ([RWX], "Block", "s")),
    "unset volume mode": (labelled(mode=None), MIXED, ([RWO], "Filesystem", "s")),
    "access mode given, volume mode unset": (labelled(RWO, mode=None), SAN, ([RWO], "Filesystem", "s")),
    "no label": (labelled(label=None), SAN, ([], FROM_PROFILE, "s")),
    "label false": (labelled(label="false"), SAN, ([], FROM_PROFILE, "s")),
    "default class": (NO_CLASS, default("kubernetes.io/is-default", "ontap-nas"), ([RWX], "Filesystem", "d")),
    "default class for VMs": (NO_CLASS, default("kubevirt.io/is-default-virt", "ontap-san"), ([RWX], "Block", "d")),
}


@pytest.mark.parametrize(("made", "objects", "expected"), TABLE.values(), ids=TABLE)
def test_cdi_fills_in_what_a_labelled_pvc_leaves_to_it(
    made: Object, objects: tuple[Object, ...], expected: tuple[list[str], str, str]
) -> None:
    request = the_claim(vm(disk("c")), *objects, made).request
    assert (list(request.access_modes), request.volume_mode, request.storage_class) == expected


@pytest.mark.parametrize(
    ("made", "objects", "of"), [(labelled(), EMPTY, ""), (labelled(mode=None), SAN, " for volumeMode Filesystem")]
)
def test_a_profile_that_offers_nothing_is_named_as_the_reason(
    made: Object, objects: tuple[Object, ...], of: str
) -> None:
    why = f'will not be created: no access mode is set, and the StorageProfile "s" offers none{of}'
    assert resolved(vm(disk("c")), *objects, made)["c"] == NoClaim(why, "Correct the PVC's class and modes")

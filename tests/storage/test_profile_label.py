"""A PVC that leaves its modes to CDI's webhook, as a manifest may before it was ever applied."""

from typing import Any

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    disk,
    storage_class,
    storage_profile,
    vm,
)
from webhook import evaluate
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import read_vm
from webhook.storage import Claim, NoClaim, resolve

LABEL = "cdi.kubevirt.io/applyStorageProfile"
FROM_PROFILE = "FromStorageProfile"
SAN = (storage_class("s", backendType="ontap-san"), storage_profile("s", ([RWX], "Block")))
MIXED = (storage_class("s"), storage_profile("s", ([RWX], "Block"), ([RWO], "Filesystem")))


def labelled(*modes: str, mode: str | None = FROM_PROFILE, label: str | None = "true", **how: Any) -> Object:
    made = claim("c", *modes, mode=mode, **{"storage_class": "s", **how})
    made["metadata"]["labels"] = {LABEL: label} if label else {}
    return made


def found(obj: Object, *objects: Object) -> Claim | NoClaim:
    cluster = Snapshot([*objects, obj])
    return resolve(read_vm(vm(disk("c")), cluster, KubeVirtFacts()), cluster, "trident")["c"]


def made(obj: Object, *objects: Object) -> tuple[list[str], str, str | None] | str:
    result = found(obj, *objects)
    if isinstance(result, NoClaim):
        return result.why
    return list(result.request.access_modes), result.request.volume_mode, result.request.storage_class


def test_both_modes_are_filled_from_the_profile() -> None:
    assert made(labelled(), *SAN) == ([RWX], "Block", "s")


def test_a_given_access_mode_picks_the_volume_mode() -> None:
    assert made(labelled(RWO), *MIXED) == ([RWO], "Filesystem", "s")
    assert made(labelled(RWX), *MIXED) == ([RWX], "Block", "s")


def test_an_unset_volume_mode_is_filesystem_before_cdi_sees_the_pvc() -> None:
    assert made(labelled(mode=None), *MIXED) == ([RWO], "Filesystem", "s")
    assert "will not be created" in made(labelled(mode=None), *SAN)


def test_a_pvc_that_gives_its_modes_is_as_it_stands() -> None:
    assert made(labelled(RWO, mode="Block"), *SAN) == ([RWO], "Block", "s")
    assert made(labelled(RWO, mode=None), *SAN) == ([RWO], "Filesystem", "s")


@pytest.mark.parametrize("label", [None, "false", "True", ""])
def test_without_the_label_a_pvc_is_as_it_stands(label: str | None) -> None:
    assert made(labelled(label=label), *SAN) == ([], FROM_PROFILE, "s")


def test_a_profile_that_offers_nothing_makes_no_pvc_and_is_named() -> None:
    result = found(labelled(), storage_class("s"), storage_profile("s"))
    assert isinstance(result, NoClaim)
    assert "StorageProfile" in result.why
    assert result.remedy == "Correct the PVC's class and modes"


def test_the_default_class_is_taken_and_written_into_the_pvc() -> None:
    default = storage_class(
        "d", backendType="ontap-nas", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
    )
    assert made(labelled(storage_class=None), default) == ([RWX], "Filesystem", "d")


def test_the_default_class_for_vms_is_taken_where_kubernetes_has_none() -> None:
    default = storage_class(
        "d", backendType="ontap-san", annotations={"storageclass.kubevirt.io/is-default-virt-class": "true"}
    )
    assert made(labelled(storage_class=None), default) == ([RWX], "Block", "d")


def test_the_pvc_that_will_be_made_is_what_is_evaluated() -> None:
    good = evaluate(vm(disk("c")), [*CLUSTER, *SAN, labelled()])
    assert good.violations == []
    bad = evaluate(vm(disk("c")), [*CLUSTER, *SAN, labelled(RWO, mode=None)])
    assert [violation.rule for violation in bad.violations] == ["san-block", "shared-access"]
    unmade = evaluate(vm(disk("c")), [*CLUSTER, storage_class("s"), storage_profile("s"), labelled()])
    assert [violation.rule for violation in unmade.violations] == ["claim-known"]

"""ephemeral-claim: a temporary overlay on a PVC that a second node cannot attach."""

import pytest

from tests.build import ROX, RWO, RWX, Object, claim, data_volume_template, persistent_volume, vm
from tests.policy.samples import ephemeral, rules, table

RULE = "ephemeral-claim"
OVERLAY = vm(ephemeral("e", "c"))
SHARED: list[tuple[str, ...]] = [(ROX,), (RWX,), (RWO, ROX), (RWO, RWX)]
STORAGE = [("nas", "Filesystem"), ("nas", "Block"), ("other", "Filesystem"), ("san", "Block"), ("san", "Filesystem")]


@pytest.mark.parametrize(("storage", "mode"), STORAGE)
@pytest.mark.parametrize("modes", [(RWO,), ("ReadWriteOncePod",), (), *SHARED], ids="+".join)
def test_a_second_node_must_be_able_to_attach_the_pvc_which_on_san_takes_block_mode(
    modes: tuple[str, ...], storage: str, mode: str
) -> None:
    attaches_twice = modes in SHARED and (storage, mode) != ("san", "Filesystem")
    found = rules(OVERLAY, claim("c", *modes, mode=mode, storage_class=storage))
    assert found == ([] if attaches_twice else [RULE])


TEMPLATE = data_volume_template("c", storage={"storageClassName": "nas", "accessModes": [RWO]})
FACTS: list[tuple[str, Object, tuple[Object, ...], list[str]]] = [
    ("the bound volume", OVERLAY, (claim("c", RWX, volume="pv"), persistent_volume("pv", "block")), [RULE]),
    ("the PVC, which is not known", OVERLAY, (), []),
    ("what CDI makes of a template", vm(ephemeral("e", "c"), spec={"dataVolumeTemplates": [TEMPLATE]}), (), [RULE]),
]


@table(FACTS, "vm_object objects expected")
def test_an_overlay_is_evaluated_by(vm_object: Object, objects: tuple[Object, ...], expected: list[str]) -> None:
    assert rules(vm_object, *objects) == expected

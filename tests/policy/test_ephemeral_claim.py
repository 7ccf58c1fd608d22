"""ephemeral-claim: a temporary overlay on a PVC that a second node cannot attach."""

import pytest

from tests.build import ROX, RWO, RWX, claim, vm
from tests.policy.samples import ephemeral, rules

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
    assert found == ([] if attaches_twice else ["ephemeral-claim"])


def test_an_overlay_on_a_pvc_that_is_not_known_violates_nothing() -> None:
    assert rules(OVERLAY) == []

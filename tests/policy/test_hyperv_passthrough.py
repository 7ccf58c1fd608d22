"""hyperv-passthrough: every Hyper-V feature that the node happens to have."""

import pytest

from tests.build import kubevirt, vm
from tests.policy.samples import rules

STATES = [
    ({"enabled": True}, True),
    ({}, True),
    ({"enabled": None}, True),
    ({"enabled": False}, False),
    (None, False),
    ([], False),
]


@pytest.mark.parametrize("version", ["v1.5.3", "v1.9.0"])
@pytest.mark.parametrize(("state", "is_denied"), STATES, ids=[repr(row[0]) for row in STATES])
def test_it_is_denied_unless_it_is_off(state: object, is_denied: bool, version: str) -> None:
    """KubeVirt fails on one that does not say whether it is on."""
    found = rules(vm(domain={"features": {"hypervPassthrough": state}}), kubevirt(version=version))
    assert found == (["hyperv-passthrough"] if is_denied else [])

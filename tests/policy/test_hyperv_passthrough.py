"""hyperv-passthrough: every Hyper-V feature that the node happens to have."""

import pytest

from tests.build import vm
from tests.policy.samples import rules


@pytest.mark.parametrize("state", [{"enabled": True}, {}, {"enabled": False}, None, []], ids=repr)
def test_it_is_denied_unless_it_is_off(state: object) -> None:
    found = rules(vm(domain={"features": {"hypervPassthrough": state}}))
    assert found == (["hyperv-passthrough"] if state in ({"enabled": True}, {}) else [])

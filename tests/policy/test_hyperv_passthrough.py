"""hyperv-passthrough: every Hyper-V feature that the node happens to have."""

import pytest

from tests.build import kubevirt, vm
from tests.policy.samples import rules


@pytest.mark.parametrize("version", ["v1.5.3", "v1.9.0"])
@pytest.mark.parametrize("state", [{"enabled": True}, {}, {"enabled": False}, None, []], ids=repr)
def test_it_is_denied_unless_it_is_off(state: object, version: str) -> None:
    found = rules(vm(domain={"features": {"hypervPassthrough": state}}), kubevirt(version=version))
    assert found == (["hyperv-passthrough"] if state in ({"enabled": True}, {}) else [])

"""hyperv-passthrough: every Hyper-V feature that the one host happens to have."""

import pytest

from tests.build import CLUSTER, Object, kubevirt, vm, vmi
from webhook import Verdict, evaluate

RULE = "hyperv-passthrough"


def verdict(vm_object: Object, version: str | None = None, old: Object | None = None) -> Verdict:
    cluster = [*CLUSTER, kubevirt(version=version)]
    return evaluate(vm_object, cluster, old=old, operation="UPDATE" if old else "CREATE")


def vm_object(state: object) -> Object:
    return vm(domain={"features": {"hypervPassthrough": state}})


STATES = [
    ({"enabled": True}, True),
    ({}, True),
    ({"enabled": None}, True),
    ({"enabled": False}, False),
    (None, False),
    ([], False),
]


@pytest.mark.parametrize("version", ["v1.5.3", "v1.6.6", "v1.8.4", "v1.9.0"])
@pytest.mark.parametrize(("state", "broken"), STATES, ids=[repr(row[0]) for row in STATES])
def test_it_is_denied_unless_it_is_off(state: object, broken: bool, version: str) -> None:
    """KubeVirt breaks on one that does not say whether it is on."""
    assert [found.rule for found in verdict(vm_object(state), version).violations] == ([RULE] if broken else [])


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm_object({"enabled": True})).violations
    assert (found.reason, found.volume, found.action) == ("HypervPassthroughNotLiveMigratable", None, "deny")
    assert found.field == "spec.template.spec.domain.features.hypervPassthrough"
    assert "hypervPassthrough" in found.message
    assert "cannot live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(domain={"features": {"hypervPassthrough": {}}})).violations
    assert found.field == "spec.domain.features.hypervPassthrough"


def test_passthrough_that_was_there_is_preexisting() -> None:
    found = verdict(vm_object({"enabled": True}), old=vm_object({}))
    assert [violation.preexisting for violation in found.violations] == [True]


def test_passthrough_that_an_update_brings_is_denied() -> None:
    assert not verdict(vm_object({}), old=vm_object({"enabled": False})).allowed

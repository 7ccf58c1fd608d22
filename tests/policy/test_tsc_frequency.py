"""tsc-frequency: a Windows guest whose clock needs a frequency that no node offers."""

from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, node, vm
from tests.build_facts import preference
from tests.policy.samples import hyperv, rules, table, verdict
from webhook import evaluate

RULE = "tsc-frequency"
WINDOWS = preference("windows", features={"preferredHyperv": {"reenlightenment": {"enabled": True}}})
PREFERRED = {"preference": {"name": "windows"}}
NODES = (node("a"), node("b"))


def windows(**fields: Any) -> Object:
    return vm(disk("good"), **{"domain": hyperv(reenlightenment={"enabled": True}), **fields})


def minimum(frequency: int) -> Object:
    return kubevirt(developerConfiguration={"minimumClusterTSCFrequency": frequency})


OFFERS: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("nodes that offer none", NODES, ["deny"]),
    ("one node that offers none", (node("a"),), ["deny"]),
    ("no node known", (), ["warn"]),
    ("a node that offers one", (node("a"), node("b", tsc=2_000_000_000)), []),
    ("a node that offers zero", (node("a", tsc=0),), ["deny"]),
    ("a minimum of the cluster", (*NODES, minimum(1)), []),
    ("a minimum of the cluster, no node known", (minimum(2_000_000_000),), []),
    ("a minimum of zero", (*NODES, minimum(0)), ["deny"]),
    ("no number", (node("a", labels={"cpu-timer.node.kubevirt.io/tsc-frequency": "fast"}),), ["deny"]),
]


@table(OFFERS, "objects actions")
def test_it_is_denied_where_nodes_are_known_and_warned_about_where_none_is(
    objects: tuple[Object, ...], actions: list[str]
) -> None:
    found = verdict(windows(), *objects)
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, one) for one in actions]
    assert found.allowed is (actions != ["deny"])


def test_a_warning_because_facts_are_missing_says_so_and_the_vm_is_protected() -> None:
    found = verdict(windows())
    assert "no node is known" in found.violations[0].message
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


STATES = [({}, True), ({"enabled": None}, True), ({"enabled": False}, False)]


@pytest.mark.parametrize(("state", "on"), STATES, ids=[repr(row[0]) for row in STATES])
def test_a_feature_that_is_there_is_on_unless_it_says_otherwise(state: Object, on: bool) -> None:
    assert rules(windows(domain=hyperv(reenlightenment=state)), *NODES) == ([RULE] if on else [])


INVTSC = {"require": False, "force": False, **dict.fromkeys(["optional", "disable", "forbid", "", None], True)}


@pytest.mark.parametrize("policy", INVTSC, ids=repr)
def test_a_guest_that_needs_the_frequency_to_boot_is_skipped(policy: str | None) -> None:
    cpu = {"features": [{"name": "vmx"}, {"name": "invtsc", "policy": policy}]}
    assert rules(windows(domain={**hyperv(reenlightenment={}), "cpu": cpu}), *NODES) == (
        [RULE] if INVTSC[policy] else []
    )


@pytest.mark.parametrize("architecture", ["arm64", "s390x"])
@pytest.mark.parametrize("nodes", [(), (node("a", tsc=2_000_000_000),)], ids=["no node", "a node that offers one"])
def test_only_amd64_guests_get_a_frequency(architecture: str, nodes: tuple[Object, ...]) -> None:
    (found,) = verdict(windows(architecture=architecture), *nodes).violations
    assert (found.rule, found.action) == (RULE, "deny")


def test_what_the_preference_turns_on_is_denied_there_unless_the_vm_turns_it_off() -> None:
    (found,) = verdict(vm(spec=PREFERRED), WINDOWS, *NODES).violations
    assert (found.rule, found.field) == (RULE, "spec.preference")
    assert rules(vm(spec=PREFERRED, domain=hyperv(reenlightenment={"enabled": False})), WINDOWS, *NODES) == []


def test_nodes_without_a_frequency_are_a_warning_where_no_kubevirt_cr_is_known_that_might_set_a_minimum() -> None:
    without_cr = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    networked = windows(networks=[{"name": "default", "multus": {"networkName": "n"}}])
    found = evaluate(networked, [*without_cr, *NODES]).violations
    assert [(violation.rule, violation.action) for violation in found] == [(RULE, "warn")]

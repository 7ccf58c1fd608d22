"""tsc-frequency: a Windows guest whose clock needs a frequency that no node offers."""

from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, node, vm, vmi
from tests.build_facts import preference
from tests.policy.samples import hyperv
from webhook import Verdict, evaluate

RULE = "tsc-frequency"
FIELD = "spec.template.spec.domain.features.hyperv.reenlightenment"
WINDOWS = preference("windows", features={"preferredHyperv": {"reenlightenment": {"enabled": True}}})
PREFERRED = {"preference": {"name": "windows"}}
NODES = (node("a"), node("b"))


def verdict(vm_object: Object, *objects: Object, old: Object | None = None) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects], old=old, operation="UPDATE" if old else "CREATE")


def acted(vm_object: Object, *objects: Object) -> list[tuple[str, str]]:
    return [(found.rule, found.action) for found in verdict(vm_object, *objects).violations]


def vm_object(reenlightenment: object = None, **fields: Any) -> Object:
    feature = {"enabled": True} if reenlightenment is None else reenlightenment
    return vm(disk("good"), **{"domain": hyperv(reenlightenment=feature), **fields})


OFFERS: list[tuple[str, tuple[Object, ...], list[tuple[str, str]]]] = [
    ("nodes that offer none", NODES, [(RULE, "deny")]),
    ("one node that offers none", (node("a"),), [(RULE, "deny")]),
    ("no node known", (), [(RULE, "warn")]),
    ("a node that offers one", (node("a"), node("b", tsc=2_000_000_000)), []),
    ("a node that offers zero", (node("a", tsc=0),), [(RULE, "deny")]),
    ("a minimum of the cluster", (*NODES, kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 1})), []),
    (
        "a minimum of the cluster, no node known",
        (kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2_000_000_000}),),
        [],
    ),
    (
        "a minimum of zero",
        (*NODES, kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 0})),
        [(RULE, "deny")],
    ),
    (
        "a label that is no number",
        (node("a", labels={"cpu-timer.node.kubevirt.io/tsc-frequency": "fast"}),),
        [(RULE, "deny")],
    ),
]


@pytest.mark.parametrize(("objects", "expected"), [row[1:] for row in OFFERS], ids=[row[0] for row in OFFERS])
def test_it_is_denied_where_nodes_are_known_and_warned_about_where_none_is(
    objects: tuple[Object, ...], expected: list[tuple[str, str]]
) -> None:
    assert acted(vm_object(), *objects) == expected


@pytest.mark.parametrize("node_known", [True, False])
def test_a_warning_for_want_of_facts_admits_and_says_so(node_known: bool) -> None:
    found = verdict(vm_object(), *(NODES if node_known else ()))
    assert found.allowed is not node_known
    assert ("no node is known" in found.violations[0].message) is not node_known


def test_a_vm_of_which_nothing_is_certain_is_protected_all_the_same() -> None:
    assert [operation["value"] for operation in verdict(vm_object()).patch] == ["LiveMigrate"]


STATES = [({}, True), ({"enabled": True}, True), ({"enabled": None}, True), ({"enabled": False}, False)]


@pytest.mark.parametrize(("state", "on"), STATES, ids=[repr(row[0]) for row in STATES])
def test_a_feature_that_is_there_is_on_unless_it_says_otherwise(state: Object, on: bool) -> None:
    assert bool(acted(vm_object(state), *NODES)) is on


INVTSC = [
    ("require", False),
    ("force", False),
    ("optional", True),
    ("disable", True),
    ("forbid", True),
    ("", True),
    (None, True),
]


@pytest.mark.parametrize(("policy", "broken"), INVTSC, ids=[repr(row[0]) for row in INVTSC])
def test_a_guest_that_needs_the_frequency_to_boot_is_another_matter(policy: str | None, broken: bool) -> None:
    domain = {
        **hyperv(reenlightenment={}),
        "cpu": {"features": [{"name": "vmx"}, {"name": "invtsc", "policy": policy}]},
    }
    assert bool(acted(vm_object(domain=domain), *NODES)) is broken


@pytest.mark.parametrize("architecture", ["arm64", "s390x"])
@pytest.mark.parametrize("nodes", [(), (node("a", tsc=2_000_000_000),)], ids=["no node", "a node that offers one"])
def test_only_amd64_guests_get_a_frequency(architecture: str, nodes: tuple[Object, ...]) -> None:
    assert acted(vm_object(architecture=architecture), *nodes) == [(RULE, "deny")]


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm_object(), *NODES).violations
    assert (found.reason, found.volume, found.field) == ("NoTSCFrequencyNotLiveMigratable", None, FIELD)
    assert "no node offers" in found.message
    assert "does not live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(domain=hyperv(reenlightenment={})), *NODES).violations
    assert found.field == "spec.domain.features.hyperv.reenlightenment"


def test_what_the_preference_turns_on_is_denied_there() -> None:
    (found,) = verdict(vm(spec=PREFERRED), WINDOWS, *NODES).violations
    assert (found.rule, found.field) == (RULE, "spec.preference")


def test_what_the_vm_turns_off_itself_the_preference_does_not_turn_on() -> None:
    vm_object = vm(spec=PREFERRED, domain=hyperv(reenlightenment={"enabled": False}))
    assert acted(vm_object, WINDOWS, *NODES) == []


def test_re_enlightenment_that_was_there_is_preexisting() -> None:
    found = verdict(vm_object(hostname="x"), *NODES, old=vm_object())
    assert [violation.preexisting for violation in found.violations] == [True]


def test_re_enlightenment_that_an_update_brings_is_denied() -> None:
    assert not verdict(vm_object(), *NODES, old=vm(disk("good"))).allowed


def test_nodes_without_a_frequency_are_a_warning_where_no_kubevirt_cr_is_known_that_might_name_one() -> None:
    without_cr = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    networked = vm_object(networks=[{"name": "default", "multus": {"networkName": "n"}}])
    found = evaluate(networked, [*without_cr, *NODES]).violations
    assert [(violation.rule, violation.action) for violation in found] == [(RULE, "warn")]

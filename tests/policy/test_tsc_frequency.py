"""tsc-frequency: a Windows guest whose clock needs a frequency that no node offers."""

from typing import Any

from tests.build import Object, disk, kubevirt, node, vm
from tests.build_facts import preference
from tests.policy.samples import hyperv, rules, table, verdict

RULE = "tsc-frequency"
WINDOWS = preference("windows", features={"preferredHyperv": {"reenlightenment": {"enabled": True}}})
PREFERRED = {"preference": {"name": "windows"}}
NODES = (node("a"), node("b"))
OFFERING = node("a", tsc=2_000_000_000)


def windows(**fields: Any) -> Object:
    return vm(disk("good"), **{"domain": hyperv(reenlightenment={"enabled": True}), **fields})


def minimum(frequency: int) -> Object:
    return kubevirt(developerConfiguration={"minimumClusterTSCFrequency": frequency})


NEEDS_IT = {**hyperv(reenlightenment={}), "cpu": {"features": [{"name": "invtsc", "policy": "require"}]}}
OFFERS: list[tuple[str, Object, tuple[Object, ...], list[str]]] = [
    ("nodes that offer none", windows(), NODES, ["deny"]),
    ("no node known", windows(), (), ["warn"]),
    ("a node that offers one", windows(), (OFFERING, node("b")), []),
    ("a node that offers zero", windows(), (node("a", tsc=0),), ["deny"]),
    ("a minimum of the cluster", windows(), (*NODES, minimum(1)), []),
    ("a minimum of zero", windows(), (*NODES, minimum(0)), ["deny"]),
    ("a guest that needs the frequency to boot", windows(domain=NEEDS_IT), NODES, []),
    ("no number", windows(), (node("a", labels={"cpu-timer.node.kubevirt.io/tsc-frequency": "fast"}),), ["deny"]),
    ("a guest that gets none from a node that offers one", windows(architecture="s390x"), (OFFERING,), ["deny"]),
]


@table(OFFERS, "vm_object objects actions")
def test_it_is_denied_where_nodes_are_known_and_warned_about_where_none_is(
    vm_object: Object, objects: tuple[Object, ...], actions: list[str]
) -> None:
    found = verdict(vm_object, *objects)
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, one) for one in actions]
    assert found.allowed is (actions != ["deny"])


def test_a_warning_because_facts_are_missing_says_so_and_the_vm_is_protected() -> None:
    found = verdict(windows())
    assert "no node is known" in found.violations[0].message
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


def test_what_the_preference_turns_on_is_denied_there_unless_the_vm_turns_it_off() -> None:
    (found,) = verdict(vm(spec=PREFERRED), WINDOWS, *NODES).violations
    assert (found.rule, found.field) == (RULE, "spec.preference")
    assert rules(vm(spec=PREFERRED, domain=hyperv(reenlightenment={"enabled": False})), WINDOWS, *NODES) == []

"""What callers from outside rely on."""

import doctest
import inspect
import json
from typing import Any

import pytest

import webhook
from tests.build import CLUSTER, RWO, Object, claim, disk, host_disk, vm
from webhook import Settings, SettingsError, Verdict, Violation, evaluate
from webhook.cluster import Snapshot, Undecidable
from webhook.cluster.resources import Resource

ATTRIBUTES = ["rule", "reason", "volume", "field", "message", "remedy", "action", "preexisting", "exempt", "evidence"]


def test_the_package_offers_what_a_caller_needs_and_no_more() -> None:
    assert sorted(webhook.__all__) == ["Settings", "SettingsError", "Verdict", "Violation", "evaluate"]
    assert all(hasattr(webhook, name) for name in webhook.__all__)
    assert issubclass(SettingsError, ValueError)
    assert doctest.testmod(webhook) == doctest.TestResults(failed=0, attempted=2)


def test_evaluate_has_the_parameters_of_the_contract_in_their_order() -> None:
    parameters, required = inspect.signature(evaluate).parameters, inspect.Parameter.empty
    assert list(parameters) == ["obj", "cluster", "old", "settings", "operation", "final", "now"]
    defaults = [found.default for found in parameters.values()]
    assert defaults == [required, required, None, None, "CREATE", False, None]


@pytest.mark.parametrize(
    "vm_object", [vm(disk("once")), vm(disk("good"), evictionStrategy="None"), vm(disk("nowhere"))]
)
def test_the_cluster_may_be_any_iterable_and_the_settings_the_defaults(vm_object: Object) -> None:
    expected = evaluate(vm_object, CLUSTER)
    assert evaluate(vm_object, CLUSTER, settings=Settings()) == expected
    for cluster in (list(CLUSTER), iter(CLUSTER), Snapshot(CLUSTER)):
        assert evaluate(vm_object, cluster) == expected


def test_verdict_and_violation_have_the_attributes_of_the_contract_also_as_json() -> None:
    found = evaluate(vm(disk("once"), disk("nowhere")), CLUSTER)
    assert isinstance(found, Verdict)
    assert [type(violation) for violation in found.violations] == [Violation, Violation]
    assert ([type(line) for line in found.warnings], type(found.patch)) == ([str], list)
    own = {"kind": "VirtualMachine", "namespace": "vms", "name": "db", "allowed": False}
    assert {name: getattr(found, name) for name in own} == own
    both = [{name: getattr(violation, name) for name in ATTRIBUTES} for violation in found.violations]
    tree = {**own, "violations": both, "warnings": found.warnings, "patch": found.patch}
    assert json.dumps(found.to_dict()) == json.dumps(tree), "also the order of the keys"
    assert all(isinstance(both[0].pop(name), str) for name in ("message", "remedy", "evidence"))
    assert both[0] == {
        "rule": "shared-access",
        "reason": "DisksNotLiveMigratable",
        "volume": "once",
        "field": "spec.template.spec.volumes[0].persistentVolumeClaim.claimName",
        "action": "deny",
        "preexisting": False,
        "exempt": False,
    }


def test_an_empty_cluster_knows_no_pvc_and_kubevirts_own_defaults_not_for_certain() -> None:
    found = evaluate(vm(disk("once")), [])
    assert found.allowed
    rules = [(violation.rule, violation.action) for violation in found.violations]
    assert rules == [("claim-known", "warn"), ("pod-network", "warn")]


class Silent(Snapshot):
    """A cluster that cannot say."""

    def get(self, resource: Resource[Any], name: str, namespace: str = "") -> Any:
        """Fail."""
        raise Undecidable(f"no answer about {name}")


def test_where_a_cluster_cannot_say_nothing_is_guessed() -> None:
    with pytest.raises(Undecidable, match="no answer about"):
        evaluate(vm(disk("once")), Silent())


def test_evaluating_changes_neither_the_object_nor_the_cluster() -> None:
    vm_object, old, cluster = vm(disk("once"), evictionStrategy="None"), vm(disk("once")), [claim("once", RWO)]
    before = json.dumps([vm_object, old, cluster])
    evaluate(vm_object, cluster, old=old, operation="UPDATE")
    assert json.dumps([vm_object, old, cluster]) == before


def test_violations_stand_in_the_order_of_the_volumes_and_the_whole_vm_comes_last() -> None:
    vm_object = vm(disk("once"), host_disk("h"), disk("san-fs"), disk("nowhere"), evictionStrategy="None")
    found = evaluate(vm_object, CLUSTER, final=True).violations
    assert [violation.volume for violation in found] == ["once", "h", "san-fs", "nowhere", None]


@pytest.mark.parametrize("obj", [{"apiVersion": "v1", "kind": "Pod"}, {}], ids=repr)
def test_an_object_that_is_no_vm_is_a_value_error(obj: Object) -> None:
    with pytest.raises(ValueError, match="no VM"):
        evaluate(obj, CLUSTER)

"""The webhook configurations as they are applied."""

import base64
import json
from typing import Any

import pytest

from webhook.admission import compared
from webhook.admission.compared import DECLARED
from webhook.admission.scope import COMPARED, KIND_OF_RESTORE_OR_CLONE
from webhook.controller.conditions import changes
from webhook.controller.webhook_configurations import FailClosed, probe_configuration, webhook_configurations
from webhook.policy.rules import RULES
from webhook.settings import Settings

SERVICE = {"namespace": "migratability", "name": "webhook", "port": 8443}
BUNDLE = base64.b64encode(b"a certificate").decode()
VALIDATING, MUTATING = webhook_configurations(SERVICE, BUNDLE)
BOTH = pytest.mark.parametrize("configuration", [VALIDATING, MUTATING], ids=["validating", "mutating"])
NAMESPACES = ("", "namespaces")
ALPHA_AND_BETA, WRITES = ["v1alpha1", "v1beta1"], ["CREATE", "UPDATE"]
VERSIONS = {"": ["v1"], "kubevirt.io": ["v1"]}
VERSIONS |= {f"{api}.kubevirt.io": ALPHA_AND_BETA for api in ("pool", "snapshot", "clone")}
PATCHED = {
    ("kubevirt.io", "virtualmachines"): WRITES,
    ("kubevirt.io", "virtualmachineinstances"): ["CREATE"],
    ("kubevirt.io", "virtualmachineinstancereplicasets"): WRITES,
    ("pool.kubevirt.io", "virtualmachinepools"): WRITES,
}


def by_resource(configuration: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each webhook by the group and the first resource that it is for."""
    found = {}
    for webhook in configuration["webhooks"]:
        (rule,) = webhook["rules"]
        (group,), resource = rule["apiGroups"], rule["resources"][0]
        assert (group, resource) not in found
        found[group, resource] = webhook
    return found


def whole(group: str, resource: str, subresource: str = "") -> tuple[str, str]:
    return group, "/".join(filter(None, (resource, subresource)))


def conditions(webhook: dict[str, Any]) -> dict[str, str]:
    return {condition["name"]: condition["expression"] for condition in webhook["matchConditions"]}


def condition_of(which: tuple[str, str, str], configuration: dict[str, Any] = VALIDATING) -> str:
    return conditions(by_resource(configuration)[whole(*which)])["changes"]


def test_names_are_fixed_and_sort_before_kubevirts_mutator() -> None:
    """API servers call mutating webhooks by the name of their configuration."""
    kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]
    assert [configuration["kind"] for configuration in (VALIDATING, MUTATING)] == kinds
    assert {configuration["metadata"]["name"] for configuration in (VALIDATING, MUTATING)} == {"migratability"}
    assert "migratability" < "virt-api-mutator"


@BOTH
def test_every_webhook_sets_all_fields_that_can_be_reverted(configuration: dict[str, Any]) -> None:
    path = "/validate" if configuration is VALIDATING else "/mutate"
    for (group, resource), webhook in by_resource(configuration).items():
        assert webhook["clientConfig"] == {"service": {**SERVICE, "path": path}, "caBundle": BUNDLE}
        assert webhook["name"].endswith(".migratability.io")
        assert webhook["sideEffects"] == "None"
        assert webhook["timeoutSeconds"] == 10
        assert webhook["admissionReviewVersions"] == ["v1"]
        assert webhook["matchPolicy"] == "Equivalent"
        assert (webhook["namespaceSelector"], webhook["objectSelector"]) == ({}, {})
        assert webhook["rules"][0]["apiVersions"] == VERSIONS[group]
        assert webhook["rules"][0]["scope"] == ("Cluster" if resource == "namespaces" else "Namespaced")
        assert "*" not in str(webhook["rules"])
        assert len(webhook["matchConditions"]) <= 64, "Kubernetes allows no more"
    names = [webhook["name"] for webhook in configuration["webhooks"]]
    assert len(set(names)) == len(names)


def test_the_configurations_are_small_enough_to_be_read() -> None:
    both = webhook_configurations(SERVICE, "")
    assert sum(len(configuration["webhooks"]) for configuration in both) <= 16
    assert sum(len(json.dumps(configuration)) for configuration in both) <= 24 * 1024


def test_only_writes_of_kubevirts_objects_and_of_namespaces_are_validated() -> None:
    expected = {whole(*which): ["UPDATE"] if which[2] else WRITES for which in COMPARED}
    expected |= {which: WRITES for which in KIND_OF_RESTORE_OR_CLONE}
    assert all(group.endswith("kubevirt.io") for group, _ in expected)
    found = {which: webhook["rules"][0]["operations"] for which, webhook in by_resource(VALIDATING).items()}
    assert found == {**expected, NAMESPACES: WRITES}


def test_the_mutating_side_matches_what_it_may_patch_also_the_vmis_that_kubevirt_creates() -> None:
    assert {which: hook["rules"][0]["operations"] for which, hook in by_resource(MUTATING).items()} == PATCHED
    assert conditions(by_resource(MUTATING)["kubevirt.io", "virtualmachineinstances"]) == {}


@pytest.mark.parametrize("which", COMPARED, ids="/".join)
def test_every_creation_is_sent_and_our_labels_also_on_an_object_that_is_being_deleted(
    which: tuple[str, str, str],
) -> None:
    assert condition_of(which).startswith("oldObject == null || ")
    labels, _, evaluated = condition_of(which).partition("deletionTimestamp")
    for name in ("exempt.migratability.io/", "migratability.io/enforcement", "migratability.io/exempt-reason"):
        assert (f"'{name}'" in labels) == (not which[2])
    assert "exempt" not in evaluated


OF_TEMPLATES = [which for which in COMPARED if which[1] != "virtualmachineinstances" and not which[2]]


@pytest.mark.parametrize("which", OF_TEMPLATES, ids="/".join)
@BOTH
def test_every_path_that_a_rule_declares_is_compared(which: tuple[str, str, str], configuration: Any) -> None:
    found = condition_of(which, configuration)
    chains = ["s" + "".join(f".?{key}" for key in path.split(".")) for path in DECLARED]
    assert [chain for chain in chains if chain not in found] == []


def test_a_path_that_a_later_rule_declares_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "DECLARED", (*DECLARED, "domain.devices.tpm"))
    later = compared.compared_in("VirtualMachine")
    assert "s.?domain.?devices.?tpm" in changes(later, labels=True)
    new: dict[str, Any] = {"spec": {"template": {"spec": {"domain": {"devices": {"tpm": {}}}}}}}
    assert later.differs(new, {})


def test_a_namespace_is_sent_only_for_our_labels_through_any_subresource() -> None:
    webhook = by_resource(VALIDATING)[NAMESPACES]
    assert set(conditions(webhook)) == {"changes-labels"}
    assert "'migratability.io/enforcement'" in conditions(webhook)["changes-labels"]
    assert webhook["rules"][0]["resources"] == ["namespaces", "namespaces/status", "namespaces/finalize"]


@pytest.mark.parametrize("namespace", ["kubevirt", "openshift-cnv"])
def test_only_vms_and_vmis_that_kubevirt_creates_for_an_owner_are_skipped(namespace: str) -> None:
    validating, _ = webhook_configurations(SERVICE, BUNDLE, namespace)
    found = {which: conditions(webhook).get("has-no-owner", "") for which, webhook in by_resource(validating).items()}
    account = f"request.userInfo.username == 'system:serviceaccount:{namespace}:kubevirt-controller'"
    skipped = {which for which, expression in found.items() if account in expression}
    assert skipped == {("kubevirt.io", "virtualmachineinstances"), ("kubevirt.io", "virtualmachines")}


OPEN, CLOSED = "Ignore", "Fail"
EVERY_RULE_WARNS = {rule.name: "warn" for rule in RULES}
ONE_DENIES = {**EVERY_RULE_WARNS, "smb-share": "deny"}
POLICIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "the defaults": ({}, CLOSED, CLOSED),
    "mode warn": ({"mode": "warn"}, OPEN, OPEN),
    "mode off": ({"mode": "off"}, OPEN, OPEN),
    "every rule warns": ({"rules": EVERY_RULE_WARNS}, OPEN, CLOSED),
    "one rule denies": ({"rules": ONE_DENIES}, CLOSED, CLOSED),
    "one rule denies in mode warn": ({"rules": ONE_DENIES, "mode": "warn"}, OPEN, OPEN),
}


@pytest.mark.parametrize(("settings", "vms", "labels"), POLICIES.values(), ids=POLICIES)
def test_only_validation_fails_closed_and_only_where_the_settings_can_deny(
    settings: dict[str, Any], vms: str, labels: str
) -> None:
    validating, mutating = webhook_configurations(SERVICE, BUNDLE, fail_closed=FailClosed.of(Settings.parse(settings)))
    for which, webhook in by_resource(validating).items():
        assert webhook["failurePolicy"] == (labels if which == NAMESPACES else vms), which
        assert "reinvocationPolicy" not in webhook
    policies = {(webhook["failurePolicy"], webhook["reinvocationPolicy"]) for webhook in mutating["webhooks"]}
    assert policies == {(OPEN, "Never")}


def test_a_staged_rollout_evaluates_vms_of_some_namespaces_and_guards_the_labels_of_all() -> None:
    some = {"matchLabels": {"stage": "first"}}
    for configuration in webhook_configurations(SERVICE, BUNDLE, namespaces=some):
        for which, webhook in by_resource(configuration).items():
            assert webhook["namespaceSelector"] == ({} if which == NAMESPACES else some)


def test_the_probe_matches_one_object_in_our_namespace() -> None:
    probe = probe_configuration(SERVICE, BUNDLE)
    (webhook,) = probe["webhooks"]
    assert probe["metadata"]["name"] == "migratability-probe"
    assert webhook["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "migratability"}}
    assert conditions(webhook) == {"is-the-probe": "object.metadata.name == 'migratability-probe'"}
    leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "operations": ["CREATE"]}
    assert webhook["rules"][0].items() >= leases.items()
    assert len(webhook["rules"]) == 1

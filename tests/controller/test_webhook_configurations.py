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
VERSIONS = {
    "": ["v1"],
    "kubevirt.io": ["v1"],
    "pool.kubevirt.io": ["v1alpha1", "v1beta1"],
    "snapshot.kubevirt.io": ["v1alpha1", "v1beta1"],
    "clone.kubevirt.io": ["v1alpha1", "v1beta1"],
}
PATCHED = {
    ("kubevirt.io", "virtualmachines"): ["CREATE", "UPDATE"],
    ("kubevirt.io", "virtualmachineinstances"): ["CREATE"],
    ("kubevirt.io", "virtualmachineinstancereplicasets"): ["CREATE", "UPDATE"],
    ("pool.kubevirt.io", "virtualmachinepools"): ["CREATE", "UPDATE"],
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


def test_there_is_one_of_each_kind() -> None:
    kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]
    assert [configuration["kind"] for configuration in (VALIDATING, MUTATING)] == kinds


@BOTH
def test_its_name_is_fixed_and_sorts_before_kubevirts_mutator(configuration: dict[str, Any]) -> None:
    """API servers call mutating webhooks by the name of their configuration."""
    assert configuration["metadata"]["name"] == "migratability"
    assert sorted(["virt-api-mutator", configuration["metadata"]["name"]])[0] == "migratability"


@BOTH
def test_every_webhook_has_a_name_of_its_own_in_our_domain(configuration: dict[str, Any]) -> None:
    names = [webhook["name"] for webhook in configuration["webhooks"]]
    assert len(set(names)) == len(names)
    assert all(name.endswith(".migratability.io") and name.count(".") >= 2 for name in names)


@BOTH
def test_every_webhook_says_its_side_effects_and_answers_in_time(configuration: dict[str, Any]) -> None:
    for webhook in by_resource(configuration).values():
        assert webhook["sideEffects"] == "None"
        assert webhook["timeoutSeconds"] == 10
        assert webhook["admissionReviewVersions"] == ["v1"]
        assert webhook["matchPolicy"] == "Equivalent"


@BOTH
def test_every_webhook_is_called_by_its_service(configuration: dict[str, Any]) -> None:
    path = "/validate" if configuration is VALIDATING else "/mutate"
    expected = {"service": {**SERVICE, "path": path}, "caBundle": BUNDLE}
    assert [webhook["clientConfig"] for webhook in configuration["webhooks"]] == [expected] * len(
        configuration["webhooks"]
    )


@BOTH
def test_every_rule_names_the_versions_that_every_kubevirt_serves(configuration: dict[str, Any]) -> None:
    for (group, resource), webhook in by_resource(configuration).items():
        assert webhook["rules"][0]["apiVersions"] == VERSIONS[group]
        assert webhook["rules"][0]["scope"] == ("Cluster" if resource.startswith("namespaces") else "Namespaced")


def test_the_validating_side_fails_closed_and_the_mutating_side_open() -> None:
    assert {webhook["failurePolicy"] for webhook in VALIDATING["webhooks"]} == {"Fail"}
    assert {webhook["failurePolicy"] for webhook in MUTATING["webhooks"]} == {"Ignore"}


def test_the_configurations_are_small_enough_to_be_read() -> None:
    """Without the bundle, which is no matter of ours."""
    both = webhook_configurations(SERVICE, "")
    assert sum(len(configuration["webhooks"]) for configuration in both) <= 16
    assert sum(len(json.dumps(configuration)) for configuration in both) <= 24 * 1024


def test_the_mutating_side_is_called_once() -> None:
    assert {webhook["reinvocationPolicy"] for webhook in MUTATING["webhooks"]} == {"Never"}
    assert not any("reinvocationPolicy" in webhook for webhook in VALIDATING["webhooks"])


def test_only_kubevirts_objects_and_the_labels_of_namespaces_reach_us() -> None:
    evaluated = {whole(*which) for which in COMPARED} | {whole(*which) for which in KIND_OF_RESTORE_OR_CLONE}
    assert set(by_resource(VALIDATING)) == evaluated | {NAMESPACES}
    assert all(group.endswith("kubevirt.io") for group, _ in evaluated)


@pytest.mark.parametrize("which", COMPARED, ids="/".join)
def test_the_writes_of_a_vm_are_matched(which: tuple[str, str, str]) -> None:
    rule = by_resource(VALIDATING)[whole(*which)]["rules"][0]
    assert rule["operations"] == (["UPDATE"] if which[2] else ["CREATE", "UPDATE"])


@pytest.mark.parametrize("which", KIND_OF_RESTORE_OR_CLONE, ids="/".join)
def test_the_writes_of_a_copy_are_registered(which: tuple[str, str]) -> None:
    webhook = by_resource(VALIDATING)[which]
    assert webhook["rules"][0]["operations"] == ["CREATE", "UPDATE"]


@pytest.mark.parametrize("which", COMPARED, ids="/".join)
def test_every_condition_begins_with_the_creation(which: tuple[str, str, str]) -> None:
    assert conditions(by_resource(VALIDATING)[whole(*which)])["changes"].startswith("oldObject == null || ")


OF_TEMPLATES = [which for which in COMPARED if which[1] != "virtualmachineinstances" and not which[2]]


@pytest.mark.parametrize("which", OF_TEMPLATES, ids="/".join)
@pytest.mark.parametrize("path", DECLARED)
def test_every_path_that_a_rule_declares_is_compared_on_both_sides(which: tuple[str, str, str], path: str) -> None:
    chain = "s" + "".join(f".?{key}" for key in path.split("."))
    for configuration in (VALIDATING, MUTATING):
        assert chain in conditions(by_resource(configuration)[whole(*which)])["changes"]


def test_a_path_that_a_later_rule_declares_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "DECLARED", (*DECLARED, "domain.devices.tpm"))
    later = compared.compared_in("VirtualMachine")
    assert "s.?domain.?devices.?tpm" in changes(later, labels=True)
    new: dict[str, Any] = {"spec": {"template": {"spec": {"domain": {"devices": {"tpm": {}}}}}}}
    assert later.differs(new, {})


def test_a_condition_is_readable() -> None:
    """An example: of a VM's status only a request that adds a volume matters."""
    expected = """
    oldObject == null || !has(oldObject.metadata.deletionTimestamp) && (
    [[object, oldObject].map(o, o.?status.?volumeRequests.orValue([]))].exists(v, v[0] != v[1] && !(
    v.all(l, type(l) == list && size(l) <= 256) && v[0].all(r, r in v[1] || !r.?addVolumeOptions.hasValue()))))
    """
    found = conditions(by_resource(VALIDATING)["kubevirt.io", "virtualmachines/status"])["changes"]
    assert found == " ".join(expected.split()).replace("( ", "(")


@pytest.mark.parametrize("which", [which for which in COMPARED if not which[2]], ids="/".join)
def test_labels_of_ours_on_a_vm_are_sent_whether_or_not_it_is_being_deleted(which: tuple[str, str, str]) -> None:
    labels, _, evaluated = conditions(by_resource(VALIDATING)[whole(*which)])["changes"].partition("deletionTimestamp")
    for name in ("exempt.migratability.io/", "migratability.io/enforcement", "migratability.io/exempt-reason"):
        assert f"'{name}'" in labels
    assert "exempt" not in evaluated


def test_a_namespace_is_sent_only_for_labels_of_ours_by_whatever_subresource() -> None:
    webhook = by_resource(VALIDATING)[NAMESPACES]
    assert set(conditions(webhook)) == {"changes-labels"}
    assert "'migratability.io/enforcement'" in conditions(webhook)["changes-labels"]
    assert webhook["rules"][0]["resources"] == ["namespaces", "namespaces/status", "namespaces/finalize"]


def test_only_vms_and_vmis_are_let_by_for_their_owner() -> None:
    skipped = {which for which, webhook in by_resource(VALIDATING).items() if "has-no-owner" in conditions(webhook)}
    assert skipped == {("kubevirt.io", "virtualmachineinstances"), ("kubevirt.io", "virtualmachines")}


@pytest.mark.parametrize("namespace", ["kubevirt", "openshift-cnv"])
def test_the_account_that_makes_vmis_is_that_of_kubevirts_namespace(namespace: str) -> None:
    validating, _ = webhook_configurations(SERVICE, BUNDLE, namespace)
    expression = conditions(by_resource(validating)["kubevirt.io", "virtualmachineinstances"])["has-no-owner"]
    assert f"request.userInfo.username == 'system:serviceaccount:{namespace}:kubevirt-controller'" in expression


def test_the_mutating_side_sees_what_it_may_patch() -> None:
    found = {which: webhook["rules"][0]["operations"] for which, webhook in by_resource(MUTATING).items()}
    assert found == PATCHED


def test_the_mutating_side_sees_the_vmis_that_kubevirt_makes() -> None:
    """Each restart brings one more old VM under the drain's protection."""
    webhook = by_resource(MUTATING)["kubevirt.io", "virtualmachineinstances"]
    assert "has-no-owner" not in conditions(webhook)


def test_no_rule_has_a_wildcard() -> None:
    for configuration in (VALIDATING, MUTATING):
        for webhook in configuration["webhooks"]:
            assert "*" not in str(webhook["rules"])


@BOTH
def test_no_webhook_has_more_conditions_than_kubernetes_allows(configuration: dict[str, Any]) -> None:
    assert max(len(webhook["matchConditions"]) for webhook in configuration["webhooks"]) <= 64


OPEN, CLOSED = "Ignore", "Fail"
EVERY_RULE_WARNS = {rule.name: "warn" for rule in RULES}
STRICTNESS: list[tuple[dict[str, Any], str, str]] = [
    ({}, CLOSED, CLOSED),
    ({"mode": "warn"}, OPEN, OPEN),
    ({"mode": "off"}, OPEN, OPEN),
    ({"rules": EVERY_RULE_WARNS}, OPEN, CLOSED),
    ({"rules": {**EVERY_RULE_WARNS, "smb-share": "deny"}}, CLOSED, CLOSED),
    ({"rules": {**EVERY_RULE_WARNS, "smb-share": "deny"}, "mode": "warn"}, OPEN, OPEN),
]


@pytest.mark.parametrize(("settings", "vms", "labels"), STRICTNESS, ids=[str(row[0])[:60] for row in STRICTNESS])
def test_what_we_may_deny_is_denied_without_us_and_nothing_else(
    settings: dict[str, Any], vms: str, labels: str
) -> None:
    validating, mutating = webhook_configurations(SERVICE, BUNDLE, fail_closed=FailClosed.of(Settings.parse(settings)))
    for which, webhook in by_resource(validating).items():
        expected = labels if which == NAMESPACES else vms
        assert webhook["failurePolicy"] == expected, which
    assert {webhook["failurePolicy"] for webhook in mutating["webhooks"]} == {OPEN}


def test_a_staged_start_evaluates_vms_of_some_namespaces_and_guards_the_labels_of_all() -> None:
    some = {"matchLabels": {"stage": "first"}}
    for configuration in webhook_configurations(SERVICE, BUNDLE, namespaces=some):
        for which, webhook in by_resource(configuration).items():
            assert webhook["namespaceSelector"] == ({} if which == NAMESPACES else some)


@BOTH
def test_every_webhook_says_that_it_selects_all(configuration: dict[str, Any]) -> None:
    """What is not said cannot be reverted."""
    for webhook in configuration["webhooks"]:
        assert (webhook["namespaceSelector"], webhook["objectSelector"]) == ({}, {})


def test_the_probe_matches_one_object_in_our_namespace() -> None:
    probe = probe_configuration(SERVICE, BUNDLE)
    (webhook,) = probe["webhooks"]
    assert probe["metadata"]["name"] == "migratability-probe"
    assert webhook["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "migratability"}}
    assert conditions(webhook) == {"is-the-probe": "object.metadata.name == 'migratability-probe'"}
    (rule,) = webhook["rules"]
    assert (rule["apiGroups"], rule["resources"]) == (["coordination.k8s.io"], ["leases"])
    assert rule["operations"] == ["CREATE"]

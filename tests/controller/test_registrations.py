"""The webhook configurations as they are applied."""

import base64
from typing import Any

import pytest

from webhook.admission.scope import KIND_OF_COPY, WHAT_MATTERS
from webhook.controller.registrations import Strictness, probe_registration, registrations
from webhook.policy.rules import RULES
from webhook.settings import Settings

SERVICE = {"namespace": "migratability", "name": "webhook", "port": 8443}
BUNDLE = base64.b64encode(b"a certificate").decode()
VALIDATING, MUTATING = registrations(SERVICE, BUNDLE)
BOTH = pytest.mark.parametrize("configuration", [VALIDATING, MUTATING], ids=["validating", "mutating"])
NAMESPACES = {("", "namespaces"), ("", "namespaces/status"), ("", "namespaces/finalize")}
VERSIONS = {
    "": ["v1"],
    "kubevirt.io": ["v1"],
    "pool.kubevirt.io": ["v1alpha1", "v1beta1"],
    "snapshot.kubevirt.io": ["v1alpha1", "v1beta1"],
    "clone.kubevirt.io": ["v1alpha1", "v1beta1"],
    "cdi.kubevirt.io": ["v1beta1"],
}
PATCHED = {
    ("kubevirt.io", "virtualmachines"): ["CREATE", "UPDATE"],
    ("kubevirt.io", "virtualmachineinstances"): ["CREATE"],
    ("kubevirt.io", "virtualmachineinstancereplicasets"): ["CREATE", "UPDATE"],
    ("pool.kubevirt.io", "virtualmachinepools"): ["CREATE", "UPDATE"],
}


def by_resource(configuration: dict[str, Any], harmless: bool = False) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each webhook by the one group and resource that it is for; those about harmless updates stand apart."""
    found = {}
    for webhook in configuration["webhooks"]:
        if ("-harmless." in webhook["name"]) is not harmless:
            continue
        (rule,) = webhook["rules"]
        (group,), (resource,) = rule["apiGroups"], rule["resources"]
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
    assert {webhook["failurePolicy"] for webhook in by_resource(VALIDATING).values()} == {"Fail"}
    assert {webhook["failurePolicy"] for webhook in MUTATING["webhooks"]} == {"Ignore"}


def test_what_does_no_harm_is_asked_about_for_its_warnings_and_passes_without_us() -> None:
    harmless = by_resource(VALIDATING, harmless=True)
    assert set(harmless) == {whole(*which) for which in WHAT_MATTERS}
    for which, webhook in harmless.items():
        assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 2)
        assert webhook["rules"][0]["operations"] == ["UPDATE"]
        needed, enough = conditions(by_resource(VALIDATING)[which]), conditions(webhook)
        assert needed["may-do-harm"] == f"oldObject == null || !({enough['does-no-harm']})"
        assert enough["is-not-being-deleted"] == needed["is-not-being-deleted"]


def test_the_mutating_side_is_called_once() -> None:
    assert {webhook["reinvocationPolicy"] for webhook in MUTATING["webhooks"]} == {"Never"}
    assert not any("reinvocationPolicy" in webhook for webhook in VALIDATING["webhooks"])


def test_everything_that_is_judged_or_guarded_is_registered_and_nothing_else() -> None:
    judged = {whole(*which) for which in WHAT_MATTERS} | {whole(*which) for which in KIND_OF_COPY}
    assert set(by_resource(VALIDATING)) == judged | NAMESPACES


@pytest.mark.parametrize("which", WHAT_MATTERS, ids="/".join)
def test_a_machines_writes_are_registered(which: tuple[str, str, str]) -> None:
    rule = by_resource(VALIDATING)[whole(*which)]["rules"][0]
    assert rule["operations"] == (["UPDATE"] if which[2] else ["CREATE", "UPDATE"])


@pytest.mark.parametrize("which", KIND_OF_COPY, ids="/".join)
def test_the_writes_of_a_copy_are_registered(which: tuple[str, str]) -> None:
    webhook = by_resource(VALIDATING)[which]
    assert webhook["rules"][0]["operations"] == ["CREATE", "UPDATE"]


@pytest.mark.parametrize("which", WHAT_MATTERS, ids="/".join)
def test_every_path_that_matters_is_in_the_condition(which: tuple[str, str, str]) -> None:
    expression = conditions(by_resource(VALIDATING)[whole(*which)])["changes-what-matters"]
    assert expression.startswith("oldObject == null || ")
    for path in WHAT_MATTERS[which]:
        chain = "".join(f".?{key}" if key.isalpha() else f"[?'{key}']" for key in path)
        assert f"object{chain} != oldObject{chain}" in expression


@pytest.mark.parametrize("which", [which for which in WHAT_MATTERS if not which[2]], ids="/".join)
def test_labels_of_ours_on_a_machine_are_in_the_condition(which: tuple[str, str, str]) -> None:
    expression = conditions(by_resource(VALIDATING)[whole(*which)])["changes-what-matters"]
    for mark in ("exempt.migratability.io/", "migratability.io/enforcement", "migratability.io/exempt-reason"):
        assert f"'{mark}'" in expression


def test_a_namespace_is_called_about_only_for_labels_of_ours() -> None:
    for which in NAMESPACES:
        webhook = by_resource(VALIDATING)[which]
        assert set(conditions(webhook)) == {"is-not-being-deleted", "brings-labels"}
        assert "'migratability.io/enforcement'" in conditions(webhook)["brings-labels"]


def test_nothing_is_called_about_that_is_being_deleted() -> None:
    copies = {whole(*which) for which in KIND_OF_COPY}
    """A creation can say so of itself, so the old object tells."""
    expression = "oldObject == null || !has(oldObject.metadata.deletionTimestamp)"
    for configuration in (VALIDATING, MUTATING):
        for which, webhook in by_resource(configuration).items():
            if which not in copies:
                assert conditions(webhook)["is-not-being-deleted"] == expression


def test_only_machines_and_instances_are_let_by_for_their_owner() -> None:
    let_by = {
        which for which, webhook in by_resource(VALIDATING).items() if "is-not-made-for-an-owner" in conditions(webhook)
    }
    assert let_by == {("kubevirt.io", "virtualmachineinstances"), ("kubevirt.io", "virtualmachines")}


@pytest.mark.parametrize("namespace", ["kubevirt", "openshift-cnv"])
def test_the_account_that_makes_instances_is_that_of_kubevirts_namespace(namespace: str) -> None:
    validating, _ = registrations(SERVICE, BUNDLE, namespace)
    expression = conditions(by_resource(validating)["kubevirt.io", "virtualmachineinstances"])[
        "is-not-made-for-an-owner"
    ]
    assert f"request.userInfo.username == 'system:serviceaccount:{namespace}:kubevirt-controller'" in expression


def test_the_mutating_side_sees_what_it_may_patch() -> None:
    found = {which: webhook["rules"][0]["operations"] for which, webhook in by_resource(MUTATING).items()}
    assert found == PATCHED


def test_the_mutating_side_sees_the_instances_that_kubevirt_makes() -> None:
    """Each restart brings one more old machine under the drain's protection."""
    webhook = by_resource(MUTATING)["kubevirt.io", "virtualmachineinstances"]
    assert "is-not-made-for-an-owner" not in conditions(webhook)


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


@pytest.mark.parametrize(("settings", "machines", "labels"), STRICTNESS, ids=[str(row[0])[:60] for row in STRICTNESS])
def test_what_we_may_refuse_is_refused_without_us_and_nothing_else(
    settings: dict[str, Any], machines: str, labels: str
) -> None:
    validating, mutating = registrations(SERVICE, BUNDLE, strictness=Strictness.of(Settings.parse(settings)))
    for which, webhook in by_resource(validating).items():
        expected = labels if which in NAMESPACES else machines
        assert webhook["failurePolicy"] == expected, which
    assert {webhook["failurePolicy"] for webhook in mutating["webhooks"]} == {OPEN}


def test_a_staged_start_judges_machines_of_some_namespaces_and_guards_the_labels_of_all() -> None:
    some = {"matchLabels": {"stage": "first"}}
    for configuration in registrations(SERVICE, BUNDLE, namespaces=some):
        for harmless in (False, True):
            for which, webhook in by_resource(configuration, harmless).items():
                assert webhook["namespaceSelector"] == ({} if which in NAMESPACES else some)


@BOTH
def test_every_webhook_says_that_it_selects_all(configuration: dict[str, Any]) -> None:
    """What is not said cannot be put back."""
    for webhook in configuration["webhooks"]:
        assert (webhook["namespaceSelector"], webhook["objectSelector"]) == ({}, {})


def test_the_probe_matches_one_object_in_our_namespace() -> None:
    probe = probe_registration(SERVICE, BUNDLE)
    (webhook,) = probe["webhooks"]
    assert probe["metadata"]["name"] == "migratability-probe"
    assert webhook["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "migratability"}}
    assert conditions(webhook) == {"is-the-probe": "object.metadata.name == 'migratability-probe'"}
    (rule,) = webhook["rules"]
    assert (rule["apiGroups"], rule["resources"]) == (["coordination.k8s.io"], ["leases"])
    assert rule["operations"] == ["CREATE"]

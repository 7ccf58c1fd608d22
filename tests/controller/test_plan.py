"""The leader's next steps, by the live webhook configurations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.controller.fake import installation, pod
from webhook.controller.live_configurations import MUTATING, VALIDATING
from webhook.controller.owned import Owner
from webhook.controller.plan import (
    Apply,
    ReconcileInputs,
    Step,
    encoded,
    needs_probe,
    steps,
    trusting,
    versions_of,
    wanted_configurations,
    wanted_probe,
)
from webhook.settings import Settings

OWNER = Owner("registrations", "u1")
SITUATION = ReconcileInputs(installation(), Settings(), OWNER, "kubevirt", b"bundle", frozenset({"1.0"}))
Live = dict[str, dict[str, Any]]


def inputs(*, versions: tuple[str, ...] = ("1.0",), bundle: bytes = b"bundle", **settings: Any) -> ReconcileInputs:
    """Return the situation with other settings, bundle or versions."""
    return replace(SITUATION, settings=Settings.parse(settings), versions=frozenset(versions), bundle=bundle)


def configured(**settings: Any) -> Live:
    """Return the webhook configurations of these settings."""
    return {obj["kind"]: obj for obj in wanted_configurations(inputs(**settings), {})}


ALL = configured()


def brief(taken: Sequence[Step]) -> list[str]:
    """Return steps in words."""
    short = {VALIDATING: "validating", MUTATING: "mutating"}
    return [
        f"apply {short[step.wanted['kind']]}" if isinstance(step, Apply) else f"delete {short[step.kind]}"
        for step in taken
    ]


ONLY_MUTATING, ONLY_VALIDATING = {MUTATING: ALL[MUTATING]}, {VALIDATING: ALL[VALIDATING]}
LENIENT = configured(mode="warn")
PLANS: dict[str, tuple[dict[str, Any], Live, bool, list[str]]] = {
    "all is as it must be": ({}, ALL, False, []),
    "nothing is there": ({}, {}, True, ["apply mutating"]),
    "only the mutating side is there": ({}, ONLY_MUTATING, True, ["apply validating"]),
    "only the validating side is there": ({}, ONLY_VALIDATING, True, ["apply mutating"]),
    "nothing is there, and nothing is denied": ({"mode": "warn"}, {}, True, ["apply mutating"]),
    "the global mode becomes warn": ({"mode": "warn"}, ALL, False, ["apply validating"]),
    "the global mode becomes deny": ({}, LENIENT, True, ["apply validating"]),
    "they are switched off": ({"webhookConfigurations": "off"}, ALL, False, ["delete validating"]),
    "one is switched off already": ({"webhookConfigurations": "off"}, ONLY_MUTATING, False, ["delete mutating"]),
    "both are switched off already": ({"webhookConfigurations": "off"}, {}, False, []),
}


@pytest.mark.parametrize(("settings", "live", "probe", "expected"), PLANS.values(), ids=PLANS)
def test_next_steps_and_whether_a_probe_comes_first(
    settings: dict[str, Any], live: Live, probe: bool, expected: list[str]
) -> None:
    wanted = wanted_configurations(inputs(**settings), live)
    assert (needs_probe(wanted, live), brief(steps(wanted, live))) == (probe, expected)


def test_another_bundle_or_owner_is_applied_at_once() -> None:
    for other, place in (
        (inputs(bundle=b"other"), "].clientConfig.caBundle"),
        (replace(SITUATION, owner=Owner("registrations", "u2")), "metadata.ownerReferences[registrations].uid"),
    ):
        wanted = wanted_configurations(other, ALL)
        taken = steps(wanted, ALL)
        assert not needs_probe(wanted, ALL)
        assert brief(taken) == ["apply validating", "apply mutating"]
        assert all(at.endswith(place) for step in taken if isinstance(step, Apply) for at in step.places)


def test_a_live_configuration_trusts_another_bundle_before_a_probe_and_changes_nothing_else() -> None:
    """A replica that nobody trusts cannot be reached, so that the probe would never be answered."""
    other = inputs(bundle=b"other")
    (taken,) = trusting(wanted_configurations(other, ONLY_VALIDATING), ONLY_VALIDATING, other)
    assert brief([taken]) == ["apply validating"]
    assert {webhook["clientConfig"]["caBundle"] for webhook in taken.wanted["webhooks"]} == {encoded(b"other")}
    assert trusting(wanted_configurations(SITUATION, ALL), ALL, SITUATION) == []
    for taken in trusting(wanted_configurations(other, LENIENT), LENIENT, other):
        policies = [webhook["failurePolicy"] for webhook in taken.wanted["webhooks"]]
        assert policies == [webhook["failurePolicy"] for webhook in LENIENT[taken.wanted["kind"]]["webhooks"]]


NEWER = {**ALL[VALIDATING]["webhooks"][0], "rules": ["those of another version"], "failurePolicy": "Fail"}
MIXED: Live = {**ALL, VALIDATING: {**ALL[VALIDATING], "webhooks": [NEWER]}}
TWO = ("1.0", "2.0")


@pytest.mark.parametrize(("mode", "policy"), [("deny", "Fail"), ("warn", "Ignore")])
def test_rules_stay_while_another_version_may_be_called_but_the_bundle_and_the_global_mode_apply(
    mode: str, policy: str
) -> None:
    validating, _ = wanted_configurations(inputs(versions=TWO, bundle=b"other", mode=mode), MIXED)
    (webhook,) = validating["webhooks"]
    assert webhook["rules"] == NEWER["rules"]
    assert webhook["clientConfig"]["caBundle"] == encoded(b"other")
    assert webhook["failurePolicy"] == policy


def test_nothing_more_is_denied_while_another_version_may_be_called() -> None:
    lenient = {**ALL, VALIDATING: {**LENIENT[VALIDATING]}}
    validating, _ = wanted_configurations(inputs(versions=TWO), lenient)
    assert {webhook["failurePolicy"] for webhook in validating["webhooks"]} == {"Ignore"}


def test_configurations_are_created_and_switched_off_with_any_versions() -> None:
    assert wanted_configurations(inputs(versions=TWO), {}) == [ALL[VALIDATING], ALL[MUTATING]]
    assert wanted_configurations(inputs(versions=TWO, webhookConfigurations="off"), MIXED) == []


VERSIONS: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "no pods": ([], set()),
    "our own, not ready": ([pod("me", "1.0", "False")], {"1.0"}),
    "one of another version": ([pod("me", "1.0"), pod("b", "2.0")], {"1.0", "2.0"}),
    "one of another version that is not ready": ([pod("me", "1.0"), pod("b", "2.0", "False")], {"1.0"}),
    "one without a version": ([pod("me", "1.0"), pod("b", "")], {"1.0", ""}),
    "one without a status": ([pod("me", "1.0"), {"metadata": {"name": "b"}}], {"1.0"}),
    "another image": ([pod("me", "1.0", image="a"), pod("b", "1.0", image="b")], {"1.0 a", "1.0 b"}),
    "the same image": ([pod("me", "1.0", image="a"), pod("b", "1.0", image="a")], {"1.0 a"}),
}


@pytest.mark.parametrize(("pods", "expected"), VERSIONS.values(), ids=VERSIONS)
def test_the_versions_that_may_be_called_with(pods: list[dict[str, Any]], expected: set[str]) -> None:
    assert versions_of(pods, "me") == expected


def test_the_owner_owns_all_configurations_without_blocking_its_deletion() -> None:
    for obj in (*ALL.values(), wanted_probe(SITUATION)):
        assert obj["metadata"]["ownerReferences"] == [OWNER.reference]
        assert obj["metadata"]["labels"]["velero.io/exclude-from-backup"] == "true"
    assert set(OWNER.reference) == {"apiVersion", "kind", "name", "uid"}

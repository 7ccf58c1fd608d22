"""What the leader does about the webhook configurations, by what there is."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.controller.fake import installation
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
    """Return what is registered with these settings."""
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
PLANS: list[tuple[str, dict[str, Any], Live, bool, list[str]]] = [
    ("all is as it must be", {}, ALL, False, []),
    ("nothing is there", {}, {}, True, ["apply mutating"]),
    ("only the mutating side is there", {}, ONLY_MUTATING, True, ["apply validating"]),
    ("only the validating side is there", {}, ONLY_VALIDATING, True, ["apply mutating"]),
    ("nothing is there, and nothing is denied", {"mode": "warn"}, {}, True, ["apply mutating"]),
    ("the global mode becomes warn", {"mode": "warn"}, ALL, False, ["apply validating"]),
    ("the global mode becomes deny", {}, LENIENT, True, ["apply validating"]),
    ("they are switched off", {"webhookConfigurations": "off"}, ALL, False, ["delete validating"]),
    ("one is switched off already", {"webhookConfigurations": "off"}, ONLY_MUTATING, False, ["delete mutating"]),
    ("both are switched off already", {"webhookConfigurations": "off"}, {}, False, []),
]


@pytest.mark.parametrize(
    ("settings", "live", "probe", "expected"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS]
)
def test_next_steps_and_whether_a_probe_comes_first(
    settings: dict[str, Any], live: Live, probe: bool, expected: list[str]
) -> None:
    wanted = wanted_configurations(inputs(**settings), live)
    assert (needs_probe(wanted, live), brief(steps(wanted, live))) == (probe, expected)


def test_another_bundle_is_applied_at_once() -> None:
    wanted = wanted_configurations(inputs(bundle=b"other"), ALL)
    assert brief(steps(wanted, ALL)) == ["apply validating", "apply mutating"]


def test_a_live_configuration_trusts_another_bundle_before_anything_is_proven() -> None:
    """A replica that nobody trusts cannot be reached, so that the proof would wait for it for ever."""
    other = inputs(bundle=b"other")
    (taken,) = trusting(wanted_configurations(other, ONLY_VALIDATING), ONLY_VALIDATING, other)
    assert brief([taken]) == ["apply validating"]
    assert {webhook["clientConfig"]["caBundle"] for webhook in taken.wanted["webhooks"]} == {encoded(b"other")}
    assert trusting(wanted_configurations(SITUATION, ALL), ALL, SITUATION) == []


def test_trusting_another_bundle_changes_nothing_else() -> None:
    other = inputs(bundle=b"other")
    for taken in trusting(wanted_configurations(other, LENIENT), LENIENT, other):
        policies = [webhook["failurePolicy"] for webhook in taken.wanted["webhooks"]]
        assert policies == [webhook["failurePolicy"] for webhook in LENIENT[taken.wanted["kind"]]["webhooks"]]


def test_another_owner_is_applied_at_once() -> None:
    wanted = wanted_configurations(replace(SITUATION, owner=Owner("registrations", "u2")), ALL)
    taken = steps(wanted, ALL)
    assert brief(taken) == ["apply validating", "apply mutating"]
    assert isinstance(taken[0], Apply)
    assert taken[0].places == ("metadata.ownerReferences[registrations].uid",)


def test_what_somebody_stops_from_denying_is_proven_before_it_denies_again() -> None:
    webhooks = [{**webhook, "failurePolicy": "Ignore"} for webhook in ALL[VALIDATING]["webhooks"]]
    live = {**ALL, VALIDATING: {**ALL[VALIDATING], "webhooks": webhooks}}
    assert needs_probe(ALL.values(), live)


NEWER = {**ALL[VALIDATING]["webhooks"][0], "rules": ["those of another version"], "failurePolicy": "Fail"}
MIXED: Live = {**ALL, VALIDATING: {**ALL[VALIDATING], "webhooks": [NEWER]}}
TWO = ("1.0", "2.0")


def kept(**settings: Any) -> dict[str, Any]:
    """Return what becomes of the webhook configuration of another version while that may be called."""
    changed = inputs(versions=TWO, bundle=b"other", **settings)
    validating, _ = wanted_configurations(changed, MIXED)
    (webhook,) = validating["webhooks"]
    found: dict[str, Any] = webhook
    return found


def test_rules_of_another_version_stay_while_it_may_be_called() -> None:
    webhook = kept()
    assert webhook["rules"] == NEWER["rules"]
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == b"other"
    assert webhook["failurePolicy"] == "Fail"


def test_the_brake_brakes_while_another_version_may_be_called() -> None:
    assert kept(mode="warn")["failurePolicy"] == "Ignore"


def test_nothing_denies_more_while_another_version_may_be_called() -> None:
    lenient = {**ALL, VALIDATING: {**LENIENT[VALIDATING]}}
    validating, _ = wanted_configurations(inputs(versions=TWO), lenient)
    assert {webhook["failurePolicy"] for webhook in validating["webhooks"]} == {"Ignore"}


def test_what_is_not_registered_at_all_is_whatever_versions_there_are() -> None:
    assert wanted_configurations(inputs(versions=TWO), {}) == [ALL[VALIDATING], ALL[MUTATING]]


def test_the_emergency_switch_works_whatever_versions_there_are() -> None:
    assert wanted_configurations(inputs(versions=TWO, webhookConfigurations="off"), MIXED) == []


def pod(name: str, version: str | None, ready: str = "True") -> dict[str, Any]:
    """Return a pod."""
    labels = {"app.kubernetes.io/version": version} if version else {}
    status = {"conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": ready}]}
    return {"metadata": {"name": name, "labels": labels}, "status": status}


VERSIONS: list[tuple[str, list[dict[str, Any]], set[str]]] = [
    ("no pods", [], set()),
    ("our own, not ready", [pod("me", "1.0", "False")], {"1.0"}),
    ("another of ours", [pod("me", "1.0"), pod("b", "1.0")], {"1.0"}),
    ("one of another version", [pod("me", "1.0"), pod("b", "2.0")], {"1.0", "2.0"}),
    ("one of another version that is not ready", [pod("me", "1.0"), pod("b", "2.0", "False")], {"1.0"}),
    ("one that says nothing", [pod("me", "1.0"), pod("b", None)], {"1.0", ""}),
    ("one without a status", [pod("me", "1.0"), {"metadata": {"name": "b"}}], {"1.0"}),
]


@pytest.mark.parametrize(("pods", "expected"), [row[1:] for row in VERSIONS], ids=[row[0] for row in VERSIONS])
def test_which_versions_may_be_called(pods: list[dict[str, Any]], expected: set[str]) -> None:
    assert versions_of(pods, "me") == expected


def test_another_image_is_another_version_whatever_the_label_says() -> None:
    def of_image(name: str, image: str) -> dict[str, Any]:
        return {**pod(name, "1.0"), "spec": {"containers": [{"image": image}]}}

    assert len(versions_of([of_image("me", "webhook:1.0"), of_image("b", "webhook:1.1")], "me")) == 2
    assert len(versions_of([of_image("me", "webhook:1.0"), of_image("b", "webhook:1.0")], "me")) == 1


def test_all_that_is_registered_belongs_to_the_owner() -> None:
    for obj in (*ALL.values(), wanted_probe(SITUATION)):
        assert obj["metadata"]["ownerReferences"] == [OWNER.reference]
        assert obj["metadata"]["labels"]["velero.io/exclude-from-backup"] == "true"


def test_the_owner_is_not_held_up_by_what_it_owns() -> None:
    assert set(OWNER.reference) == {"apiVersion", "kind", "name", "uid"}

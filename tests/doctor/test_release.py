"""The doctor finds the installed release by its ConfigMap, and uses its settings."""

from typing import Any

import pytest
import yaml

from tests.build import Object, kubevirt
from tests.controller.fake import INSTALLATION, installation
from tests.doctor.fake_api import Answer, TableApi
from webhook.cluster import ClusterUnavailable, Snapshot
from webhook.controller.live_configurations import KINDS, LiveConfigurations
from webhook.controller.webhook_configurations import webhook_configurations
from webhook.doctor.finding import Finding
from webhook.doctor.release import Release, look_for_release
from webhook.doctor.webhook_configurations import look_at_configurations, selector_of
from webhook.settings import Settings

CONFIG_MAPS = "/api/v1/configmaps"
CLUSTER = Snapshot([kubevirt()])


def config_map(name: str = "webhook", owner: str = "registrations", **data: str) -> Object:
    """Return a release's ConfigMap with these settings."""
    found = {**INSTALLATION, "namespace": f"in-{name}", "owner": owner}
    files = {"installation.yaml": yaml.safe_dump(found), "settings.yaml": "mode: warn\n", **data}
    return {"metadata": {"name": name, "namespace": f"in-{name}"}, "data": files}


def held_by(owner: str, **selector: Any) -> LiveConfigurations:
    """Return webhook configurations that belong to a ClusterRole."""
    metadata = {"name": "migratability", "ownerReferences": [{"kind": "ClusterRole", "name": owner, "uid": "u"}]}
    found = webhook_configurations(INSTALLATION["service"] | {"namespace": "migratability"}, "", namespaces=selector)
    return {obj["kind"]: {**obj, "metadata": metadata} for obj in found}


def looked(*config_maps: Object, live: LiveConfigurations | None = None) -> tuple[Release | None, list[Finding]]:
    return look_for_release(TableApi({CONFIG_MAPS: {"items": list(config_maps)}}).client, live or {})


def test_settings_are_those_of_the_release_among_the_charts_config_maps() -> None:
    others = [{"metadata": {"name": "dashboard"}, "data": {"migratability.json": "{}"}}, {"metadata": {"name": "ca"}}]

    def answer(query: Object) -> Object:
        assert query["labelSelector"] == "app.kubernetes.io/part-of=migratability-webhook"
        return {"items": [*others, config_map()]}

    release, (found,) = look_for_release(TableApi({CONFIG_MAPS: answer}).client, {})
    assert release
    assert (release.settings, release.installation.namespace) == (Settings(mode="warn"), "in-webhook")
    what = "ConfigMap in-webhook/webhook: mode warn, webhookConfigurations managed"
    assert found == Finding("ok", "release", what)


@pytest.mark.parametrize(
    ("content", "words"), [("mode: maybe", "mode: must be one of deny, warn, off"), ("mode: [", "not YAML")]
)
def test_invalid_settings_or_installation_are_an_error_that_names_them(content: str, words: str) -> None:
    release, (found,) = looked(config_map(**{"settings.yaml": content}))
    assert release
    assert (release.settings, found.status, found.about) == (None, "error", "settings")
    assert found.what.startswith(f"ConfigMap in-webhook/webhook: settings.yaml: {words}")
    release, (found, *_) = looked(config_map(**{"installation.yaml": "namespace: 1"}))
    assert (release, found.status) == (None, "error")
    assert found.what.startswith("ConfigMap in-webhook/webhook: installation.yaml: ")


def test_unknown_rule_in_the_settings_is_a_warning_that_names_it() -> None:
    _, (found, warned) = looked(config_map(**{"settings.yaml": "rules: {of-the-future: deny}"}))
    assert (warned.status, warned.about, found.status) == ("warning", "settings", "ok")
    words = "ConfigMap in-webhook/webhook: settings.yaml: rules.of-the-future: this version has no such rule; it has "
    assert warned.what.startswith(words)


def test_without_a_release_the_default_settings_are_assumed_with_a_warning() -> None:
    absent: list[Answer] = [{"items": []}, 403, lambda _: ClusterUnavailable("gone")]
    for answer in absent:
        release, (found,) = look_for_release(TableApi({CONFIG_MAPS: answer}).client, {})
        assert (release, found.status, "assuming the default settings" in found.what) == (None, "warning", True)


def test_of_two_releases_the_one_with_webhook_configurations_is_used_and_the_others_named() -> None:
    release, findings = looked(config_map("first", "a"), config_map("second", "b"), live=held_by("b"))
    assert release
    assert release.name == "in-second/second"
    assert [finding.status for finding in findings] == ["ok", "error"]
    words = "in-first/first is one of 2 releases in this cluster; only one is supported. The webhook configurations "
    assert findings[1].what == f"{words}belong to in-second/second"
    release, findings = looked(config_map("first", "a"), config_map("second", "b"))
    assert (release, [finding.status for finding in findings]) == (None, ["error", "error"])
    assert [finding.what.split()[0] for finding in findings] == ["in-first/first", "in-second/second"]


def test_webhook_configurations_of_another_installation_are_errors_unless_ours_are_switched_off() -> None:
    found = look_at_configurations(held_by("other"), CLUSTER, Settings(), installation())
    assert [(finding.status, finding.what.split()[0]) for finding in found] == [("error", kind) for kind in KINDS]
    assert all("it belongs to ClusterRole other" in finding.what for finding in found)
    off = Settings(webhook_configurations="off")
    (only,) = look_at_configurations(held_by("other"), CLUSTER, off, installation())
    assert (only.status, "nothing is evaluated" in only.what) == ("warning", True)


def test_webhook_configurations_are_compared_with_the_installation() -> None:
    wanted = {"matchLabels": {"migratability": "on"}}
    ours = held_by("registrations", **wanted)
    for selector, status in ((wanted, "ok"), ({}, "warning")):
        found = look_at_configurations(ours, CLUSTER, Settings(), installation(namespaceSelector=selector))
        assert found[0].status == status
    assert selector_of(ours) == wanted

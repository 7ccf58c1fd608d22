"""The doctor finds the installed release by its ConfigMap, and goes by its settings."""

from typing import Any

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


def config_map(name: str = "webhook", owner: str = "registrations", **data: str) -> Object:
    """Return a release's ConfigMap with these settings."""
    found = {**INSTALLATION, "namespace": f"in-{name}", "owner": owner}
    files = {"installation.yaml": yaml.safe_dump(found), "settings.yaml": "mode: warn\n", **data}
    return {"metadata": {"name": name, "namespace": f"in-{name}"}, "data": files}


def held_by(owner: str, **selector: Any) -> LiveConfigurations:
    """Return webhook configurations that belong to a ClusterRole."""
    service = {"namespace": "migratability", "name": "migratability-webhook", "port": 443}
    reference = {"kind": "ClusterRole", "name": owner, "uid": "u"}
    return {
        obj["kind"]: {**obj, "metadata": {"name": "migratability", "ownerReferences": [reference]}}
        for obj in webhook_configurations(service, "", namespaces=selector)
    }


def looked(*config_maps: Object, live: LiveConfigurations | None = None) -> tuple[Release | None, list[Finding]]:
    """Return the release that is found among ConfigMaps, and what is said."""
    return look_for_release(TableApi({CONFIG_MAPS: {"items": list(config_maps)}}).client, live or {})


def test_the_settings_are_those_of_the_installed_release() -> None:
    release, (found,) = looked(config_map())
    assert release
    assert (release.settings, release.installation.namespace) == (Settings(mode="warn"), "in-webhook")
    assert found.what == "ConfigMap in-webhook/webhook: mode warn, webhookConfigurations managed"
    assert found.status == "ok"


def test_config_maps_of_the_chart_that_are_no_release_are_passed_over() -> None:
    others = [{"metadata": {"name": "dashboard"}, "data": {"migratability.json": "{}"}}, {"metadata": {"name": "ca"}}]
    asked: list[Object] = []

    def answer(query: Object) -> Object:
        asked.append(query)
        return {"items": [*others, config_map()]}

    release, findings = look_for_release(TableApi({CONFIG_MAPS: answer}).client, {})
    assert (release is not None, [finding.status for finding in findings]) == (True, ["ok"])
    assert [query["labelSelector"] for query in asked] == ["app.kubernetes.io/part-of=migratability-webhook"]


def test_settings_that_do_not_parse_are_an_error_that_names_them() -> None:
    for content, words in (("mode: maybe", "mode: must be one of deny, warn, off"), ("mode: [", "not YAML")):
        release, (found,) = looked(config_map(**{"settings.yaml": content}))
        assert release
        assert (release.settings, found.status, found.about) == (None, "error", "settings")
        assert found.what.startswith(f"ConfigMap in-webhook/webhook: settings.yaml: {words}")


def test_an_installation_that_does_not_parse_is_an_error_that_names_it() -> None:
    release, findings = looked(config_map(**{"installation.yaml": "namespace: 1"}))
    assert release is None
    assert findings[0].status == "error"
    assert findings[0].what.startswith("ConfigMap in-webhook/webhook: installation.yaml: ")


def test_without_a_release_it_is_said_that_initial_settings_are_assumed() -> None:
    answers: list[Answer] = [{"items": []}, 403, lambda _: ClusterUnavailable("gone")]
    for answer in answers:
        release, (found,) = look_for_release(TableApi({CONFIG_MAPS: answer}).client, {})
        assert (release, found.status, "initial settings are assumed" in found.what) == (None, "warning", True)


def test_of_two_releases_the_one_that_is_registered_is_looked_at_and_the_other_named() -> None:
    first, second = config_map("first", "first-registrations"), config_map("second", "second-registrations")
    release, findings = looked(first, second, live=held_by("second-registrations"))
    assert release
    assert release.name == "in-second/second"
    assert [finding.status for finding in findings] == ["ok", "error"]
    assert findings[1].what.startswith("in-first/first is one of 2 in this cluster, which can have one; the webhook")
    assert findings[1].what.endswith("are those of in-second/second")


def test_of_two_releases_of_which_none_is_registered_both_are_named() -> None:
    release, findings = looked(config_map("first", "a"), config_map("second", "b"))
    assert release is None
    assert [(finding.status, finding.what.split()[0]) for finding in findings] == [
        ("error", "in-first/first"),
        ("error", "in-second/second"),
    ]


def test_webhook_configurations_of_another_installation_are_errors_that_name_whose_they_are() -> None:
    found = look_at_configurations(held_by("other"), Snapshot([kubevirt()]), Settings(), installation())
    assert [finding.status for finding in found] == ["error", "error"]
    assert all("it belongs to ClusterRole other" in finding.what for finding in found)
    assert [finding.what.split()[0] for finding in found] == list(KINDS)


def test_a_release_that_is_switched_off_has_nothing_to_do_with_the_webhook_configurations_of_another() -> None:
    (found,) = look_at_configurations(
        held_by("other"), Snapshot([kubevirt()]), Settings(webhook_configurations="off"), installation()
    )
    assert (found.status, "nothing is evaluated" in found.what) == ("warning", True)


def test_webhook_configurations_are_compared_with_the_installation() -> None:
    wanted = {"matchLabels": {"migratability": "on"}}
    ours = held_by("registrations", **wanted)
    for selector, status in ((wanted, "ok"), ({}, "warning")):
        live = look_at_configurations(
            ours, Snapshot([kubevirt()]), Settings(), installation(namespaceSelector=selector)
        )
        assert live[0].status == status
    assert selector_of(ours) == wanted

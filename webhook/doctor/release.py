"""Which release is installed and with which settings, from the ConfigMap that its pods mount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.controller.live_configurations import LiveConfigurations, holder_of
from webhook.doctor.finding import Finding
from webhook.installation import Installation
from webhook.objects import Object, at, mapping, text
from webhook.policy.rules import unknown_rules
from webhook.settings import Settings
from webhook.structs import FieldError

_CONFIG_MAPS = "/api/v1/configmaps"
_QUERY = {"labelSelector": "app.kubernetes.io/part-of=migratability-webhook"}
_SETTINGS, _INSTALLATION = "settings.yaml", "installation.yaml"
"""The keys of the ConfigMap, as the chart writes them."""
_ABOUT = "release"


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its ConfigMap as namespace/name and what it holds; ``problem`` says why its settings are invalid."""

    name: str
    installation: Installation
    settings: Settings | None
    problem: str | None = None


def look_for_release(client: Client, live: LiveConfigurations) -> tuple[Release | None, list[Finding]]:
    """Return the release that holds the live webhook configurations, or the only one, and the findings about all.

    None where none exists, where several exist without webhook configurations, and where we may not list ConfigMaps.
    """
    try:
        config_maps = list(client.list(_CONFIG_MAPS, _QUERY))
    except ClusterUnavailable as error:
        remedy = "Grant the right to list configmaps, or give the release's files with --config and --installation"
        return None, [Finding("warning", _ABOUT, f"unknown, assuming the default settings: {error}", remedy)]
    releases, findings = [], []
    for config_map in config_maps:
        if {_SETTINGS, _INSTALLATION} <= mapping(config_map.get("data")).keys():
            try:
                releases.append(_read(config_map))
            except FieldError as error:
                remedy = "Its pods cannot start; helm upgrade creates it again"
                findings.append(Finding("error", _ABOUT, str(error), remedy))
    holding = [
        release for release in releases if any(holder_of(obj, release.installation) is None for obj in live.values())
    ]
    found = holding or releases
    chosen = found[0] if len(found) == 1 else None
    return chosen, [*findings, *_reported(releases, chosen)]


def account_of(client: Client, installation: Installation) -> str | None:
    """Return the name of the service account of a release's pods; None where no pod shows it."""
    path = f"/api/v1/namespaces/{installation.namespace}/pods"
    try:
        pods = client.list(path, {"labelSelector": installation.pods})
        return next(filter(None, (text(at(pod, "spec", "serviceAccountName")) for pod in pods)), None)
    except ClusterUnavailable:
        return None


def _read(config_map: Object) -> Release:
    """Raises FieldError where the installation cannot be read."""
    name, data = f"{at(config_map, 'metadata', 'namespace')}/{at(config_map, 'metadata', 'name')}", config_map["data"]
    try:
        installation = Installation.loads(str(data[_INSTALLATION]).encode())
    except FieldError as error:
        raise FieldError(f"ConfigMap {name}: {_INSTALLATION}: {error}") from None
    try:
        return Release(name, installation, Settings.loads(str(data[_SETTINGS]).encode()))
    except FieldError as error:
        return Release(name, installation, None, f"ConfigMap {name}: {_SETTINGS}: {error}")


def _reported(releases: list[Release], chosen: Release | None) -> Iterator[Finding]:
    if not releases:
        remedy = "Install the chart; if it was installed otherwise, give its files with --config and --installation"
        yield Finding("warning", _ABOUT, "none found, assuming the default settings", remedy)
    if chosen and chosen.settings:
        mode, switch = chosen.settings.mode, chosen.settings.webhook_configurations
        yield Finding("ok", _ABOUT, f"ConfigMap {chosen.name}: mode {mode}, webhookConfigurations {switch}")
    for release in releases:
        for remark in unknown_rules(release.settings or Settings()):
            remedy = "Correct the name, or run the version that has the rule: this version ignores it"
            yield Finding("warning", "settings", f"ConfigMap {release.name}: {_SETTINGS}: {remark}", remedy)
        if release.problem:
            remedy = "Fix it: until then pods use the last valid settings, or the defaults"
            yield Finding("error", "settings", release.problem, remedy)
        if release is not chosen and len(releases) > 1:
            whose = f"belong to {chosen.name}" if chosen else "do not exist"
            what = f"{release.name} is one of {len(releases)} releases in this cluster; only one is supported. "
            remedy = "Its pods do not become ready beside the other release: uninstall one of them"
            yield Finding("error", _ABOUT, f"{what}The webhook configurations {whose}", remedy)

"""Which release is installed, and with which settings: by the ConfigMap that its pods mount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.controller.live_configurations import LiveConfigurations, holder_of
from webhook.doctor.finding import Finding
from webhook.installation import Installation
from webhook.objects import Object, at, mapping, text
from webhook.settings import Settings
from webhook.structs import FieldError

_CONFIG_MAPS = "/api/v1/configmaps"
_QUERY = {"labelSelector": "app.kubernetes.io/part-of=migratability-webhook"}
_SETTINGS, _INSTALLATION = "settings.yaml", "installation.yaml"
"""The keys of the ConfigMap, as the chart writes them."""
_ABOUT = "release"


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its ConfigMap as namespace/name, what that says of it, and why its settings cannot be used, if so."""

    name: str
    installation: Installation
    settings: Settings | None
    wrong: str | None = None


def look_for_release(client: Client, live: LiveConfigurations) -> tuple[Release | None, list[Finding]]:
    """Return the release that holds the live webhook configurations, or the only one there is, and what to say of all.

    None where there is none, where there are several and nothing is registered, and where nobody lets us look.
    """
    try:
        config_maps = list(client.list(_CONFIG_MAPS, _QUERY))
    except ClusterUnavailable as error:
        remedy = (
            "Give the right to list configmaps, or the files in the release's ConfigMap by --config and --installation"
        )
        return None, [Finding("warning", _ABOUT, f"not looked for, initial settings are assumed: {error}", remedy)]
    releases, findings = [], []
    for config_map in config_maps:
        if {_SETTINGS, _INSTALLATION} <= mapping(config_map.get("data")).keys():
            try:
                releases.append(_read(config_map))
            except FieldError as error:
                findings.append(
                    Finding("error", _ABOUT, str(error), "Its pods cannot start; helm upgrade makes it again")
                )
    chosen = _in_force(releases, live)
    return chosen, [*findings, *_reported(releases, chosen)]


def account_of(client: Client, installation: Installation) -> str | None:
    """Return the name of the service account by which the pods of a release run; None where no pod tells it."""
    path = f"/api/v1/namespaces/{installation.namespace}/pods"
    try:
        pods = client.list(path, {"labelSelector": installation.pods})
        return next(filter(None, (text(at(pod, "spec", "serviceAccountName")) for pod in pods)), None)
    except ClusterUnavailable:
        return None


def _read(config_map: Object) -> Release:
    """Raises FieldError where it cannot be told which release it is of."""
    name, data = f"{at(config_map, 'metadata', 'namespace')}/{at(config_map, 'metadata', 'name')}", config_map["data"]
    try:
        installation = Installation.loads(str(data[_INSTALLATION]).encode())
    except FieldError as error:
        raise FieldError(f"ConfigMap {name}: {_INSTALLATION}: {error}") from None
    try:
        return Release(name, installation, Settings.loads(str(data[_SETTINGS]).encode()))
    except FieldError as error:
        return Release(name, installation, None, f"ConfigMap {name}: {_SETTINGS}: {error}")


def _in_force(releases: list[Release], live: LiveConfigurations) -> Release | None:
    holding = [
        release for release in releases if any(holder_of(obj, release.installation) is None for obj in live.values())
    ]
    found = holding or releases
    return found[0] if len(found) == 1 else None


def _reported(releases: list[Release], chosen: Release | None) -> Iterator[Finding]:
    if not releases:
        remedy = "Install the chart; where it was installed otherwise, give its files by --config and --installation"
        yield Finding("warning", _ABOUT, "none is there, initial settings are assumed", remedy)
    if chosen and chosen.settings:
        mode, switch = chosen.settings.mode, chosen.settings.webhook_configurations
        what = f"ConfigMap {chosen.name}: mode {mode}, webhookConfigurations {switch}"
        yield Finding("ok", _ABOUT, what)
    for release in releases:
        if release.wrong:
            remedy = "Mend it: until then pods go by the last settings that could be used, or by the initial ones"
            yield Finding("error", "settings", release.wrong, remedy)
        if release is not chosen and len(releases) > 1:
            whose = f"the webhook configurations are those of {chosen.name}" if chosen else "nothing is registered"
            what = f"{release.name} is one of {len(releases)} in this cluster, which can have one; {whose}"
            yield Finding("error", _ABOUT, what, "Its pods do not become ready beside the other: uninstall one of them")

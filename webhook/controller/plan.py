"""What the leader must change in the webhook configurations: facts in, steps out."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhook.controller.differences import differences, differs
from webhook.controller.live_configurations import MUTATING, VALIDATING, LiveConfigurations
from webhook.controller.owned import Owner, metadata
from webhook.controller.webhook_configurations import FailClosed, probe_configuration, webhook_configurations
from webhook.installation import Installation
from webhook.objects import Object, at, items, text
from webhook.settings import Settings

VERSION = "app.kubernetes.io/version"
_BUNDLE = "clientConfig.caBundle"


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply a configuration; ``places`` are where the live one differs, empty where there is none."""

    wanted: dict[str, Any]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the configuration of a kind."""

    kind: str


Step = Apply | Delete


@dataclass(frozen=True, slots=True)
class ReconcileInputs:
    """What determines the webhook configurations."""

    installation: Installation
    settings: Settings
    owner: Owner
    kubevirt: str
    """KubeVirt's namespace."""
    bundle: bytes
    """The CAs that every webhook configuration must trust, PEM."""
    versions: frozenset[str]
    """The versions of the replicas that may be called now. While there are several, no rule is added."""


def wanted_configurations(inputs: ReconcileInputs, live: LiveConfigurations) -> list[dict[str, Any]]:
    """Return the configurations as they must be, none where the settings switch them off.

    While replicas of several versions may be called, a live configuration keeps its rules, since the other version may
    not support new ones. Only its caBundle changes, and its failurePolicy where the settings no longer deny.
    """
    if inputs.settings.webhook_configurations == "off":
        return []
    installation = inputs.installation
    owned = [
        {**obj, "metadata": metadata(obj["metadata"]["name"], inputs.owner)}
        for obj in webhook_configurations(
            service_of(installation),
            encoded(inputs.bundle),
            inputs.kubevirt,
            fail_closed=FailClosed.of(inputs.settings),
            namespaces=installation.namespace_selector,
        )
    ]
    if len(inputs.versions) < 2:
        return owned
    return [_as_it_is(live[obj["kind"]], obj, inputs) if obj["kind"] in live else obj for obj in owned]


def trusting(wanted: Iterable[dict[str, Any]], live: LiveConfigurations, inputs: ReconcileInputs) -> list[Apply]:
    """Return what makes the live configurations, all ours, trust the bundle, and changes nothing else in them.

    This needs no probe: without it, the probe may not reach a replica.
    """
    found = []
    for obj in wanted:
        if obj["kind"] in live:
            as_it_is = _as_it_is(live[obj["kind"]], obj, inputs)
            places = tuple(place for place in differences(as_it_is, live[obj["kind"]]) if place.endswith(_BUNDLE))
            found += [Apply(as_it_is, places)] if places else []
    return found


def wanted_probe(inputs: ReconcileInputs) -> dict[str, Any]:
    """Return the webhook configuration of the probe."""
    probe = probe_configuration(service_of(inputs.installation), encoded(inputs.bundle))
    return {**probe, "metadata": metadata(probe["metadata"]["name"], inputs.owner)}


def needs_probe(wanted: Iterable[dict[str, Any]], live: LiveConfigurations) -> bool:
    """Return whether a probe must be answered first: a configuration is new, or would deny what it admits now."""
    return any(obj["kind"] not in live or bool(_denying(obj) - _denying(live[obj["kind"]])) for obj in wanted)


def steps(wanted: Iterable[dict[str, Any]], live: LiveConfigurations) -> Sequence[Step]:
    """Return the next steps by which the live configurations, all ours, become the wanted ones.

    Validation relies on the patches, so the mutating configuration is created before the validating one, and deleted
    after it, each in a reconcile of its own.
    """
    by_kind = {obj["kind"]: obj for obj in wanted}
    if not by_kind:
        return [Delete(kind) for kind in (VALIDATING, MUTATING) if kind in live][:1]
    if MUTATING not in live:
        return [Apply(by_kind[MUTATING], ())]
    return [
        Apply(obj, tuple(differences(obj, live[kind])) if kind in live else ())
        for kind, obj in by_kind.items()
        if differs(obj, live.get(kind))
    ]


def versions_of(pods: Iterable[Object], me: str) -> frozenset[str]:
    """Return the versions, by label and image, of our own pod and of all that are ready."""
    return frozenset(_version_of(pod) for pod in pods if at(pod, "metadata", "name") == me or is_ready(pod))


def _version_of(pod: Object) -> str:
    images = (text(at(container, "image")) for container in items(at(pod, "spec", "containers")))
    return " ".join(filter(None, (text(at(pod, "metadata", "labels", VERSION)), *images)))


def service_of(installation: Installation) -> dict[str, Any]:
    """Return the reference to the Service for clientConfig."""
    service = installation.service
    return {"namespace": installation.namespace, "name": service.name, "port": service.port}


def encoded(bundle: bytes) -> str:
    """Return a bundle as the value of caBundle."""
    return base64.b64encode(bundle).decode()


def _as_it_is(live: Object, wanted: Mapping[str, Any], inputs: ReconcileInputs) -> dict[str, Any]:
    opened: frozenset[str] = frozenset()
    if not FailClosed.of(inputs.settings).vms:
        opened = frozenset(webhook["name"] for webhook in wanted["webhooks"]) - _denying(wanted)

    def kept(webhook: Mapping[str, Any]) -> dict[str, Any]:
        client = {**webhook["clientConfig"], "caBundle": encoded(inputs.bundle)}
        policy = "Ignore" if webhook["name"] in opened else webhook["failurePolicy"]
        return {**webhook, "clientConfig": client, "failurePolicy": policy}

    return {**wanted, "webhooks": [kept(webhook) for webhook in items(live.get("webhooks"))]}


def _denying(configuration: Object) -> frozenset[str]:
    webhooks = items(configuration.get("webhooks"))
    return frozenset(str(at(webhook, "name")) for webhook in webhooks if at(webhook, "failurePolicy") == "Fail")


def is_ready(pod: Object) -> bool:
    """Return whether a pod is ready, and so is called through its Service."""
    conditions = items(at(pod, "status", "conditions"))
    return any(at(found, "type") == "Ready" and at(found, "status") == "True" for found in conditions)

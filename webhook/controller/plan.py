"""What the leader has to do about the webhook configurations: facts in, steps out."""

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
    """Apply a configuration; ``places`` are where the live one differs, none where there is no live one."""

    wanted: dict[str, Any]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the configuration of a kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class Prove:
    """Have a probe answered through the API server before anything else: what comes next may deny."""


Step = Apply | Delete | Prove


@dataclass(frozen=True, slots=True)
class ReconcileInputs:
    """What the webhook configurations follow from."""

    installation: Installation
    settings: Settings
    owner: Owner
    kubevirt: str
    """KubeVirt's namespace."""
    bundle: bytes
    """The CAs that every webhook configuration must trust, PEM."""
    versions: frozenset[str]
    """The versions of the replicas that may be called now; of more than one none may widen what is asked."""


def wanted_configurations(inputs: ReconcileInputs, live: LiveConfigurations) -> list[dict[str, Any]]:
    """Return the configurations as they must be, none where the settings switch them off.

    While replicas of several versions may be called, a live configuration keeps its rules: the other version might not
    know new ones. Only what it trusts follows, and its failurePolicy where the settings deny nothing any more.
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

    It waits for no proof: a replica may need it to be reached at all.
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


def steps(wanted: Iterable[dict[str, Any]], live: LiveConfigurations, *, proven: bool) -> Sequence[Step]:
    """Return what to do now so that the live configurations, all ours, become the wanted ones.

    ``proven`` says that a probe was answered just now; without, nothing is registered again, nor denies what passed.
    Anyone who denies needs the patches: the mutating side comes a pass before, and goes a pass after the validating.
    """
    by_kind = {obj["kind"]: obj for obj in wanted}
    if not by_kind:
        return [Delete(kind) for kind in (VALIDATING, MUTATING) if kind in live][:1]
    is_new = any(kind not in live for kind in by_kind)
    if not proven and (is_new or denies_more(by_kind[VALIDATING], live[VALIDATING])):
        return [Prove()]
    if MUTATING not in live:
        return [Apply(by_kind[MUTATING], ())]
    return [
        Apply(obj, tuple(differences(obj, live[kind])) if kind in live else ())
        for kind, obj in by_kind.items()
        if differs(obj, live.get(kind))
    ]


def versions_of(pods: Iterable[Object], me: str) -> frozenset[str]:
    """Return the versions of our own pod and of all that are ready: what their label says, and their image."""
    return frozenset(_version_of(pod) for pod in pods if at(pod, "metadata", "name") == me or is_ready(pod))


def _version_of(pod: Object) -> str:
    images = (text(at(container, "image")) for container in items(at(pod, "spec", "containers")))
    return " ".join(filter(None, (text(at(pod, "metadata", "labels", VERSION)), *images)))


def service_of(installation: Installation) -> dict[str, Any]:
    """Return the reference to the Service as webhook configurations hold it."""
    service = installation.service
    return {"namespace": installation.namespace, "name": service.name, "port": service.port}


def encoded(bundle: bytes) -> str:
    """Return a bundle as webhook configurations hold it."""
    return base64.b64encode(bundle).decode()


def _as_it_is(live: Object, wanted: Mapping[str, Any], inputs: ReconcileInputs) -> dict[str, Any]:
    skipped = set()
    if not FailClosed.of(inputs.settings).vms:
        skipped = {webhook["name"] for webhook in wanted["webhooks"] if webhook["failurePolicy"] == "Ignore"}

    def kept(webhook: Mapping[str, Any]) -> dict[str, Any]:
        client = {**webhook["clientConfig"], "caBundle": encoded(inputs.bundle)}
        policy = "Ignore" if webhook["name"] in skipped else webhook["failurePolicy"]
        return {**webhook, "clientConfig": client, "failurePolicy": policy}

    return {**wanted, "webhooks": [kept(webhook) for webhook in items(live.get("webhooks"))]}


def denies_more(wanted: Object, live: Object) -> bool:
    """Say whether a webhook would deny what nobody can be asked about, and does not do so now."""
    return bool(_denying(wanted) - _denying(live))


def _denying(configuration: Object) -> frozenset[str]:
    webhooks = items(configuration.get("webhooks"))
    return frozenset(str(at(webhook, "name")) for webhook in webhooks if at(webhook, "failurePolicy") == "Fail")


def is_ready(pod: Object) -> bool:
    """Say whether a pod is ready, and so called through its Service."""
    conditions = items(at(pod, "status", "conditions"))
    return any(at(found, "type") == "Ready" and at(found, "status") == "True" for found in conditions)

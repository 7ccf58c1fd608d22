"""The webhook configurations: whether they exist, match version and settings, and trust valid certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from certs.pem import certificates
from webhook.cluster import Cluster, ClusterUnavailable
from webhook.controller import plan
from webhook.controller.differences import differences
from webhook.controller.live_configurations import KINDS, VALIDATING, LiveConfigurations, bundles_of, holder_of
from webhook.controller.webhook_configurations import FailClosed, webhook_configurations
from webhook.doctor.finding import Finding, unavailable
from webhook.engine import namespace_of_kubevirt
from webhook.installation import Installation
from webhook.names import CONFIGURATION
from webhook.objects import Object, at, items, mapping
from webhook.settings import Settings

ABOUT = "webhook configurations"
_SOON = timedelta(days=7)
_MOST_PLACES = 3


def look_at_configurations(
    live: LiveConfigurations, cluster: Cluster, settings: Settings, installation: Installation | None
) -> list[Finding]:
    """Return how they differ from what this version creates with these settings, and how long they trust the CA.

    Where the installation is not known, the live webhook configurations count as its own.
    """
    foreign = list(_foreign(live, installation)) if installation else []
    if settings.webhook_configurations == "off":
        if len(live) == len(foreign):
            return [Finding("warning", ABOUT, "switched off in the settings: nothing is evaluated")]
        return [Finding("error", ABOUT, "switched off in the settings, but they still exist", "See the leader's log")]
    if foreign:
        return foreign
    missing = [kind for kind in KINDS if kind not in live]
    if missing:
        remedy = "See the leader's log: it creates them after a probe through the API server has succeeded"
        return [Finding("error", ABOUT, f"{kind} {CONFIGURATION} does not exist", remedy) for kind in missing]
    try:
        wanted = _wanted(live, cluster, settings, installation)
    except ClusterUnavailable as error:
        return unavailable(ABOUT, error)
    return [*_compared(wanted, live), *_failing(live), *_trusted(live)]


def service_of(live: LiveConfigurations) -> dict[str, Any] | None:
    """Return the reference to the Service that the webhook configurations call, None where they call none."""
    found = (at(webhook, "clientConfig", "service") for obj in live.values() for webhook in items(obj.get("webhooks")))
    service = next((service for service in found if service), None)
    return None if service is None else {key: service.get(key) for key in ("namespace", "name", "port")}


def selector_of(live: LiveConfigurations) -> Object:
    """Return the live LabelSelector of the namespaces whose VMs are evaluated; empty for all."""
    return mapping(at(_first(live), "namespaceSelector"))


def _first(live: LiveConfigurations) -> Object:
    """The validating webhook for VirtualMachines."""
    return next(iter(items(at(live.get(VALIDATING), "webhooks"))), {})


def _foreign(live: LiveConfigurations, installation: Installation) -> Iterator[Finding]:
    """A finding for each kind that another installation holds."""
    for kind, obj in live.items():
        if holder := holder_of(obj, installation):
            whose = f"{installation.namespace}/{installation.service.name}"
            what = f"{kind} {CONFIGURATION} does not belong to {whose}, so its replicas are not ready: {holder}"
            remedy = "A cluster can have one installation: uninstall one of the two, or delete it if it is left over"
            yield Finding("error", ABOUT, what, remedy)


def _wanted(
    live: LiveConfigurations, cluster: Cluster, settings: Settings, installation: Installation | None
) -> list[dict[str, Any]]:
    return webhook_configurations(
        plan.service_of(installation) if installation else service_of(live) or {},
        at(_first(live), "clientConfig", "caBundle") or "",
        namespace_of_kubevirt(cluster, settings),
        fail_closed=FailClosed.of(settings),
        namespaces=installation.namespace_selector if installation else selector_of(live),
    )


def _compared(wanted: list[dict[str, Any]], live: LiveConfigurations) -> Iterator[Finding]:
    for obj in wanted:
        kind, places = obj["kind"], list(differences(obj, live[obj["kind"]]))
        if places:
            more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
            what = f"{kind} differs from this version and these settings: {', '.join(places[:_MOST_PLACES])}{more}"
            remedy = "The leader reverts it within seconds, once all replicas have the same version; see its log"
            yield Finding("warning", ABOUT, what, remedy)
        else:
            yield Finding("ok", ABOUT, f"{kind} matches this version, {len(items(obj['webhooks']))} webhooks")


def _failing(live: LiveConfigurations) -> Iterator[Finding]:
    policies = {at(webhook, "failurePolicy") for webhook in items(live[VALIDATING].get("webhooks"))}
    if "Fail" not in policies:
        what = "nothing is denied while no replica answers (failurePolicy Ignore)"
        yield Finding("warning", ABOUT, what, "Expected where the settings deny nothing; else set mode: deny")


def _trusted(live: LiveConfigurations) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for bundle in bundles_of(live):
        ends = [found.not_valid_after_utc for found in certificates(bundle)]
        last = max(ends, default=now)
        if last <= now:
            yield Finding("error", "certificates", "the caBundle has no valid CA", "See the leader's log")
        elif last - now < _SOON:
            what = f"the last trusted CA expires on {last:%Y-%m-%d %H:%M} UTC"
            yield Finding("warning", "certificates", what, "A new one is overdue; see the leader's log")
        else:
            yield Finding("ok", "certificates", f"trusted until {last:%Y-%m-%d}, by {len(ends)} CAs")

"""KubeVirt, CDI and Trident: which are installed, and how their configuration affects live migration."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.cluster import Cluster, ClusterUnavailable
from webhook.cluster.api import NOT_FOUND, ApiError, Client
from webhook.cluster.resources import BACKENDS, KUBEVIRTS, NODES, PROFILES
from webhook.doctor.finding import Finding, unavailable
from webhook.objects import at, text
from webhook.settings import Settings

_FORBIDDEN = 403
_VERSIONS = {
    "CDI": ("/apis/cdi.kubevirt.io/v1beta1/cdis", ("status", "observedVersion")),
    "Trident": ("/apis/trident.netapp.io/v1/tridentversions", ("trident_version",)),
}
"""Where each reports its version: a collection, and the path in its first object."""


def look_at_components(client: Client, cluster: Cluster, settings: Settings) -> list[Finding]:
    """Return which of KubeVirt, CDI and Trident are installed, and the cluster's default of evictionStrategy."""
    try:
        return [*_kubevirt(cluster, settings), *_storage(client, cluster)]
    except ClusterUnavailable as error:
        return unavailable("components", error)


def _kubevirt(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    found = list(cluster.list(KUBEVIRTS))
    if len(found) != 1:
        remedy = "VMs are evaluated by KubeVirt's own defaults and the newest known version; see kubevirt.version"
        yield Finding("warning", "KubeVirt", f"{len(found)} KubeVirt CRs exist, one is expected", remedy)
        return
    (kubevirt,) = found
    yield Finding("ok", "KubeVirt", f"{kubevirt.version or 'unknown version'} in namespace {kubevirt.namespace}")
    default = kubevirt.eviction_strategy or "unset, which is None"
    what = f"the cluster's default is {default}; our patch is set to {settings.eviction_strategy}"
    if kubevirt.eviction_strategy in ("LiveMigrate", "External") or settings.eviction_strategy != "off":
        yield Finding("ok", "evictionStrategy", what)
    else:
        yield Finding("warning", "evictionStrategy", what, "A node drain stops VMs")
    schedulable = sum(not node.unschedulable for node in cluster.list(NODES))
    if schedulable < 2:
        what = f"{schedulable} schedulable node{'' if schedulable == 1 else 's'}: no VM can migrate"
        yield Finding("warning", "nodes", what, "Add a node, or uncordon one")


def _storage(client: Client, cluster: Cluster) -> Iterator[Finding]:
    profiles, backends = len(cluster.list(PROFILES)), len(cluster.list(BACKENDS))
    for name, count, of in (("CDI", profiles, "StorageProfiles"), ("Trident", backends, "backends")):
        version = _version(client, name)
        if version is None and count == 0:
            yield Finding("ok", name, "not installed")
        elif count == 0:
            remedy = f"Check whether {name} is configured, and whether you may read its {of}"
            yield Finding("warning", name, f"{version}, but no {of} can be seen", remedy)
        else:
            yield Finding("ok", name, f"{version or 'unknown version'}, {count} {of}")


def _version(client: Client, name: str) -> str | None:
    """The version; None where the kind that reports it does not exist, a phrase where we may not read it."""
    path, where = _VERSIONS[name]
    try:
        return text(at(next(client.list(path), None), *where))
    except ApiError as error:
        if error.status == _FORBIDDEN:
            return "unknown version (not allowed to read it)"
        if error.status == NOT_FOUND:
            return None
        raise

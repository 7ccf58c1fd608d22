"""The metadata of the objects that we create: labels, and the ClusterRole that owns them.

Kubernetes' garbage collector deletes them with the ClusterRole, so that an uninstall without hooks leaves nothing
behind. https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.cluster.api import MANAGER, Client
from webhook.objects import Object, at, items, mapping, text

MANAGED_BY = "app.kubernetes.io/managed-by"
LABELS: Mapping[str, str] = {MANAGED_BY: MANAGER, "velero.io/exclude-from-backup": "true"}
"""A webhook configuration restored from a backup would deny VMs while no replica runs."""

_RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLES = f"/apis/{_RBAC}/v1/clusterroles"


@dataclass(frozen=True, slots=True)
class Owner:
    """The live ClusterRole of the release."""

    name: str
    uid: str

    @property
    def reference(self) -> dict[str, Any]:
        """The ownerReference to it, which does not block its deletion."""
        return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "name": self.name, "uid": self.uid}


def read_owner(client: Client, name: str) -> Owner | None:
    """Return the ClusterRole of this name, None where there is none or it is being deleted; raises as `Client`."""
    found = client.get(f"{CLUSTER_ROLES}/{name}")
    uid = text(at(found, "metadata", "uid"))
    if uid is None or at(found, "metadata", "deletionTimestamp"):
        return None
    return Owner(name, uid)


def metadata(name: str, owner: Owner, namespace: str = "") -> dict[str, Any]:
    """Return the metadata of an object that the owner owns."""
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "labels": dict(LABELS), "ownerReferences": [owner.reference]}


def with_metadata(live: Object, wanted: Object) -> dict[str, Any]:
    """Return the metadata of a live object with our labels and owner: its other labels stay, other owners do not."""
    labels = {**mapping(at(live, "metadata", "labels")), **wanted["labels"]}
    return {**mapping(live.get("metadata")), "labels": labels, "ownerReferences": wanted["ownerReferences"]}


def owners_of(live: Object) -> list[str]:
    """Return the names of the ClusterRoles that own an object."""
    references = items(at(live, "metadata", "ownerReferences"))
    return [str(at(reference, "name")) for reference in references if at(reference, "kind") == "ClusterRole"]

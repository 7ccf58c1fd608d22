"""On whose behalf a request comes: a user's, or that of an owner, a restore or a clone that KubeVirt acts for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from webhook.admission.change import Change
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.cluster.resources import CLONES, OWNERS, RESTORES
from webhook.engine import namespace_of_kubevirt
from webhook.kubevirt.restores import RESTORED_BY
from webhook.objects import Object, at, items, text
from webhook.settings import Settings

_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):(kubevirt-.*)")
_UID = 36


@dataclass(frozen=True, slots=True)
class Requester:
    """Who makes a request, and on whose behalf.

    ``is_kubevirt``: one of KubeVirt's service accounts makes it; ``is_controller``: kubevirt-controller does.
    ``owner`` is the live object that KubeVirt creates or changes a VM for; ``restore`` the live restore, or the clone
    behind it, for which kubevirt-controller creates a VM.
    """

    is_kubevirt: bool = False
    is_controller: bool = False
    owner: OwnerFacts | None = None
    restore: Object | None = None

    def exemption_source(self, change: Change) -> Object:
        """Return the object whose labels exempt.

        That is the owner. Without one it is, where KubeVirt writes, the object before this request or the restore or
        clone that KubeVirt acts for, else the object itself.
        """
        if self.owner is not None:
            return self.owner.obj
        return change.obj if not self.is_kubevirt else change.old or self.restore or {}


def read_requester(change: Change, cluster: Cluster, settings: Settings) -> Requester:
    """Return on whose behalf a request comes.

    An ownerReference counts only where KubeVirt makes the request: anybody can write one, and the patches of a restore
    can. Raises `webhook.cluster.Undecidable`.
    """
    account = _ACCOUNT.fullmatch(change.request.user)
    if account is None or account[1] != namespace_of_kubevirt(cluster, settings):
        return Requester()
    is_controller = account[2] == "kubevirt-controller"
    return Requester(
        is_kubevirt=True,
        is_controller=is_controller,
        owner=_owner_of(change, is_controller, cluster),
        restore=_restore_of(change, cluster) if is_controller else None,
    )


def _owner_of(change: Change, is_controller: bool, cluster: Cluster) -> OwnerFacts | None:
    """The live owner that KubeVirt acts for with this request, None where it acts for none.

    On an update the old object's ownerReference counts. The owner must be live with the same uid and of a kind for
    which KubeVirt creates such a VM, and no restore may have created the VM. A hot-plug by kubevirt-apiserver into a
    VMI is on behalf of the VirtualMachine of the same name. A VMI starts although the cluster does not hold its owner,
    which then has no labels.
    """
    if _is_restored(change):
        return None
    for kind, name, uid in _controllers(change.old or change.obj):
        resource = OWNERS.get(kind)
        is_hotplug = change.old is not None and kind == "VirtualMachine"
        if resource is None or not _is_named_for(change, kind, name) or not (is_controller or is_hotplug):
            continue
        found = cluster.get(resource, name, change.request.namespace)
        if found is None and change.is_vmi and change.old is None:
            return OwnerFacts(uid, {})
        return found if found and found.uid == uid else None
    return None


def _is_restored(change: Change) -> bool:
    """Whether a restore creates this VirtualMachine. A VMI does not count: its user can write the annotation."""
    is_new_vm = change.old is None and change.kind == "VirtualMachine"
    return is_new_vm and at(change.obj, "metadata", "annotations", RESTORED_BY) is not None


def _controllers(obj: Object) -> Iterator[tuple[str, str, str]]:
    """Kind, name and uid of the controllers that an object's ownerReferences name."""
    for reference in items(at(obj, "metadata", "ownerReferences")):
        kind, name, uid = (text(at(reference, key)) for key in ("kind", "name", "uid"))
        if at(reference, "controller") is True and kind and name and uid:
            yield kind, name, uid


def _is_named_for(change: Change, kind: str, owner: str) -> bool:
    """A Pool numbers its VirtualMachines; a VMI has its VirtualMachine's name, or any name in a ReplicaSet."""
    name = change.request.name
    if kind == "VirtualMachinePool":
        return change.kind == "VirtualMachine" and re.fullmatch(re.escape(owner) + r"-\d+", name) is not None
    return change.is_vmi and (kind != "VirtualMachine" or name == owner)


def _restore_of(change: Change, cluster: Cluster) -> Object | None:
    found = text(at(change.obj, "metadata", "annotations", RESTORED_BY)) or ""
    if change.kind != "VirtualMachine" or len(found) < _UID + 2:
        return None
    restore = cluster.get(RESTORES, found[: -_UID - 1], change.request.namespace)
    if restore is None or restore.uid != found[-_UID:]:
        return None
    if at(restore.obj, "spec", "target", "name") != change.request.name:
        return None
    return _clone_behind(restore, change.request.namespace, cluster) or restore.obj


def _clone_behind(restore: OwnerFacts, namespace: str, cluster: Cluster) -> Object | None:
    for kind, name, uid in _controllers(restore.obj):
        clone = cluster.get(CLONES, name, namespace) if kind == "VirtualMachineClone" else None
        if clone is not None and clone.uid == uid:
            return clone.obj
    return None

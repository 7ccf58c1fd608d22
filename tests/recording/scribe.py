"""Takes down writes, and keeps the objects that they would leave behind."""

import copy
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.build import Object
from tests.recording.model import Write

Change = Callable[[Object], None]

_AUTHENTICATED = "system:authenticated"
_RESOURCES = {
    "VirtualMachine": ("kubevirt.io", "v1", "virtualmachines"),
    "VirtualMachineInstance": ("kubevirt.io", "v1", "virtualmachineinstances"),
    "VirtualMachineInstanceReplicaSet": ("kubevirt.io", "v1", "virtualmachineinstancereplicasets"),
    "VirtualMachineInstanceMigration": ("kubevirt.io", "v1", "virtualmachineinstancemigrations"),
    "VirtualMachinePool": ("pool.kubevirt.io", "v1beta1", "virtualmachinepools"),
    "VirtualMachineSnapshot": ("snapshot.kubevirt.io", "v1beta1", "virtualmachinesnapshots"),
    "VirtualMachineSnapshotContent": ("snapshot.kubevirt.io", "v1beta1", "virtualmachinesnapshotcontents"),
    "VirtualMachineRestore": ("snapshot.kubevirt.io", "v1beta1", "virtualmachinerestores"),
    "VirtualMachineClone": ("clone.kubevirt.io", "v1beta1", "virtualmachineclones"),
    "DataVolume": ("cdi.kubevirt.io", "v1beta1", "datavolumes"),
    "PersistentVolumeClaim": ("", "v1", "persistentvolumeclaims"),
}


@dataclass(frozen=True)
class User:
    """Who writes."""

    name: str
    groups: tuple[str, ...] = (_AUTHENTICATED,)


def service_account(namespace: str, name: str) -> User:
    """Return a service account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", _AUTHENTICATED)
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


class Scribe:
    """Takes down the writes of each step; an object is named by its kind and its name."""

    def __init__(self) -> None:
        """Begin with no object."""
        self.writes: list[Write] = []
        self.step = ""
        self._live: dict[tuple[str, str], Object] = {}
        self._numbers = itertools.count(1)

    def get(self, kind: str, name: str) -> Object:
        """Return a copy of an object as it is now."""
        return copy.deepcopy(self._live[kind, name])

    def there(self, obj: Object) -> None:
        """Have an object that was there before the recording began."""
        self._live[obj["kind"], obj["metadata"]["name"]] = self._known(obj)

    def create(self, user: User, obj: Object) -> None:
        """Take down the creation of an object."""
        made = self._known(obj)
        self._take_down(user, "CREATE", "", made, None)
        self._live[obj["kind"], obj["metadata"]["name"]] = made

    def try_to_create(self, user: User, obj: Object) -> None:
        """Take down a creation that something denies."""
        self._take_down(user, "CREATE", "", self._known(obj), None)

    def update(self, user: User, kind: str, name: str, *changes: Change, subresource: str = "") -> None:
        """Take down an update; what is being deleted goes with its last finalizer."""
        old, new = self._changed(kind, name, changes)
        self._take_down(user, "UPDATE", subresource, new, old)
        self._live[kind, name] = new
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            del self._live[kind, name]

    def lose(self, user: User, kind: str, name: str, *changes: Change, subresource: str = "") -> None:
        """Take down an update that is lost, because another write came before it."""
        old, new = self._changed(kind, name, changes)
        self._take_down(user, "UPDATE", subresource, new, old, is_late=True)

    def delete(self, user: User, kind: str, name: str) -> None:
        """Take down a deletion; what has a finalizer stays until it is removed."""
        old = self._live.pop((kind, name))
        self._take_down(user, "DELETE", "", None, old)
        if old["metadata"].get("finalizers"):
            going = {**old["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
            self._live[kind, name] = {**old, "metadata": going}

    def _known(self, obj: Object) -> Object:
        uid = str(uuid.UUID(int=next(self._numbers)))
        return copy.deepcopy({**obj, "metadata": {**obj["metadata"], "uid": uid}})

    def _changed(self, kind: str, name: str, changes: tuple[Change, ...]) -> tuple[Object, Object]:
        old = self._live[kind, name]
        new = copy.deepcopy(old)
        for change in changes:
            change(new)
        return old, new

    def _take_down(
        self,
        user: User,
        operation: str,
        subresource: str,
        obj: Object | None,
        old: Object | None,
        *,
        is_late: bool = False,
    ) -> None:
        which = _RESOURCES[(obj or old or {})["kind"]]
        what = (operation, *which, subresource)
        self.writes.append(Write(self.step, user.name, user.groups, *what, obj, old, is_late))


def sets(*path: str, value: Any) -> Change:
    """Return a change of what stands at a path."""

    def change(obj: Object) -> None:
        *parents, last = path
        for key in parents:
            obj = obj.setdefault(key, {})
        obj[last] = value

    return change


def annotates(**annotations: str) -> Change:
    """Return a change that adds annotations of KubeVirt's, "_" standing for "-"."""

    def change(obj: Object) -> None:
        named = {f"kubevirt.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        obj["metadata"]["annotations"] = {**obj["metadata"].get("annotations", {}), **named}

    return change


def says(**status: Any) -> Change:
    """Return a change of the status; None takes a field out."""

    def change(obj: Object) -> None:
        merged = {**obj.get("status", {}), **status}
        obj["status"] = {key: value for key, value in merged.items() if value is not None}

    return change


def holds(*finalizers: str) -> Change:
    """Return a change of the finalizers to these."""
    return sets("metadata", "finalizers", value=list(finalizers))

"""Recorded objects and live ones: what of a recorded object can be the same on another API server."""

import copy
import re

from tests.admission.test_traffic_paths import patched
from tests.build import Object
from webhook.names import DOMAIN
from webhook.objects import at, items, mapping

_OF_THE_SERVER = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_RESTORED_BY = "restore.kubevirt.io/lastRestoreUID"
TEMPLATE = ("spec", "template", "metadata")


class Uids:
    """Which object here is which in the recording."""

    def __init__(self) -> None:
        """Begin without any."""
        self._live: dict[str, str] = {}

    def learn(self, recorded: Object | None, live: Object) -> None:
        """Note that an object here is one of the recording."""
        uid = at(recorded, "metadata", "uid")
        if isinstance(uid, str):
            self._live[uid] = live["metadata"]["uid"]

    def translated(self, obj: Object) -> Object:
        """Return a recorded object with the uids that its owners and its restore have here."""
        found = copy.deepcopy(obj)
        for reference in items(at(found, "metadata", "ownerReferences")):
            reference["uid"] = self._live.get(reference["uid"], reference["uid"])
        if isinstance(said := at(found, "metadata", "annotations", _RESTORED_BY), str):
            restored_by = re.sub(r".{36}$", lambda uid: self._live.get(uid[0], uid[0]), said)
            found["metadata"]["annotations"][_RESTORED_BY] = restored_by
        return found


def bare(obj: Object) -> Object:
    """Return an object without what the API server writes into its metadata."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _OF_THE_SERVER}
    return {**obj, "metadata": metadata}


def is_going(obj: Object | None) -> bool:
    """Say whether an object is being deleted."""
    return bool(at(obj, "metadata", "deletionTimestamp"))


def can_become(live: Object, want: Object | None) -> bool:
    """Say whether updates can make another state of a live object: what is being deleted gets no finalizer any more."""
    if want is None or not is_going(live):
        return want is not None
    wanted, there = (set(items(at(obj, "metadata", "finalizers"))) for obj in (want, live))
    return is_going(want) and wanted <= there


def are_alike(one: Object, other: Object) -> bool:
    """Say whether two objects differ only in what the API server writes."""
    return is_going(one) == is_going(other) and bare(one) == bare(other)


def as_if_mutated(obj: Object, live: Object | None) -> Object:
    """Return a recorded VM as it would be with our mutating side: its strategy, and the live one's annotations."""
    found = patched(obj) or {}
    for path in (("metadata",), TEMPLATE):
        _annotate(found, path, at(live, *path))
    return found


def as_owned_by(owner: Object | None, instance: Object) -> Object:
    """Return a VMI with those of our annotations that KubeVirt copies from its owner's template."""
    found = copy.deepcopy(instance)
    _annotate(found, ("metadata",), at(owner, *TEMPLATE))
    return found


def _annotate(obj: Object, path: tuple[str, ...], source: Object | None) -> None:
    ours = {key: value for key, value in mapping(at(source, "annotations")).items() if key.startswith(f"{DOMAIN}/")}
    if ours:
        for key in path:
            obj = obj.setdefault(key, {})
        obj["annotations"] = {**obj.get("annotations", {}), **ours}

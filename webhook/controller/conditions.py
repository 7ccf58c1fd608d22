"""CEL match conditions: they keep away what cannot bring a violation, so that it passes with all our processes gone.

A null old object is a creation. What has no label of ours on either side changes nothing here, whatever else it does.
"""

from __future__ import annotations

from webhook.machines.copies import RESTORED_BY
from webhook.names import ENFORCEMENT, EXEMPT, MARK, REASON

NOT_GOING = "oldObject == null || !has(oldObject.metadata.deletionTimestamp)"
"""Only what was being deleted before is let go: a creation can say so of itself."""

IS_MARKED = f"object.metadata.?annotations[?'{MARK}'].hasValue()"
"""What of the object could not be judged yet is named in an annotation."""
MARKED_AND_CHANGED = f"({IS_MARKED} && object.spec != oldObject.spec)"


def changes(paths: tuple[tuple[str, ...], ...]) -> str:
    """Return a condition that holds on a creation and where one of the paths changes."""
    return " || ".join(["oldObject == null", *(f"object{way} != oldObject{way}" for way in map(chain, paths))])


def chain(path: tuple[str, ...]) -> str:
    """Return how an optional value at a path below an object is written."""
    return "".join(f".?{key}" if key.isidentifier() else f"[?'{key}']" for key in path)


def brings_labels() -> str:
    """Return a condition that holds where a label of ours or its reason comes or changes, or an enforcement goes."""
    new, old = "object.metadata.?labels.orValue({})", "oldObject.metadata.?labels.orValue({})"
    ours = f"(key.startsWith('{EXEMPT}') || key == '{ENFORCEMENT}')"
    other = f"(oldObject == null || !(key in {old}) || {old}[key] != {new}[key])"
    brought = f"{new}.exists(key, {ours} && {other})"
    lifted = f"(oldObject != null && '{ENFORCEMENT}' in {old} && !('{ENFORCEMENT}' in {new}))"
    now, before = (f"{who}.metadata.?annotations[?'{REASON}']" for who in ("object", "oldObject"))
    explained = f"({now}.hasValue() && (oldObject == null || {now} != {before}))"
    return f"{brought} || {lifted} || {explained}"


def is_new_or_brings_labels() -> str:
    """Return a condition that holds on a creation, and where a label of ours comes or changes."""
    return f"oldObject == null || {brings_labels()}"


_OWNERS = "object.metadata.?ownerReferences.orValue([])"
INSTANCE_OF_OWNER = f"{_OWNERS}.exists(owner, owner.?controller.orValue(false))"
"""An instance for a VirtualMachine or a ReplicaSet."""
_NUMBERED = (
    "object.metadata.name.startsWith(owner.name + '-') && "
    "object.metadata.name.substring(size(owner.name) + 1).matches('^[0-9]+$')"
)
_OF_POOL = f"owner.?controller.orValue(false) && owner.kind == 'VirtualMachinePool' && {_NUMBERED}"
MACHINE_OF_POOL = (
    f"{_OWNERS}.exists(owner, {_OF_POOL}) && !has(object.spec.dataVolumeTemplates) && "
    f"!object.metadata.?annotations[?'{RESTORED_BY}'].hasValue()"
)
"""A VirtualMachine for a Pool, which numbers them, and the DataVolumes of their templates with them."""


def not_made_for_owner(owned: str, kubevirt: str) -> str:
    """Return a condition that lets by what KubeVirt, in its namespace, creates for an owner.

    ``owned`` is the condition that says so of the object. It was judged with the owner, but for what its mark names.
    """
    controller = f"system:serviceaccount:{kubevirt}:kubevirt-controller"
    return f"oldObject != null || {IS_MARKED} || !(request.userInfo.username == '{controller}' && {owned})"

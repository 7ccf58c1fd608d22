"""The JSON patches of a restore or a clone: which cannot matter, and what the others make of the VM.

KubeVirt applies them later, with rights of its own, and denying the VM then would make it retry for ever. So each patch
is decided in advance, by the path that it writes: where it cannot matter (`cannot_matter`), it is accepted whatever
comes of it. Every other one is applied here as KubeVirt will apply it, for the VM to be evaluated, or it is denied.

KubeVirt decodes the patched VM with Go's ``encoding/json``, which reads a field name in any case; every reader here
reads it in one. The patched VM therefore consists of `_Exact` objects: where a reader asks one for a field that stands
there in another spelling, that raises `NotEvaluated`. A reader that is not stopped got at each step what it would get
from the VM that KubeVirt decodes, so the evaluation is the same. No list of the fields that are read is needed.

Sources: KubeVirt 1.9 ``patchVM`` in ``pkg/storage/snapshot/restore.go``; RFC 6901 and RFC 6902.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonpatch

from webhook.names import DOMAIN
from webhook.objects import Object, at, mapping
from webhook.wording import quoted

_GUARDED_DOMAINS = ("kubevirt.io", DOMAIN, "harvesterhci.io")
_RESTORE_DOMAIN = "restore.kubevirt.io/"
_MOST_COPIES = 3
_UNPATCHABLE = (
    ValueError,
    TypeError,
    RecursionError,
    jsonpatch.JsonPatchException,
    jsonpatch.JsonPointerException,
)


class NotEvaluated(Exception):
    """The patches can bring what cannot be evaluated in advance: ``what`` says why, ``remedy`` what helps."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def parse_operation(patch: object) -> Object:
    """Return the operation that the text of a patch holds; raises NotEvaluated where it is not exactly one.

    KubeVirt joins the texts, so that one could hold several, and of a key that is there twice it may read both values.
    """
    try:
        found: Any = json.loads(patch, object_pairs_hook=_each_key_once) if isinstance(patch, str) else None
        jsonpatch.JsonPatch([found])
        needed = {"remove": "path", "move": "from", "copy": "from"}.get(found["op"], "value")
        if needed not in found or not isinstance(found.get("from", ""), str):
            raise ValueError("it is not complete")
    except (AttributeError, *_UNPATCHABLE) as error:
        what = "a patch is not one JSON Patch operation"
        raise NotEvaluated(what, "Give one JSON Patch operation in each patch, and each key once") from error
    return mapping(found)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(jsonpatch.JsonPointer(pointer).parts)


def cannot_matter(operation: Object) -> bool:
    """Say whether an operation brings no violation whatever the VM is: by its exact path, and not by its value."""
    if operation["op"] not in ("add", "replace", "remove", "test"):
        return False
    match _parts(operation["path"]):
        case ("metadata", "labels" | "annotations", key):
            return _is_users_own(key)
        case ("spec", "template", "metadata", "labels" | "annotations", key):
            return _is_users_own(key)
        case ("spec", "template", "spec", "domain", "devices", "interfaces", index, "macAddress"):
            return index.isascii() and index.isdigit()
        case ("spec", "template", "spec", "domain", "firmware", "uuid" | "serial"):
            return True
    return False


def _is_users_own(key: str) -> bool:
    """Whether the key of a label or annotation is of no domain that gives it a meaning to KubeVirt or the webhook."""
    domain = key.partition("/")[0].casefold()
    return bool(key) and not f".{domain}".endswith(tuple(f".{guarded}" for guarded in _GUARDED_DOMAINS))


def patched(vm: dict[str, Any], operations: Sequence[Object]) -> Object:
    """Return a VM after the operations, which change it in place; reading what is returned may raise NotEvaluated.

    Raises NotEvaluated where an operation cannot be applied, or may not be.
    """
    for operation in operations:
        for path in (operation["path"], *([operation["from"]] if operation["op"] == "move" else [])):
            if operation["op"] != "test" and not _may_write(_parts(path), operation):
                remedy = f"Patch only spec, labels and annotations, and none of {_RESTORE_DOMAIN}"
                raise NotEvaluated(f"a patch may not write {quoted(path)}", remedy)
    if sum(operation["op"] == "copy" for operation in operations) > _MOST_COPIES:
        raise NotEvaluated("the patches copy too much", f"Use no more than {_MOST_COPIES} operations that copy")
    try:
        found = _exact(jsonpatch.apply_patch(vm, operations, in_place=True))
        why = "" if isinstance(at(found, "spec", "template", "spec"), dict) else "they leave no VM"
    except _UNPATCHABLE as error:
        why = type(error).__name__
    if why:
        remedy = "Leave the patches out, or correct them so that they apply to the source as it is"
        raise NotEvaluated(f"the patches cannot be applied ({why})", remedy)
    return mapping(found)


def _may_write(path: tuple[str, ...], operation: Object) -> bool:
    """Owner, name and KubeVirt's annotations say for whom it created a VM, and so whose exemptions count: not to write.

    What a move or a copy brings into the annotations may have changed by then.
    """
    match path:
        case ("spec", *_) | ("metadata", "labels", *_):
            return True
        case ("metadata", "annotations"):
            keys = mapping(operation.get("value"))
            return operation["op"] not in ("move", "copy") and not any(key.startswith(_RESTORE_DOMAIN) for key in keys)
        case ("metadata", "annotations", key, *_):
            return not key.startswith(_RESTORE_DOMAIN)
    return False


class _Exact(dict[str, Any]):
    """A JSON object in which a field is found by its exact name, if Go would find no other one by it.

    A copy of it must be one as well (`copy.copy`), for a reader that makes one.
    """

    def get(self, key: str, default: Any = None) -> Any:
        self._demand_no_other(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._demand_no_other(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._demand_no_other(str(key))
        return super().__contains__(key)

    def _demand_no_other(self, key: str) -> None:
        folded = key.casefold()
        for other in self:
            if other != key and other.casefold() == folded:
                raise NotEvaluated(f"a patch spells {quoted(key)} as {quoted(other)}", f"Write {quoted(key)}")


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return _Exact({key: _exact(entry) for key, entry in value.items()})
    return [_exact(entry) for entry in value] if isinstance(value, list) else value

"""The JSON patches of a restore or a clone: which of them cannot matter, and the VM after the others.

KubeVirt applies them later, with its own rights, and would retry for ever if the VM were denied then. So each patch is
decided in advance, by the path that it writes. One that cannot matter (`cannot_matter`) is accepted. Every other one is
applied here as KubeVirt will apply it and the VM is evaluated, or it is denied.

KubeVirt decodes the patched VM with Go's ``encoding/json``, which accepts a field name in any case; every reader here
accepts one spelling. The patched VM therefore consists of `_Exact` objects, which raise `NotEvaluated` when a reader
asks for a field that is there in another spelling. A reader that is not stopped sees what KubeVirt will decode. No list
of the fields that are read is needed.

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
_MAX_COPY_OPERATIONS = 3
_UNPATCHABLE = (ValueError, TypeError, RecursionError, jsonpatch.JsonPatchException, jsonpatch.JsonPointerException)


class NotEvaluated(Exception):
    """The patches cannot be evaluated in advance: ``what`` says why, ``remedy`` what helps."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def parse_operation(patch: object) -> Object:
    """Return the operation that the text of a patch holds; raises NotEvaluated where it is not exactly one.

    KubeVirt joins the texts, so one could hold several operations; of a duplicate key it may read both values.
    """
    try:
        found: Any = json.loads(patch, object_pairs_hook=_each_key_once) if isinstance(patch, str) else None
        jsonpatch.JsonPatch([found])
        needed = {"remove": "path", "move": "from", "copy": "from"}.get(found["op"], "value")
        if needed not in found or not isinstance(found.get("from", ""), str):
            raise ValueError("incomplete")
    except (AttributeError, *_UNPATCHABLE) as error:
        what = "a patch is not one JSON Patch operation"
        raise NotEvaluated(what, "Give one JSON Patch operation in each patch, and each key once") from error
    return mapping(found)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(jsonpatch.JsonPointer(pointer).parts)


def cannot_matter(operation: Object) -> bool:
    """Say whether an operation adds no violation to any VM, whatever its value: by its exact path."""
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
    """Whether the key of a label or annotation has no domain that KubeVirt or the webhook reads."""
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
    if sum(operation["op"] == "copy" for operation in operations) > _MAX_COPY_OPERATIONS:
        raise NotEvaluated("the patches copy too much", f"Use no more than {_MAX_COPY_OPERATIONS} operations that copy")
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
    """Name, owner and KubeVirt's annotations decide whose exemptions count, so no patch may write them.

    What a move or copy writes into the annotations may be different when KubeVirt applies it.
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
    """A JSON object that finds a field by its exact name, and raises where Go would find another one by it.

    A reader that copies it must use `copy.copy`, so that the result is one as well.
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

"""What of an object is compared on an update, by the paths that rules and readers declare.

The webhook compares it itself, and `webhook.controller.conditions` writes the same comparison as CEL: the API server
does not send an update that changes nothing else, so that it also passes while no process of the webhook runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webhook.kubevirt.hardware import POD_BRIDGE_ANNOTATION
from webhook.kubevirt.instancetypes import MATCHERS
from webhook.kubevirt.reader import LAYOUTS, MOST_VOLUMES, READS_OF_TEMPLATE, READS_OF_VM
from webhook.names import UNVERIFIED
from webhook.objects import Object, at
from webhook.policy.rules import RULES

Path = tuple[str, ...]

MOST_ITEMS = MOST_VOLUMES
"""A longer list is not compared item by item: the cost of a CEL expression is limited."""
REQUESTS: Path = ("status", "volumeRequests")
ADDS, INFERS = "addVolumeOptions", "inferFromVolume"
_LISTS = ("volumes", "domain.devices.disks", "domain.devices.filesystems")
"""Of what is declared, the lists that may lose items."""
_OF_VMI = ("evictionStrategy", "networks", "volumes", "domain.devices.")
"""Beginnings of what is compared of a VMI: only KubeVirt's own accounts can change the rest of its spec."""

DECLARED = tuple(sorted({*READS_OF_TEMPLATE, *(path for rule in RULES for path in rule.reads)}))
"""The paths below a VMI's spec that rules and readers read."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What of an object is compared: an update that changes nothing of it adds no violation.

    Below ``template``, where a VMI's spec stands, the paths of ``parts`` are compared whole; so are ``others``,
    below the object. The ``lists`` below ``template`` may lose items, unless one of the ``matchers`` is inferred from a
    volume or the old object still requests a volume. With ``requests`` only an added volume request counts.
    """

    template: Path = ()
    parts: tuple[Path, ...] = ()
    lists: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    matchers: tuple[Path, ...] = ()
    requests: bool = False

    def differs(self, new: Object, old: Object) -> bool:
        """Say whether anything changes that is compared."""
        if self.requests:
            return _adds(at(new, *REQUESTS), at(old, *REQUESTS))
        whole = (*((*self.template, *path) for path in self.parts), *self.others)
        if any(at(new, *path) != at(old, *path) for path in whole):
            return True
        infers = any(at(new, *path, INFERS) is not None for path in self.matchers)
        depends = infers or (bool(self.matchers) and _adds(at(old, *REQUESTS), []))
        lists = [tuple(at(obj, *self.template, *path) for obj in (new, old)) for path in self.lists]
        return any((now or []) != (then or []) and (depends or not _only_loses(now, then)) for now, then in lists)


def _only_loses(now: Any, then: Any) -> bool:
    now, then = now or [], then or []
    if not (isinstance(now, list) and isinstance(then, list) and len(now) <= len(then) <= MOST_ITEMS):
        return False
    return all(item in then for item in now)


def _adds(now: Any, then: Any) -> bool:
    now, then = now or [], then or []
    if not (isinstance(now, list) and isinstance(then, list) and max(len(now), len(then)) <= MOST_ITEMS):
        return bool(now != then)
    return any(at(item, ADDS) is not None and item not in then for item in now)


def compared_in(kind: str) -> Compared:
    """Return what is compared in an object of a kind that has a VMI's spec as its template, or as its own."""
    layout = LAYOUTS[kind]
    is_vmi = layout.instance_spec == ("spec",)
    paths = [path for path in DECLARED if not is_vmi or f"{path}.".startswith(_OF_VMI)]
    vm = () if layout.virtual_machine is None else (*layout.virtual_machine, "spec")
    annotation: Path = ("metadata", "annotations", POD_BRIDGE_ANNOTATION if is_vmi else UNVERIFIED)
    return Compared(
        layout.instance_spec,
        parts=_split(path for path in paths if path not in _LISTS),
        lists=_split(path for path in paths if path in _LISTS),
        others=(*layout.metadata_paths[1:], *((*vm, field) for field in READS_OF_VM if vm), annotation),
        matchers=tuple((*vm, field) for field in MATCHERS if vm),
    )


def _split(paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in paths)

"""The instancetype and the preference of a VirtualMachine, as KubeVirt finds them.

Source: KubeVirt 1.9 ``pkg/instancetype/find`` and ``pkg/instancetype/preference/find``.
"""

from __future__ import annotations

from dataclasses import dataclass

from webhook.cluster import Cluster
from webhook.cluster.resources import (
    CLUSTER_INSTANCETYPES,
    CLUSTER_PREFERENCES,
    INSTANCETYPES,
    PREFERENCES,
    REVISIONS,
)
from webhook.kubevirt.inference import infer
from webhook.objects import Object, at, text
from webhook.wording import quoted

MATCHERS = ("instancetype", "preference")
"""The fields of a VirtualMachine's spec that name the two."""
_KINDS = {
    "virtualmachineinstancetype": INSTANCETYPES,
    "virtualmachineclusterinstancetype": CLUSTER_INSTANCETYPES,
    "virtualmachinepreference": PREFERENCES,
    "virtualmachineclusterpreference": CLUSTER_PREFERENCES,
}
_NOT_EVALUATED = {
    "instancetype": "its GPUs, host devices and launch security",
    "preference": "its network binding, Hyper-V features and storage class",
}


@dataclass(frozen=True, slots=True)
class Matched:
    """The specs of instancetype and preference, empty where there is none; ``not_evaluated`` says what was not found.

    ``named`` are those that the VM names, by field and name ("instancetype/large"); ``missing`` are those of them that
    do not exist. ``field`` is the path of the spec that names them.
    """

    instancetype: Object
    preference: Object
    not_evaluated: tuple[str, ...]
    named: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    field: str = "spec"


def match(vm: Object, path: tuple[str, ...], namespace: str, cluster: Cluster) -> Matched:
    """Return what the matchers name of a VirtualMachine that is at a path in its object.

    Raises Undecidable where the cluster cannot say.
    """
    found = {field: _find(field, vm, namespace, cluster) for field in MATCHERS}
    named = {f"{field}/{name}": spec for field, (name, _, spec) in found.items() if name}
    return Matched(
        found["instancetype"][2] or {},
        found["preference"][2] or {},
        tuple(
            f"{field} {shown} does not exist: {_NOT_EVALUATED[field]} cannot be evaluated; create it first"
            for field, (_, shown, spec) in found.items()
            if shown and spec is None
        ),
        frozenset(named),
        frozenset(name for name, spec in named.items() if spec is None),
        ".".join((*path, "spec")),
    )


def _find(field: str, obj: Object, namespace: str, cluster: Cluster) -> tuple[str | None, str, Object | None]:
    """The name of an instancetype or preference (None where unknown), how a message shows it ("" where the VM names
    none), and its spec (None where it does not exist).
    """
    named = at(obj, "spec", field)
    if not isinstance(named, dict):
        return None, "", None
    name, kind = text(named.get("name")), text(named.get("kind")) or ""
    revision = text(named.get("revisionName"))
    if revision:
        kept = cluster.get(REVISIONS, revision, namespace)
        return revision, f"revision {quoted(revision)}", kept.spec if kept else None
    if not name:
        volume = text(named.get("inferFromVolume"))
        inferred = infer(field, volume, obj, namespace, cluster) if volume else None
        if inferred is None:
            is_ignored = named.get("inferFromVolumeFailurePolicy") == "Ignore"
            return None, "" if is_ignored else f"of volume {quoted(volume or '')}", None
        name, kind = inferred
    recorded = text(at(obj, "status", f"{field}Ref", "controllerRevisionRef", "name"))
    kept = cluster.get(REVISIONS, recorded, namespace) if recorded else None
    if kept and kept.of == name:
        return name, quoted(name), kept.spec
    kind = kind.lower().removesuffix("s") or f"virtualmachinecluster{field}"
    live = cluster.get(_KINDS[kind], name, namespace) if kind in _KINDS and kind.endswith(field) else None
    return name, quoted(name), live.spec if live else None

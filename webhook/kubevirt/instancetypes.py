"""The instancetype and the preference of a VirtualMachine, as KubeVirt finds them.

Source: KubeVirt 1.9 ``pkg/instancetype/find``, ``pkg/instancetype/preference/find`` and, for what a volume's labels
say, ``pkg/instancetype/infer/volume.go``.
"""

from __future__ import annotations

from dataclasses import dataclass

from webhook.cluster import Cluster
from webhook.cluster.facts import SpecFacts
from webhook.cluster.resources import (
    CLUSTER_INSTANCETYPES,
    CLUSTER_PREFERENCES,
    INSTANCETYPES,
    PREFERENCES,
    REVISIONS,
    Resource,
)
from webhook.kubevirt.inference import infer
from webhook.objects import Object, at, mapping, text
from webhook.wording import quoted

MATCHERS = ("instancetype", "preference")
"""The fields of a VirtualMachine's spec that name the two."""


@dataclass(frozen=True, slots=True)
class _Matcher:
    """How one of the two is named: its field in the spec, in the status, and its two kinds."""

    field: str
    status_field: str
    kind: str
    namespaced: Resource[SpecFacts]
    cluster_kind: str
    cluster_wide: Resource[SpecFacts]
    not_evaluated: str


_INSTANCETYPE = _Matcher(
    "instancetype",
    "instancetypeRef",
    "virtualmachineinstancetype",
    INSTANCETYPES,
    "virtualmachineclusterinstancetype",
    CLUSTER_INSTANCETYPES,
    "its GPUs, host devices and launch security",
)
_PREFERENCE = _Matcher(
    "preference",
    "preferenceRef",
    "virtualmachinepreference",
    PREFERENCES,
    "virtualmachineclusterpreference",
    CLUSTER_PREFERENCES,
    "its network binding, Hyper-V features and storage class",
)


@dataclass(frozen=True, slots=True)
class Matched:
    """The specs of instancetype and preference, empty where there is none; ``not_evaluated`` says what was not found.

    ``named`` are those that the VM names, by field and name ("instancetype/large"), ``missing`` of them what
    is not there. ``field`` is the path of the spec that names them.
    """

    instancetype: Object
    preference: Object
    not_evaluated: tuple[str, ...]
    named: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    field: str = "spec"


@dataclass(frozen=True, slots=True)
class _Found:
    """The spec of one of the two, or a phrase that says that it is not there; ``name`` is None where it is unknown."""

    name: str | None
    spec: Object | None
    missing: str | None = None


def match(vm: Object, path: tuple[str, ...], namespace: str, cluster: Cluster) -> Matched:
    """Return what the matchers of a VirtualMachine name, which stands at a path in its object.

    Raises Undecidable where the cluster cannot say.
    """
    found = {matcher.field: _find(matcher, vm, namespace, cluster) for matcher in (_INSTANCETYPE, _PREFERENCE)}
    specs = {field: (one.spec if one else None) or {} for field, one in found.items()}
    named = {f"{field}/{one.name}": one for field, one in found.items() if one and one.name}
    return Matched(
        specs["instancetype"],
        specs["preference"],
        tuple(one.missing for one in found.values() if one and one.missing),
        frozenset(named),
        frozenset(name for name, one in named.items() if one.missing),
        ".".join((*path, "spec")),
    )


def _find(matcher: _Matcher, obj: Object, namespace: str, cluster: Cluster) -> _Found | None:
    named = at(obj, "spec", matcher.field)
    if not isinstance(named, dict):
        return None
    name, kind = text(named.get("name")), text(named.get("kind")) or ""
    revision = text(named.get("revisionName"))
    if revision:
        kept = cluster.get(REVISIONS, revision, namespace)
        return _found(matcher, revision, kept.spec if kept else None, f"revision {quoted(revision)}")
    if not name:
        volume = text(named.get("inferFromVolume"))
        inferred = infer(matcher.field, volume, obj, namespace, cluster) if volume else None
        if inferred is None:
            ignored = named.get("inferFromVolumeFailurePolicy") == "Ignore"
            return None if ignored else _found(matcher, None, None, f"of volume {quoted(volume or '')}")
        name, kind = inferred
    recorded = text(at(obj, "status", matcher.status_field, "controllerRevisionRef", "name"))
    kept = cluster.get(REVISIONS, recorded, namespace) if recorded else None
    spec = kept.spec if kept and kept.of == name else _live(matcher, name, kind, namespace, cluster)
    return _found(matcher, name, spec, quoted(name))


def _live(matcher: _Matcher, name: str, kind: str, namespace: str, cluster: Cluster) -> Object | None:
    known = {matcher.kind: matcher.namespaced, matcher.cluster_kind: matcher.cluster_wide, "": matcher.cluster_wide}
    resource = known.get(kind.lower().removesuffix("s"))
    found = cluster.get(resource, name, namespace) if resource and name else None
    return mapping(found.spec) if found else None


def _found(matcher: _Matcher, name: str | None, spec: Object | None, which: str) -> _Found:
    if spec is not None:
        return _Found(name, spec)
    phrase = f"{matcher.field} {which} is not there: {matcher.not_evaluated} cannot be evaluated; create it first"
    return _Found(name, None, phrase)

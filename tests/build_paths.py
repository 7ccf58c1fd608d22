"""Objects and requests for tests of the ways in which a VM gets its disks."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import jsonpatch

from tests.build import CLUSTER, NAMESPACE, Object, kubevirt, of_kind, review
from webhook.admission.handler import mutate, validate
from webhook.admission.review import Request, parse_review
from webhook.cluster import Snapshot
from webhook.cluster.interface import Right
from webhook.kubevirt.unverified import operations_on
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import Settings

ALICE = "alice"
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
APISERVER = "system:serviceaccount:kubevirt:kubevirt-apiserver"
UID = "11111111-2222-3333-4444-555555555555"
OTHER_UID = "99999999-2222-3333-4444-555555555555"
KUBEVIRT = kubevirt(network={"defaultNetworkInterface": "masquerade"})
"""With it, a VM without networks violates no rule, so only its disks matter."""
REASON = {"migratability.io/exempt-reason": "moves to NFS in July"}

_RESOURCES = {
    "VirtualMachine": ("kubevirt.io", "virtualmachines"),
    "VirtualMachineInstance": ("kubevirt.io", "virtualmachineinstances"),
    "VirtualMachineInstanceReplicaSet": ("kubevirt.io", "virtualmachineinstancereplicasets"),
    "VirtualMachinePool": ("pool.kubevirt.io", "virtualmachinepools"),
    "VirtualMachineRestore": ("snapshot.kubevirt.io", "virtualmachinerestores"),
    "VirtualMachineClone": ("clone.kubevirt.io", "virtualmachineclones"),
    "Namespace": ("", "namespaces"),
}


def replica_set(*volumes: Object, name: str = "web", **fields: Any) -> Object:
    """Return a VirtualMachineInstanceReplicaSet; ``fields`` join its template's spec."""
    spec = {"template": {"spec": {"domain": {}, "volumes": list(volumes), **fields}}}
    return of_kind("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", name, NAMESPACE, uid=UID, spec=spec)


def pool(*volumes: Object, name: str = "pool", spec: Object | None = None, **fields: Any) -> Object:
    """Return a VirtualMachinePool; ``fields`` join its VMIs' spec, ``spec`` that of its VMs."""
    template = {"spec": {"domain": {}, "volumes": list(volumes), **fields}}
    found = {"virtualMachineTemplate": {"spec": {**(spec or {}), "template": template}}}
    return of_kind("pool.kubevirt.io/v1beta1", "VirtualMachinePool", name, NAMESPACE, uid=UID, spec=found)


def namespace(reason: str | None = None, /, **labels: str) -> Object:
    """Return the VMs' Namespace; a label's name gets our domain, "_" standing for "-"."""
    places = {key: "" if key == "enforcement" else "exempt." for key in labels}
    named = {f"{places[key]}migratability.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    why: Object = {"annotations": {"migratability.io/exempt-reason": reason}} if reason else {}
    return of_kind("v1", "Namespace", NAMESPACE, labels=named, **why)


def tagged(obj: Object, *path: str, labels: Object | None = None, annotations: Object | None = None) -> Object:
    """Return an object with labels and annotations in the metadata below a path."""
    if path:
        return {**obj, path[0]: tagged(obj[path[0]], *path[1:], labels=labels, annotations=annotations)}
    metadata = obj.get("metadata", {})
    added = {"labels": labels or {}, "annotations": annotations or {}}
    joined = {key: {**metadata.get(key, {}), **value} for key, value in added.items()}
    return {**obj, "metadata": {**metadata, **joined}}


def exempt(
    obj: Object, *path: str, rule: str = "all", value: str = "true", reason: Object | None = None, **labels: str
) -> Object:
    """Return an object with an exemption and its reason in the metadata below a path."""
    given = {f"exempt.migratability.io/{rule}": value, **labels}
    return tagged(obj, *path, labels=given, annotations=REASON if reason is None else reason)


def owned(obj: Object, owner: Object, **reference: Any) -> Object:
    """Return an object with a controller reference to an owner; ``reference`` overrides its fields."""
    found = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"].get("uid", UID),
        "controller": True,
        **reference,
    }
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [found]}}


def known_as(obj: Object, uid: str = UID) -> Object:
    """Return an object with a uid."""
    return {**obj, "metadata": {**obj["metadata"], "uid": uid}}


def vm_snapshot(vm: Object, *claims: Object, ready: bool = True, name: str = "nightly") -> list[Object]:
    """Return a VirtualMachineSnapshot and its content."""
    api, content = "snapshot.kubevirt.io/v1beta1", f"content-{name}"
    backups = [{"volumeName": claim["metadata"]["name"], "persistentVolumeClaim": claim} for claim in claims]
    spec = {"source": {"kind": "VirtualMachine", "name": vm["metadata"]["name"]}}
    status = {"readyToUse": ready, "virtualMachineSnapshotContentName": content}
    kept = {"source": {"virtualMachine": vm}, "volumeBackups": backups}
    return [
        of_kind(api, "VirtualMachineSnapshot", name, NAMESPACE, spec=spec, status=status),
        of_kind(api, "VirtualMachineSnapshotContent", content, NAMESPACE, spec=kept),
    ]


def _copy(source: Object, target: str, patches: tuple[Object | str, ...]) -> Object:
    """The spec of a restore or clone; a patch is a JSON Patch operation, or the text that stands for one."""
    texts = [patch if isinstance(patch, str) else json.dumps(patch) for patch in patches]
    return {**source, "target": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": target}, "patches": texts}


def restore(target: str, *patches: Object | str, name: str = "back", snapshot: str = "nightly") -> Object:
    """Return a VirtualMachineRestore."""
    spec = _copy({"virtualMachineSnapshotName": snapshot}, target, patches)
    return of_kind("snapshot.kubevirt.io/v1beta1", "VirtualMachineRestore", name, NAMESPACE, uid=UID, spec=spec)


def clone(source: str, *patches: Object | str, kind: str = "VirtualMachine", target: str = "copy") -> Object:
    """Return a VirtualMachineClone of a VM or of a snapshot."""
    group = "kubevirt.io" if kind == "VirtualMachine" else "snapshot.kubevirt.io"
    spec = _copy({"source": {"apiGroup": group, "kind": kind, "name": source}}, target, patches)
    return of_kind("clone.kubevirt.io/v1beta1", "VirtualMachineClone", "cloning", NAMESPACE, spec=spec)


def with_annotation(obj: Object, *names: str) -> Object:
    """Return an object whose unverified annotations hold these names."""
    found: Object = jsonpatch.apply_patch(obj, operations_on(obj, frozenset(names)))
    return found


def restored(vm: Object, by: Object, uid: str | None = None) -> Object:
    """Return a VM as KubeVirt creates it for a restore."""
    said = f"{by['metadata']['name']}-{uid or by['metadata']['uid']}"
    return tagged(vm, annotations={"restore.kubevirt.io/lastRestoreUID": said})


class Rights(Snapshot):
    """A snapshot in which some users have the right to exempt; it records who was asked for what."""

    is_live = True

    def __init__(self, objects: Iterable[Object], may: Collection[str] = ()) -> None:
        super().__init__(objects)
        self.asked: list[tuple[str, Right]] = []
        self._may = may

    def may(self, user: Any, right: Right) -> bool:
        """Answer from the table."""
        self.asked.append((user["username"], right))
        return user["username"] in self._may

    def within(self, seconds: float, *, confirm: bool = False) -> "Rights":
        """Return itself."""
        return self


class Lagging(Rights):
    """A cluster whose cache lags behind; ``confirmed`` counts the views that ask the API server itself."""

    def __init__(self, cached: list[Object], live: list[Object]) -> None:
        super().__init__((KUBEVIRT, *CLUSTER, *cached))
        self.live, self.confirmed = Rights((KUBEVIRT, *CLUSTER, *live)), 0

    def within(self, seconds: float, *, confirm: bool = False) -> Rights:
        """Return the cache, or what there is."""
        self.confirmed += confirm
        return self.live if confirm else self


@dataclass(frozen=True)
class Answer:
    """What the API server gets: of a denial its message and causes; ``audit`` goes to its log."""

    allowed: bool
    message: str
    warnings: list[str]
    patch: list[Object]
    verdict: Verdict | None
    asked: list[tuple[str, Right]]
    causes: list[tuple[str, str]]
    audit: dict[str, str]

    @property
    def rules(self) -> list[str]:
        """The rule of each cause."""
        return [message.rpartition("[")[2].rstrip("]") for _, message in self.causes]

    @property
    def fields(self) -> list[str]:
        """The field of each cause."""
        return [field for field, _ in self.causes]

    @property
    def violations(self) -> list[Violation]:
        """The violations that were found."""
        return self.verdict.violations if self.verdict else []

    @property
    def users_asked(self) -> set[str]:
        """Who was asked for the right."""
        return {user for user, _ in self.asked}


def request(
    obj: Object, old: Object | None = None, *, user: str = ALICE, subresource: str = "", operation: str | None = None
) -> Request:
    """Return an admission request for an object of any kind."""
    group, resource = _RESOURCES[obj["kind"]]
    shape = review({**obj, "kind": "VirtualMachine"}, old, user=user, subresource=subresource)["request"]
    own = {
        "operation": operation or ("UPDATE" if old else "CREATE"),
        "resource": {"group": group, "version": "v1", "resource": resource},
        "namespace": obj["metadata"].get("namespace", obj["metadata"].get("name", "")),
        "object": obj,
    }
    return parse_review({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {**shape, **own}})


def with_annotations(obj: Object, old: Object | None, cluster: Rights, settings: Settings, **how: Any) -> Object:
    """Return an object with the unverified annotations of the mutating side, without the rest of its patch."""
    _, verdict = mutate(request(obj, old, **how), cluster, settings, 5.0)
    unverified_names: Object = jsonpatch.apply_patch(obj, verdict.annotation_patch if verdict else [])
    return unverified_names


def ask(
    obj: Object,
    old: Object | None = None,
    *objects: Object,
    may: Collection[str] = (),
    side: Callable[..., Any] = validate,
    settings: Object | None = None,
    **how: Any,
) -> Answer:
    """Return the answer to a request; ``objects`` join the usual PVCs and classes.

    On the validating side the object has the unverified annotations that the mutating side adds.
    """
    cluster, found = Rights((KUBEVIRT, *CLUSTER, *objects), may), Settings.parse(settings or {})
    if side is validate:
        obj = with_annotations(obj, old, cluster, found, **how)
    response, verdict = side(request(obj, old, **how), cluster, found, 5.0)
    body = response.body["response"]
    causes = body.get("status", {}).get("details", {}).get("causes", [])
    return Answer(
        allowed=body["allowed"],
        message=body.get("status", {}).get("message", ""),
        warnings=body.get("warnings", []),
        patch=verdict.patch if verdict and side is mutate else [],
        verdict=verdict,
        asked=cluster.asked,
        causes=[(cause["field"], cause["message"]) for cause in causes],
        audit=body.get("auditAnnotations", {}),
    )

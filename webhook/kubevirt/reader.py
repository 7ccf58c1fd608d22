"""Objects of KubeVirt's API as VMs.

We run beside KubeVirt's own validators and see objects that they are about to deny, so a value of the wrong type is
read as absent.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from webhook.cluster import Cluster
from webhook.cluster.facts import KubeVirtFacts
from webhook.cluster.facts.reading import TRIDENT_DOMAIN, of_domain
from webhook.kubevirt.hardware import Layers, read_hardware
from webhook.kubevirt.instancetypes import MATCHERS, Matched, match
from webhook.kubevirt.model import VM, DataVolumeTemplate, Volume
from webhook.objects import Object, at, items, mapping, text

MOST_VOLUMES = 256
"""As KubeVirt's CustomResourceDefinitions allow."""

CLAIM_NAME = {
    "persistentVolumeClaim": ("claimName",),
    "dataVolume": ("name",),
    "ephemeral": ("persistentVolumeClaim", "claimName"),
}
"""The volume sources with a PVC behind them, and where each names it. A DataVolume's PVC has the DataVolume's name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where an object holds the VMI's spec, and the VirtualMachine that it is or creates, if any."""

    group: str
    instance_spec: tuple[str, ...]
    virtual_machine: tuple[str, ...] | None

    @property
    def metadata_paths(self) -> list[tuple[str, ...]]:
        """The paths of the metadata of the object and of each template in it."""
        above = dict.fromkeys(((), self.virtual_machine or (), self.instance_spec[:-1]))
        return [(*path, "metadata") for path in above]


LAYOUTS = {
    "VirtualMachine": Layout("kubevirt.io", ("spec", "template", "spec"), ()),
    "VirtualMachineInstance": Layout("kubevirt.io", ("spec",), None),
    "VirtualMachineInstanceReplicaSet": Layout("kubevirt.io", ("spec", "template", "spec"), None),
    "VirtualMachinePool": Layout(
        "pool.kubevirt.io",
        ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
        ("spec", "virtualMachineTemplate"),
    ),
}

READS_OF_TEMPLATE = ("volumes",)
"""The paths below a VMI's spec that are always read; each rule declares its own."""
READS_OF_VM = ("dataVolumeTemplates", *MATCHERS)
"""The paths below the spec of a VirtualMachine that are read, apart from its template."""

KINDS = frozenset(LAYOUTS)
"""The kinds of VMs that can be evaluated."""
METADATA_PATHS = tuple(dict.fromkeys(path for layout in LAYOUTS.values() for path in layout.metadata_paths))
"""The paths at which an object of any such kind may have metadata."""


def is_vm(obj: object) -> bool:
    """Say whether an object is of a kind in KINDS, in whatever version of its API."""
    layout = LAYOUTS.get(text(mapping(obj).get("kind")) or "")
    api_version = text(mapping(obj).get("apiVersion")) or ""
    return layout is not None and api_version.rpartition("/")[0] == layout.group


def vm_kind(obj: object) -> str:
    """Return the kind of a VM's object; raises ValueError where it is none in KINDS."""
    kind = mapping(obj).get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"no VM: kind is {kind!r}, not one of {', '.join(sorted(KINDS))}")
    return kind


def metadata_paths(obj: Object) -> list[tuple[str, ...]]:
    """Return the paths of the metadata of a VM's object and of the templates in it.

    Those that cannot hold an annotation, because what should hold it is no object, are left out. Raises ValueError for
    a kind that is not in KINDS.
    """
    return [
        path
        for path in LAYOUTS[vm_kind(obj)].metadata_paths
        if isinstance(at(obj, *path[:-1]), dict)
        and isinstance(at(obj, *path), dict | None)
        and isinstance(at(obj, *path, "annotations"), dict | None)
    ]


def without_matchers(vm: Object) -> Object:
    """Return a VirtualMachine without its instancetype and preference."""
    spec = mapping(vm.get("spec"))
    return {**vm, "spec": {key: value for key, value in spec.items() if key not in MATCHERS}}


def read_vm(obj: Object, cluster: Cluster, kubevirt: KubeVirtFacts) -> VM:
    """Return the VM that an object of a kind in KINDS declares.

    Instancetype, preference and KubeVirt's defaults are applied. Volumes keep the object's order, pending volume
    requests follow. Raises ValueError on another kind, Undecidable where the cluster cannot say. Source: KubeVirt
    1.9 ``api/core/v1/types.go`` and ``schema.go``; the PVC of a volume as in ``pkg/storage/types/pvc.go``.
    """
    kind = vm_kind(obj)
    layout = LAYOUTS[kind]
    moved = items(at(obj, "status", "migratedVolumes"))
    moving = (*moved, *items(at(obj, "status", "volumeUpdateState", "volumeMigrationState", "migratedVolumes")))
    template = found if isinstance(found := at(obj, *layout.instance_spec), dict) else None
    namespace = text(at(obj, "metadata", "namespace")) or "default"
    root = layout.virtual_machine
    matched = Matched({}, {}, ()) if root is None else match(mapping(at(obj, *root)), root, namespace, cluster)
    annotations = mapping(at(obj, *layout.instance_spec[:-1], "metadata", "annotations"))
    layers = Layers(template or {}, ".".join(layout.instance_spec), annotations, matched, kubevirt)
    return VM(
        kind=kind,
        namespace=namespace,
        name=text(at(obj, "metadata", "name")) or text(at(obj, "metadata", "generateName")) or "",
        template=template,
        template_path=layout.instance_spec,
        volumes=(*_declared(template, layout), *_requested(obj, template)),
        data_volume_templates=_data_volume_templates(obj, layout, matched),
        # of another type it is explicit all the same, and no strategy that anybody knows
        eviction_strategy=None if (value := at(template, "evictionStrategy")) in (None, "") else str(value),
        has_instance=at(obj, "status", "created") is True,
        hardware=read_hardware(layers),
        not_evaluated=(*matched.not_evaluated, *_too_many(obj, template)),
        migrated_volumes=_texts(moved, "volumeName"),
        former_claims=_texts(moving, "sourcePVCInfo", "claimName"),
        matchers=matched.named,
        missing_matchers=matched.missing,
    )


def _texts(entries: Iterable[object], *path: str) -> frozenset[str]:
    return frozenset(found for entry in entries if isinstance(found := at(entry, *path), str))


def _too_many(obj: Object, template: Object | None) -> list[str]:
    """KubeVirt's API accepts no more volumes, but we can be asked about more before the API server denies them."""
    most = max(len(items(at(template, "volumes"))), len(items(at(obj, "status", "volumeRequests"))))
    what = f"{most} volumes are more than the {MOST_VOLUMES} that KubeVirt allows: only the first of them are evaluated"
    return [what] if most > MOST_VOLUMES else []


def _declared(template: Object | None, layout: Layout) -> Iterator[Volume]:
    root = ".".join((*layout.instance_spec, "volumes"))
    for index, entry in enumerate(items(at(template, "volumes"))[:MOST_VOLUMES]):
        yield _volume(at(entry, "name"), entry, f"{root}[{index}]")


def _requested(obj: Object, template: Object | None) -> Iterator[Volume]:
    """Volumes that ``virtctl addvolume`` asked for and that KubeVirt has not yet added to the template.

    A pending removal removes nothing: the volume is there until KubeVirt removes it.
    """
    declared = {at(entry, "name") for entry in items(at(template, "volumes")) if isinstance(at(entry, "name"), str)}
    for index, request in enumerate(items(at(obj, "status", "volumeRequests"))[:MOST_VOLUMES]):
        options = at(request, "addVolumeOptions")
        name = at(options, "name")
        source = at(options, "volumeSource")
        if isinstance(source, dict) and not (isinstance(name, str) and name in declared):
            yield _volume(name, source, f"status.volumeRequests[{index}].addVolumeOptions.volumeSource")


def _volume(name: object, entry: object, field: str) -> Volume:
    source = _source(mapping(entry))
    body = mapping(at(entry, source)) if source else {}
    path = CLAIM_NAME.get(source or "", ())
    return Volume(
        name=name if isinstance(name, str) else "",
        source=source,
        body=body,
        claim=text(at(body, *path)) if path else None,
        field=".".join((field, *([source] if source else []), *path)),
        attached=source in ("persistentVolumeClaim", "dataVolume"),
    )


def _source(entry: Object) -> str | None:
    """The key of a volume's source; PVCs first, as KubeVirt looks at them first."""
    for source in (*CLAIM_NAME, "hostDisk"):
        if isinstance(entry.get(source), dict):
            return source
    return next((key for key, value in entry.items() if isinstance(value, dict) and isinstance(key, str)), None)


def _data_volume_templates(obj: Object, layout: Layout, matched: Matched) -> dict[str, DataVolumeTemplate]:
    """The first of each name, as KubeVirt does, which writes a preferred StorageClass into those without one."""
    if layout.virtual_machine is None:
        return {}
    path = (*layout.virtual_machine, "spec", "dataVolumeTemplates")
    preferred = text(at(matched.preference, "volumes", "preferredStorageClassName"))
    templates: dict[str, DataVolumeTemplate] = {}
    for index, entry in enumerate(items(at(obj, *path))):
        name = text(at(entry, "metadata", "name"))
        if name:
            own = at(entry, "spec")  # copy.copy keeps its class: that of a patched VM guards its spelling
            spec: dict[str, Any] = copy.copy(own) if isinstance(own, dict) else {}
            api = next((key for key in ("storage", "pvc") if isinstance(spec.get(key), dict)), None)
            if api and preferred and spec[api].get("storageClassName") is None:
                spec[api] = copy.copy(spec[api])
                spec[api]["storageClassName"] = preferred
            annotations = of_domain(at(entry, "metadata", "annotations"), TRIDENT_DOMAIN) or {}
            field = ".".join((*path[:-1], f"dataVolumeTemplates[{index}]", "spec", *([api] if api else [])))
            templates.setdefault(name, DataVolumeTemplate(spec, field, annotations))
    return templates

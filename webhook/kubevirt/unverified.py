"""The unverified annotation, which names what of a VM could not be evaluated yet.

It is set on the VM and on each template in it, since KubeVirt copies only a template's annotations to the VM or VMI
that it creates. Changing it in the template of a running VM raises no ``RestartRequired``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webhook.kubevirt.reader import metadata_paths
from webhook.names import UNVERIFIED, names_in_annotation
from webhook.objects import Object, at, mapping

_POINTER = UNVERIFIED.replace("/", "~1")


def unverified_names(obj: Object) -> frozenset[str]:
    """Return the names that the unverified annotations of a VM's object hold, in any place."""
    return frozenset(name for path in metadata_paths(obj) for name in _held(obj, path))


def missing_names(obj: Object, names: frozenset[str]) -> list[str]:
    """Return, sorted, the names that are missing in any place of the annotation."""
    return sorted({name for path in metadata_paths(obj) for name in names - _held(obj, path)})


def may_be_annotated(obj: Object, old: Object) -> bool:
    """Say whether the unverified annotations may change with this update.

    Those of a Pool stay until its VM template changes: a Pool restarts VMs that differ from the template.
    """
    template = ("spec", "virtualMachineTemplate", "spec")
    return obj.get("kind") != "VirtualMachinePool" or at(obj, *template) != at(old, *template)


def operations_on(obj: Object, names: frozenset[str]) -> list[dict[str, Any]]:
    """Return the JSON Patch operations after which the annotation holds exactly these names in every place."""
    wanted = ",".join(sorted(names))
    return [operation for path in metadata_paths(obj) for operation in _operations(obj, path, wanted)]


def _held(obj: Object, path: tuple[str, ...]) -> frozenset[str]:
    return names_in_annotation(at(obj, *path, "annotations", UNVERIFIED))


def _operations(obj: Object, path: tuple[str, ...], wanted: str) -> Iterator[dict[str, Any]]:
    pointer = "/" + "/".join(path)
    metadata = at(obj, *path)
    annotations = at(metadata, "annotations")
    if UNVERIFIED in mapping(annotations):
        if not wanted:
            yield {"op": "remove", "path": f"{pointer}/annotations/{_POINTER}"}
        elif annotations[UNVERIFIED] != wanted:
            yield {"op": "replace", "path": f"{pointer}/annotations/{_POINTER}", "value": wanted}
    elif wanted and metadata is None:
        yield {"op": "add", "path": pointer, "value": {"annotations": {UNVERIFIED: wanted}}}
    elif wanted and annotations is None:
        yield {"op": "add", "path": f"{pointer}/annotations", "value": {UNVERIFIED: wanted}}
    elif wanted:
        yield {"op": "add", "path": f"{pointer}/annotations/{_POINTER}", "value": wanted}

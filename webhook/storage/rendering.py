"""The PVC that CDI creates for a DataVolume.

Source: CDI 1.66 ``pkg/controller/datavolume/util.go`` (``renderPvcSpec`` and its helpers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from webhook.cluster import Cluster
from webhook.cluster.facts import SourceFacts
from webhook.cluster.resources import CLASSES
from webhook.objects import Object, at, text, texts
from webhook.storage.classes import kubernetes_default, property_sets_of, virt_default
from webhook.storage.model import BLOCK_MODE, FILESYSTEM_MODE, ClaimRequest
from webhook.wording import plain, quoted

FROM_PROFILE = "FromStorageProfile"


class NotRendered(Exception):
    """CDI creates no PVC, and why."""


def render(
    spec: Object, namespace: str, cluster: Cluster, annotations: Mapping[str, str] | None = None
) -> ClaimRequest:
    """Return the PVC that CDI creates for a DataVolume's spec in this namespace and cluster.

    ``annotations`` are Trident's on the DataVolume, without the prefix: CDI copies them to the PVC. Raises NotRendered.
    """
    has_pvc, has_storage = isinstance(spec.get("pvc"), dict), isinstance(spec.get("storage"), dict)
    if has_pvc == has_storage:
        raise NotRendered("exactly one of spec.pvc and spec.storage must be set")
    asked = spec["storage"] if has_storage else spec["pvc"]
    by_profile = has_storage or asked.get("volumeMode") == FROM_PROFILE
    archive = spec.get("contentType") == "archive"
    own = SourceFacts.read({"spec": asked})
    return replace(
        _render_by_profile(asked, archive, cluster) if by_profile else _render_pvc(asked, cluster),
        namespace=namespace,
        volume_name=text(asked.get("volumeName")),
        source=own or _source(spec, namespace),
        annotations=annotations or {},
        made_by_cdi=own is None,
        is_archive=archive and by_profile,
    )


def _source(spec: Object, namespace: str) -> SourceFacts | None:
    """What the DataVolume is cloned from, None where it is imported, uploaded or blank."""
    for kind in ("pvc", "snapshot"):
        name = text(at(spec, "source", kind, "name"))
        if name:
            return SourceFacts(kind, name, text(at(spec, "source", kind, "namespace")) or namespace)
    name, ref_kind = text(at(spec, "sourceRef", "name")), text(at(spec, "sourceRef", "kind"))
    if name and ref_kind:
        return SourceFacts(ref_kind, name, text(at(spec, "sourceRef", "namespace")) or namespace)
    return None


def _render_pvc(asked: Object, cluster: Cluster) -> ClaimRequest:
    """CDI takes ``spec.pvc`` as it is; Kubernetes fills in its default class and mode."""
    access_modes = texts(asked.get("accessModes"))
    if not access_modes:
        raise NotRendered("spec.pvc sets no access mode")
    class_name = asked.get("storageClassName")
    if not isinstance(class_name, str):
        default = kubernetes_default(cluster.list(CLASSES))
        class_name = default.name if default else None
    return ClaimRequest(access_modes, text(asked.get("volumeMode")) or FILESYSTEM_MODE, class_name)


def _render_by_profile(asked: Object, archive: bool, cluster: Cluster) -> ClaimRequest:
    """CDI fills in ``spec.storage`` from the class's StorageProfile, and ``spec.pvc`` with its own volume mode too."""
    volume_mode = text(asked.get("volumeMode"))
    if archive and volume_mode == BLOCK_MODE:
        raise NotRendered("an archive cannot be written to a Block volume")
    if archive:
        volume_mode = FILESYSTEM_MODE
    class_name = asked.get("storageClassName")
    class_name = class_name if isinstance(class_name, str) else None
    return _by_profile(texts(asked.get("accessModes")), volume_mode, class_name, archive, cluster)


def render_claim(claim: ClaimRequest, cluster: Cluster) -> ClaimRequest:
    """Return a PVC as CDI's webhook fills in the modes that it leaves to CDI; raises NotRendered.

    Source: CDI 1.66 ``pkg/apiserver/webhooks/pvc-mutate.go``.
    """
    found = _by_profile(claim.access_modes, claim.volume_mode, claim.storage_class, False, cluster)
    return replace(
        claim,
        access_modes=found.access_modes,
        volume_mode=found.volume_mode,
        storage_class=found.storage_class,
    )


def _by_profile(
    access_modes: tuple[str, ...], volume_mode: str | None, class_name: str | None, archive: bool, cluster: Cluster
) -> ClaimRequest:
    if volume_mode == FROM_PROFILE:
        volume_mode = None
    if class_name is not None:
        storage_class = cluster.get(CLASSES, class_name)
    else:
        classes = cluster.list(CLASSES)
        storage_class = kubernetes_default(classes) if archive else virt_default(classes)
        class_name = storage_class.name if storage_class else None
    sets = property_sets_of(storage_class, cluster) if storage_class and not (access_modes and volume_mode) else ()
    if access_modes:
        modes = (entry.volume_mode for entry in sets if set(entry.access_modes) & set(access_modes))
        return ClaimRequest(access_modes, volume_mode or next(modes, None) or FILESYSTEM_MODE, class_name)
    if not storage_class:
        named = f"StorageClass {quoted(class_name)} does not exist" if class_name is not None else ""
        raise NotRendered(f"no access mode is set, and {named or 'the cluster has no default StorageClass'}")
    if volume_mode:
        sets = tuple(entry for entry in sets if entry.volume_mode == volume_mode and entry.access_modes)
    if not sets or not sets[0].access_modes:
        of = f" for volumeMode {plain(volume_mode)}" if volume_mode else ""
        raise NotRendered(f"no access mode is set, and the StorageProfile {quoted(storage_class.name)} offers none{of}")
    return ClaimRequest(sets[0].access_modes, sets[0].volume_mode or FILESYSTEM_MODE, class_name)

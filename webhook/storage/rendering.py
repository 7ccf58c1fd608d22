"""The PVC that CDI creates for a DataVolume.

Source: CDI 1.66 ``pkg/controller/datavolume/util.go`` (``renderPvcSpec`` and its helpers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from webhook.cluster import Cluster
from webhook.cluster.facts import ClassFacts, PropertySet, SourceFacts
from webhook.cluster.resources import CLASSES
from webhook.objects import Object, at, mapping, text, texts
from webhook.storage.classes import kubernetes_default, virt_default
from webhook.storage.model import BLOCK_MODE, FILESYSTEM_MODE, ClaimRequest
from webhook.storage.profiles import property_sets_of
from webhook.wording import plain, quoted

FROM_PROFILE = "FromStorageProfile"


@dataclass(frozen=True, slots=True)
class NotRendered:
    """CDI creates no PVC, and why."""

    reason: str


def render(
    spec: Object, namespace: str, cluster: Cluster, annotations: Mapping[str, str] | None = None
) -> ClaimRequest | NotRendered:
    """Return the PVC that CDI creates for a DataVolume's spec in this namespace and cluster, or why it creates none.

    ``annotations`` are Trident's on the DataVolume, without the prefix: CDI copies them to the PVC.
    """
    has_pvc, has_storage = isinstance(spec.get("pvc"), dict), isinstance(spec.get("storage"), dict)
    if has_pvc == has_storage:
        return NotRendered("exactly one of spec.pvc and spec.storage must be set")
    by_profile = has_storage or at(spec, "pvc", "volumeMode") == FROM_PROFILE
    rendered = _render_by_profile(spec, cluster) if by_profile else _render_pvc(spec, cluster)
    if isinstance(rendered, NotRendered):
        return rendered
    asked = mapping(spec.get("storage") or spec.get("pvc"))
    own = SourceFacts.read({"spec": asked})
    return replace(
        rendered,
        namespace=namespace,
        volume_name=text(asked.get("volumeName")),
        source=own or _source(spec, namespace),
        annotations=annotations or {},
        made_by_cdi=own is None,
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


def _render_pvc(spec: Object, cluster: Cluster) -> ClaimRequest | NotRendered:
    """CDI takes ``spec.pvc`` as it is; Kubernetes fills in its default class and mode."""
    asked = spec["pvc"]
    access_modes = texts(asked.get("accessModes"))
    if not access_modes:
        return NotRendered("spec.pvc sets no access mode")
    class_name = asked.get("storageClassName")
    if not isinstance(class_name, str):
        default = kubernetes_default(cluster.list(CLASSES))
        class_name = default.name if default else None
    return ClaimRequest(access_modes, text(asked.get("volumeMode")) or FILESYSTEM_MODE, class_name)


def _render_by_profile(spec: Object, cluster: Cluster) -> ClaimRequest | NotRendered:
    """CDI fills in ``spec.storage`` from the class's StorageProfile, and ``spec.pvc`` with its own volume mode too."""
    asked = mapping(spec.get("storage") or spec.get("pvc"))
    archive = spec.get("contentType") == "archive"
    volume_mode = text(asked.get("volumeMode"))
    if archive and volume_mode == BLOCK_MODE:
        return NotRendered("an archive cannot be written to a Block volume")
    if archive:
        volume_mode = FILESYSTEM_MODE
    elif volume_mode == FROM_PROFILE:
        volume_mode = None
    rendered = _by_profile(
        texts(asked.get("accessModes")), volume_mode, asked.get("storageClassName"), archive, cluster
    )
    return rendered if isinstance(rendered, NotRendered) else replace(rendered, is_archive=archive)


def render_claim(claim: ClaimRequest, cluster: Cluster) -> ClaimRequest | NotRendered:
    """Return a PVC as CDI's webhook fills in the modes that it leaves to CDI, or why it cannot.

    Source: CDI 1.66 ``pkg/apiserver/webhooks/pvc-mutate.go``.
    """
    mode = None if claim.volume_mode == FROM_PROFILE else claim.volume_mode
    rendered = _by_profile(claim.access_modes, mode, claim.storage_class, False, cluster)
    if isinstance(rendered, NotRendered):
        return rendered
    modes = {"access_modes": rendered.access_modes, "volume_mode": rendered.volume_mode}
    return replace(claim, storage_class=rendered.storage_class, **modes)  # type: ignore[arg-type]


def _by_profile(
    access_modes: tuple[str, ...], volume_mode: str | None, class_name: object, archive: bool, cluster: Cluster
) -> ClaimRequest | NotRendered:
    storage_class = _class_for(class_name, archive, cluster)
    if not isinstance(storage_class, ClassFacts):
        return _without_class(storage_class, access_modes, volume_mode)
    return _with_profile(storage_class, access_modes, volume_mode, cluster)


def _class_for(name: object, archive: bool, cluster: Cluster) -> ClassFacts | str | None:
    """The class that CDI uses; the name of a class that does not exist; None without a name and a default."""
    if isinstance(name, str):
        return cluster.get(CLASSES, name) or name
    classes = cluster.list(CLASSES)
    return kubernetes_default(classes) if archive else virt_default(classes)


def _without_class(
    name: str | None, access_modes: tuple[str, ...], volume_mode: str | None
) -> ClaimRequest | NotRendered:
    if access_modes:
        return ClaimRequest(access_modes, volume_mode or FILESYSTEM_MODE, name)
    if name is None:
        return NotRendered("no access mode is set, and the cluster has no default StorageClass")
    return NotRendered(f"no access mode is set, and StorageClass {quoted(name)} does not exist")


def _with_profile(
    storage_class: ClassFacts, access_modes: tuple[str, ...], volume_mode: str | None, cluster: Cluster
) -> ClaimRequest | NotRendered:
    name = storage_class.name
    if access_modes and volume_mode:
        return ClaimRequest(access_modes, volume_mode, name)
    sets = property_sets_of(storage_class, cluster)
    if access_modes:
        return ClaimRequest(access_modes, _mode_for(sets, access_modes) or FILESYSTEM_MODE, name)
    if volume_mode:
        found = next((entry for entry in sets if entry.volume_mode == volume_mode and entry.access_modes), None)
        if found is None:
            return NotRendered(
                f"the StorageProfile {quoted(name)} offers no access mode for volumeMode {plain(volume_mode)}"
            )
        return ClaimRequest(found.access_modes, volume_mode, name)
    if not sets or not sets[0].access_modes:
        return NotRendered(f"no access mode is set, and the StorageProfile {quoted(name)} offers none")
    return ClaimRequest(sets[0].access_modes, sets[0].volume_mode or FILESYSTEM_MODE, name)


def _mode_for(sets: tuple[PropertySet, ...], access_modes: tuple[str, ...]) -> str | None:
    return next((entry.volume_mode for entry in sets if set(entry.access_modes) & set(access_modes)), None)

"""volume → claim: an existing one, else the one that a DataVolume or a template will become."""

from __future__ import annotations

from collections.abc import Mapping

from webhook.claims import rendering
from webhook.claims.backing import backing_of
from webhook.claims.classes import kubernetes_default
from webhook.claims.model import Claim, ClaimRequest, NoClaim
from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import CLAIMS, CLASSES, DATA_VOLUMES
from webhook.machines import DataVolumeTemplate, Machine


def resolve(machine: Machine, cluster: Cluster) -> dict[str, Claim | NoClaim]:
    """Return what stands behind each claim name that the machine's volumes use.

    Raises Undecidable where the cluster cannot say. Sources: a DataVolume's claim has its name and namespace (CDI
    1.66 ``pkg/controller/datavolume``); an existing claim wins over what could become one.
    """
    names = {volume.claim for volume in machine.volumes if volume.claim}
    return {name: _resolve(name, machine.namespace, machine.data_volume_templates, cluster) for name in sorted(names)}


def _resolve(
    name: str, namespace: str, templates: Mapping[str, DataVolumeTemplate], cluster: Cluster
) -> Claim | NoClaim:
    existing = cluster.get(CLAIMS, name, namespace)
    if existing is not None:
        return _existing(existing, cluster)
    data_volume = cluster.get(DATA_VOLUMES, name, namespace)
    if data_volume is not None:
        return _to_come(rendering.render(data_volume.spec, cluster), f"DataVolume {namespace}/{name}", None, cluster)
    template = templates.get(name)
    if template is not None:
        origin = f"dataVolumeTemplate {name}"
        return _to_come(rendering.render(template.spec, cluster), origin, template.field, cluster)
    return NoClaim("does not exist, and no DataVolume or dataVolumeTemplate makes it")


def _existing(facts: ClaimFacts, cluster: Cluster) -> Claim:
    class_name = facts.storage_class
    if class_name is None and not facts.volume_name:
        default = kubernetes_default(cluster.list(CLASSES))
        class_name = default.name if default else None
    request = ClaimRequest(facts.access_modes, facts.volume_mode, class_name)
    return Claim("claim", request, backing_of(request, facts.volume_name, cluster))


def _to_come(
    rendered: ClaimRequest | rendering.Refusal, origin: str, declared_at: str | None, cluster: Cluster
) -> Claim | NoClaim:
    if isinstance(rendered, rendering.Refusal):
        return NoClaim(f"will not be made: {rendered.reason}", declared_at)
    return Claim(origin, rendered, backing_of(rendered, None, cluster), declared_at)

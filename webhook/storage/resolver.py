"""From a volume to its PVC: an existing one, else the one that a DataVolume or a template will create."""

from __future__ import annotations

from collections.abc import Mapping

from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts, DataVolumeFacts
from webhook.cluster.resources import CLAIMS, DATA_VOLUMES
from webhook.kubevirt.model import VM, DataVolumeTemplate
from webhook.storage.model import Claim, NoClaim
from webhook.storage.origin import Origins, request_of
from webhook.storage.rendering import NotRendered, render, render_claim
from webhook.wording import plain, quoted

_POOL = "VirtualMachinePool"
"""A Pool numbers the DataVolumes of its VMs, so that none has the name of its template."""
_CREATE = "Create the PVC or the DataVolume first, or correct its name"


def resolve(vm: VM, cluster: Cluster, trident: str) -> dict[str, Claim | NoClaim]:
    """Return the PVC, or why there is none, for each PVC name that the VM's volumes use; raises Undecidable.

    ``trident`` is the namespace of Trident, or "auto". A DataVolume's PVC has its name and namespace (CDI 1.66
    ``pkg/controller/datavolume``); an existing PVC comes first.
    """
    names = {volume.claim for volume in vm.volumes if volume.claim}
    resolver = _Resolver(cluster, vm.namespace, vm.data_volume_templates, Origins(cluster, trident))
    renamed = vm.data_volume_templates if vm.kind == _POOL else ()
    return {name: resolver.of_template(name) if name in renamed else resolver.claim(name) for name in sorted(names)}


class _Resolver:
    def __init__(
        self, cluster: Cluster, namespace: str, templates: Mapping[str, DataVolumeTemplate], origins: Origins
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._templates = templates
        self._origins = origins

    def claim(self, name: str) -> Claim | NoClaim:
        existing = self._cluster.get(CLAIMS, name, self._namespace)
        if existing is not None:
            return self._existing(existing)
        found = self._cluster.get(DATA_VOLUMES, name, self._namespace)
        if found is None:
            return self.of_template(name)
        remedy = f"Correct DataVolume {quoted(name)} and create it again"
        return self._predicted(found, f"DataVolume {plain(name)}", f"a new DataVolume {quoted(name)}", remedy)

    def of_template(self, name: str) -> Claim | NoClaim:
        """The PVC of a template, though another PVC may have its name."""
        found = self._templates.get(name)
        if found is None:
            return NoClaim("does not exist, and no DataVolume or dataVolumeTemplate creates it", _CREATE)
        return self._predicted(found, f"dataVolumeTemplate {plain(name)}", found.field, f"Correct {found.field}")

    def _existing(self, facts: ClaimFacts) -> Claim | NoClaim:
        """Only a PVC in a manifest leaves its modes to CDI; in a cluster CDI's webhook has filled them in."""
        request = request_of(facts, self._namespace, self._cluster)
        try:
            request = render_claim(request, self._cluster) if facts.leaves_modes_to_cdi else request
        except NotRendered as why:
            return NoClaim(f"will not be created: {why}", "Correct the PVC's class and modes")
        return Claim("PVC", request, self._origins.backing_of(request), made_on=facts.made_on)

    def _predicted(
        self, source: DataVolumeFacts | DataVolumeTemplate, origin: str, declared_at: str, remedy: str
    ) -> Claim | NoClaim:
        try:
            request = render(source.spec, self._namespace, self._cluster, source.annotations)
        except NotRendered as why:
            return NoClaim(f"will not be created: {why}", remedy)
        return Claim(origin, request, self._origins.backing_of(request), declared_at)

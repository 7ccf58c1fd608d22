"""From a volume to its PVC: an existing one, else the one that a DataVolume or a template will create."""

from __future__ import annotations

from collections.abc import Mapping

from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import CLAIMS, DATA_VOLUMES
from webhook.kubevirt import VM, DataVolumeTemplate
from webhook.storage import rendering
from webhook.storage.model import Claim, ClaimRequest, NoClaim
from webhook.storage.origin import Origins, request_of
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
        data_volume = self._cluster.get(DATA_VOLUMES, name, self._namespace)
        if data_volume is not None:
            rendered = rendering.render(data_volume.spec, self._namespace, self._cluster, data_volume.annotations)
            return self._predicted(rendered, f"DataVolume {plain(name)}", f"a new DataVolume {quoted(name)}")
        return self.of_template(name)

    def of_template(self, name: str) -> Claim | NoClaim:
        """The PVC of a template, though another PVC may have its name."""
        template = self._templates.get(name)
        if template is None:
            return NoClaim("does not exist, and no DataVolume or dataVolumeTemplate makes it", _CREATE)
        rendered = rendering.render(template.spec, self._namespace, self._cluster, template.annotations)
        return self._predicted(rendered, f"dataVolumeTemplate {plain(name)}", template.field)

    def _existing(self, facts: ClaimFacts) -> Claim | NoClaim:
        """Only a PVC in a manifest leaves its modes to CDI; in a cluster CDI's webhook has filled them in."""
        request = request_of(facts, self._namespace, self._cluster)
        if facts.leaves_modes_to_cdi:
            rendered = rendering.render_claim(request, self._cluster)
            if isinstance(rendered, rendering.NotRendered):
                return NoClaim(f"will not be created: {rendered.reason}", "Correct the PVC's class and modes")
            request = rendered
        return Claim("PVC", request, self._origins.backing_of(request), made_on=facts.made_on)

    def _predicted(
        self, rendered: ClaimRequest | rendering.NotRendered, origin: str, declared_at: str
    ) -> Claim | NoClaim:
        if isinstance(rendered, rendering.NotRendered):
            existing_object = declared_at.removeprefix("a new ")
            remedy = (
                f"Correct {existing_object} and create it again"
                if existing_object != declared_at
                else f"Correct {declared_at}"
            )
            return NoClaim(f"will not be created: {rendered.reason}", remedy)
        return Claim(origin, rendered, self._origins.backing_of(rendered), declared_at)

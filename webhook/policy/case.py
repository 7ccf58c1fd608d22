"""What a rule evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.cluster.facts import KubeVirtFacts, NodeFacts
from webhook.kubevirt.model import VM, Volume
from webhook.policy.exemptions import NONE, Exempted
from webhook.settings import EvictionStrategy
from webhook.storage.model import Claim, NoClaim


@dataclass(frozen=True, slots=True)
class ClusterContext:
    """Facts about the cluster as a whole: KubeVirt's version (major and minor), its CR, the known nodes."""

    version: tuple[int, int]
    kubevirt: KubeVirtFacts
    nodes: tuple[NodeFacts, ...]

    @property
    def schedulable(self) -> list[NodeFacts]:
        """The nodes that may run a VM: those that virt-handler labels, or all where it labels none."""
        labelled = any(node.kubevirt_schedulable is not None for node in self.nodes)
        return [node for node in self.nodes if not node.unschedulable and (node.kubevirt_schedulable or not labelled)]


@dataclass(frozen=True, slots=True)
class Case:
    """One VM, its PVCs by name, and the cluster context.

    ``eviction`` is the setting evictionStrategy; ``exempted`` what labels waive; ``unmigratable`` says that the VM is
    admitted although other rules found that it cannot migrate.
    """

    vm: VM
    claims: Mapping[str, Claim | NoClaim]
    context: ClusterContext
    eviction: EvictionStrategy
    exempted: Exempted = NONE
    unmigratable: bool = False

    def disks(self) -> list[tuple[Volume, Claim]]:
        """Return the volumes whose PVC is known, each with its PVC."""
        found = ((volume, self.claims.get(volume.claim or "")) for volume in self.vm.volumes if volume.attached)
        return [(volume, claim) for volume, claim in found if isinstance(claim, Claim)]

"""What a rule looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.claims import Claim, NoClaim
from webhook.machines import Machine, Volume
from webhook.settings import EvictionStrategy


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts about the cluster as a whole.

    ``default_eviction_strategy`` is what the KubeVirt CR says, None where it says nothing; ``schedulable_nodes`` how
    many nodes could run a machine, None where no node is known.
    """

    default_eviction_strategy: str | None = None
    schedulable_nodes: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One machine with the claims behind its volumes, by claim name, and what surrounds it.

    ``eviction`` is the setting of that name; ``stuck`` says that the machine gets in although other rules found that
    it cannot migrate.
    """

    machine: Machine
    claims: Mapping[str, Claim | NoClaim]
    surroundings: Surroundings
    eviction: EvictionStrategy
    stuck: bool = False

    def existing_claims(self) -> list[tuple[Volume, Claim]]:
        """Return the volumes whose claim is known, with it."""
        found = ((volume, self.claims.get(volume.claim or "")) for volume in self.machine.volumes)
        return [(volume, claim) for volume, claim in found if isinstance(claim, Claim)]

"""ephemeral-claim: a temporary overlay on a PVC that a second node cannot attach."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.on_pvc import on_pvc
from webhook.policy.rules.rule import Finding, Rule
from webhook.storage.model import Claim

_MANY_NODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def find(case: Case) -> Iterator[Finding]:
    """Yield the ephemeral volumes over a PVC that a second node cannot attach, as the target of a migration must."""
    for volume in case.vm.volumes:
        claim = case.claims.get(volume.claim or "") if volume.source == "ephemeral" else None
        if isinstance(claim, Claim) and not _attaches_twice(claim):
            yield on_pvc(
                volume,
                claim,
                what="cannot be attached by a second node",
                why="KubeVirt calls this VM migratable, but its pod on the other node would not start",
                remedy="Use a PVC with accessModes [ReadWriteMany] or [ReadOnlyMany], on SAN with volumeMode Block",
            )


def _attaches_twice(claim: Claim) -> bool:
    return not _MANY_NODES.isdisjoint(claim.request.access_modes) and not claim.is_filesystem_on_san


RULE = Rule(
    name="ephemeral-claim",
    denies="an ephemeral volume that uses a PVC that a second node cannot attach",
    default="warn",
    source="KubeVirt 1.9 pkg/virt-controller/services/rendervolumes.go handleEphemeralVolume",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)

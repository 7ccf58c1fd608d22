"""ephemeral-claim: a throw-away overlay over a PVC that stays on one node."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.storage import Claim
from webhook.wording import quoted

_MANY_NODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def find(case: Case) -> Iterator[Finding]:
    """Yield the ephemeral volumes over a PVC that a second node cannot attach: the target of a migration needs it."""
    for volume in case.vm.volumes:
        claim = case.claims.get(volume.claim or "") if volume.source == "ephemeral" else None
        if isinstance(claim, Claim) and not _attaches_twice(claim):
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)}: a second node cannot attach PVC {quoted(volume.claim or '')}",
                why="KubeVirt calls this VM migratable, but its pod on the other node would not start",
                remedy="Use a PVC with accessModes [ReadWriteMany] or [ReadOnlyMany], on SAN with volumeMode Block",
                volume=volume.name,
                claim=volume.claim,
                evidence=claim.evidence,
            )


def _attaches_twice(claim: Claim) -> bool:
    return not _MANY_NODES.isdisjoint(claim.request.access_modes) and not claim.is_filesystem_on_san


RULE = Rule(
    name="ephemeral-claim",
    reason=None,
    denies="ephemeral over a PVC that a second node cannot attach",
    default="warn",
    source="KubeVirt 1.9 pkg/virt-controller/services/rendervolumes.go handleEphemeralVolume",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)

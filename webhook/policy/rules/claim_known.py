"""claim-known: a disk about which nothing can be said yet; to KubeVirt it is not shared until its PVC is there."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.storage import NoClaim
from webhook.wording import quoted


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC neither exists nor can be predicted."""
    for volume in case.vm.volumes:
        claim = case.claims.get(volume.claim or "") if volume.attached else None
        if isinstance(claim, NoClaim):
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)}: PVC {quoted(volume.claim or '')} {claim.why}",
                why="nobody can say yet whether this VM will live-migrate",
                remedy=claim.remedy,
                volume=volume.name,
                claim=volume.claim,
                evidence=claim.evidence,
            )


RULE = Rule(
    name="claim-known",
    reason=None,
    denies="a PVC that neither exists nor can be rendered from a DataVolume or template",
    default="warn",
    source="CDI 1.66 pkg/controller/datavolume/util.go renderPvcSpec, for what can be rendered",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)

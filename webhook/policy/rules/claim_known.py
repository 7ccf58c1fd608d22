"""claim-known: a disk whose PVC cannot be evaluated yet: KubeVirt does not treat it as shared until the PVC exists."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.on_pvc import on_pvc
from webhook.policy.rules.rule import Finding, Rule
from webhook.storage.model import NoClaim


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC neither exists nor can be predicted."""
    for volume in case.vm.volumes:
        claim = case.claims.get(volume.claim or "") if volume.attached else None
        if isinstance(claim, NoClaim):
            why = "it is not known yet whether this VM can live-migrate"
            yield on_pvc(volume, claim, what=claim.why, why=why, remedy=claim.remedy)


RULE = Rule(
    name="claim-known",
    denies="a PVC that neither exists nor can be rendered from a DataVolume or template",
    default="warn",
    source="CDI 1.66 pkg/controller/datavolume/util.go renderPvcSpec, for what can be rendered",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)

"""The ratchet: what an object violated before a request is no reason to deny the request."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from webhook.kubevirt import VM
from webhook.policy.rules import Finding, Rule
from webhook.policy.unverified import is_of

_Key = tuple[str, ...]


class Before:
    """The findings of the old object, each known by its rule and the volume's or device's name.

    Where a volume of that name is there no more, its finding is known by the PVC: the volume was renamed. A finding
    about the whole VM is known by its rule alone. What nobody could evaluate yet is no precedent for anything else:
    of a PVC that was ``unverified`` only that PVC is known, of an instancetype or a preference nothing.
    """

    def __init__(
        self,
        findings: Iterable[tuple[Rule, Finding]],
        vm: VM,
        former_claims: Collection[str] = (),
        unverified: frozenset[str] = frozenset(),
    ) -> None:
        """Remember the old object's findings, ``vm`` being the new one.

        ``former_claims`` are those that a volume migration moves away from: going back to one is no fault.
        """
        present = {volume.name for volume in vm.volumes}
        self._former_claims = frozenset(former_claims)
        self._known: set[_Key] = set()
        for rule, finding in findings:
            verified = not is_of(unverified, finding)
            if verified:
                self._known.add(_key(rule, finding))
            if finding.claim and not (verified and finding.volume in present):
                self._known.add((rule.name, "claim", finding.claim))

    def is_preexisting(self, rule: Rule, finding: Finding) -> bool:
        """Say whether the old object had this violation, wherever it stood in it."""
        if finding.claim in self._former_claims or _key(rule, finding) in self._known:
            return True
        return (rule.name, "claim", finding.claim or "") in self._known


def _key(rule: Rule, finding: Finding) -> _Key:
    if finding.device is not None:
        return (rule.name, "device", finding.device)
    return (
        (rule.name, "value", finding.value or "") if finding.volume is None else (rule.name, "volume", finding.volume)
    )

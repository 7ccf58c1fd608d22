"""Ratcheting validation: what an object violated before a request does not deny the request."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from webhook.kubevirt.model import VM
from webhook.policy.rules import Finding, Rule
from webhook.policy.unverified import is_of


class Before:
    """The findings of the old object, each identified by its rule and the name of the volume or device.

    Where the volume is gone, its finding is identified by the PVC: the volume was renamed. A finding about the whole VM
    is identified by its rule alone. What was ``unverified`` excuses nothing else: a finding about such a PVC is
    identified by that PVC, one about such an instancetype or preference does not count.
    """

    def __init__(
        self,
        findings: Iterable[tuple[Rule, Finding]],
        vm: VM,
        former_claims: Collection[str] = (),
        unverified: frozenset[str] = frozenset(),
    ) -> None:
        """Keep the old object's findings; ``vm`` is the new VM.

        ``former_claims`` are the sources of a volume migration: the VM may go back to them.
        """
        present = {volume.name for volume in vm.volumes}
        self._former_claims = frozenset(former_claims)
        self._known: set[tuple[str, str, str | None]] = set()
        for rule, finding in findings:
            verified = not is_of(unverified, finding)
            if verified:
                self._known.add(_key(rule, finding))
            if finding.claim and not (verified and finding.volume in present):
                self._known.add((rule.name, "claim", finding.claim))

    def is_preexisting(self, rule: Rule, finding: Finding) -> bool:
        """Say whether the old object had this violation, at whatever position."""
        keys = {_key(rule, finding), (rule.name, "claim", finding.claim)}
        return finding.claim in self._former_claims or not keys.isdisjoint(self._known)


def _key(rule: Rule, finding: Finding) -> tuple[str, str, str | None]:
    if finding.device is not None:
        return (rule.name, "device", finding.device)
    if finding.volume is not None:
        return (rule.name, "volume", finding.volume)
    return (rule.name, "value", finding.value)

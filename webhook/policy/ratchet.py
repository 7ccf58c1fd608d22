"""The ratchet: what an object violated before a request is no reason to refuse the request."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.policy.rules import Finding, Rule


class Before:
    """The findings of the old object, each known by its rule and the volume's name or claim, or the device's name.

    A finding about the whole machine is known by its rule alone.
    """

    def __init__(self, findings: Iterable[tuple[Rule, Finding]]) -> None:
        """Remember the old object's findings; none where there is no old object."""
        self._known = {key for rule, finding in findings for key in _keys(rule, finding)}

    def tolerates(self, rule: Rule, finding: Finding) -> bool:
        """Say whether the old object had this violation, wherever it stood in it."""
        return not self._known.isdisjoint(_keys(rule, finding))


def _keys(rule: Rule, finding: Finding) -> set[tuple[str, ...]]:
    if finding.device is not None:
        return {(rule.name, "device", finding.device)}
    if finding.volume is None:
        return {(rule.name,)}
    keys: set[tuple[str, ...]] = {(rule.name, "volume", finding.volume)}
    if finding.claim:
        keys.add((rule.name, "claim", finding.claim))
    return keys

"""What of a machine nobody could judge yet, so that its start must be judged.

Names are "claim/NAME", "instancetype/NAME" and "preference/NAME".
"""

from __future__ import annotations

from collections.abc import Iterable

from webhook.claims import Claim
from webhook.objects import can_be_name
from webhook.policy.case import Case
from webhook.policy.rules import Finding
from webhook.policy.verdict import Violation


def unverified(case: Case, violations: Iterable[Violation], before: frozenset[str]) -> frozenset[str]:
    """Return what is not there yet, and what of ``before`` is there now and was not found good.

    ``before`` are the names that the machine's mark held. A name that no object can have is left out: nothing starts
    with it.
    """
    bad = {violation.volume for violation in violations if violation.action == "deny" and not violation.exempt}
    machine = case.machine
    to_come, doubted = set(machine.missing_templates), set()
    for volume in machine.volumes:
        if not volume.attached or not volume.claim:
            continue
        claim = case.claims.get(volume.claim)
        if not isinstance(claim, Claim) or claim.is_to_come:
            to_come.add(_of_claim(volume.claim))
        elif volume.name in bad:
            doubted.add(_of_claim(volume.claim))
    if None in bad:
        doubted |= machine.templates
    return frozenset(name for name in to_come | (doubted & before) if can_be_name(name.partition("/")[2]))


def concerns(names: frozenset[str], finding: Finding) -> bool:
    """Say whether a finding is about one of the names: about its claim or, for the rest, about the whole machine."""
    if finding.claim is not None:
        return _of_claim(finding.claim) in names
    return finding.volume is None and any(not name.startswith("claim/") for name in names)


def _of_claim(name: str) -> str:
    return f"claim/{name}"

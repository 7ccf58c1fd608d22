"""What of a VM nobody could evaluate yet, so that its start must be evaluated.

Names are "claim/NAME", "instancetype/NAME" and "preference/NAME".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from webhook.kubevirt import VM
from webhook.objects import can_be_name
from webhook.policy.case import Case
from webhook.policy.rules import Finding
from webhook.policy.verdict import Violation
from webhook.storage import Claim


def unverified(case: Case, violations: Collection[Violation], before: frozenset[str], old: VM | None) -> frozenset[str]:
    """Return what is not there yet, and what of ``before`` is there now and was not evaluated good.

    ``before`` are the names that the VM as it was, ``old``, was unverified for. What that one lacked without a name in
    its annotation gets none now; nor does a new PVC that is predicted to violate a rule and is admitted all the same:
    that was evaluated. A name that no object can have is left out: nothing starts with it.
    """
    found = {*_claims(case, violations, before, old), *_matchers(case.vm, violations, before)}
    return frozenset(name for name in found if can_be_name(name.partition("/")[2]))


def of_claim(name: str) -> str:
    """Return how a mark names a PVC."""
    return f"claim/{name}"


def concerns(names: frozenset[str], finding: Finding) -> bool:
    """Say whether a finding is about one of the names: about its PVC or, for the rest, about the whole VM."""
    if finding.claim is not None:
        return of_claim(finding.claim) in names
    return finding.volume is None and any(not name.startswith("claim/") for name in names)


def is_of(names: frozenset[str], finding: Finding) -> bool:
    """Say whether a finding comes of one of the names: its PVC, or the instancetype or preference at its field."""
    if finding.claim is not None:
        return of_claim(finding.claim) in names
    return any(_stands_at(name, finding.field) for name in names)


def _claims(case: Case, violations: Collection[Violation], before: frozenset[str], old: VM | None) -> Iterator[str]:
    denied = [violation for violation in violations if violation.action == "deny"]
    bad = {violation.volume for violation in denied if not violation.exempt}
    let_in = {violation.volume for violation in denied if violation.exempt or violation.preexisting}
    pending = {of_claim(name) for name in old.declared_claims} - before if old else set()
    for volume in case.vm.volumes:
        claim, name = case.claims.get(volume.claim or ""), of_claim(volume.claim or "")
        if not volume.attached or claim is None:
            continue
        if isinstance(claim, Claim) and not claim.is_predicted:
            due = name in before and volume.name in bad
        else:
            was_evaluated = isinstance(claim, Claim) and volume.name in let_in
            due = name in before or not (was_evaluated or name in pending)
        if due:
            yield name


def _matchers(vm: VM, violations: Collection[Violation], before: frozenset[str]) -> Iterator[str]:
    yield from vm.missing_matchers
    fields = [violation.field for violation in violations if violation.action == "deny" and not violation.exempt]
    for name in vm.matchers & before:
        if any(_stands_at(name, field) for field in fields):
            yield name


def _stands_at(name: str, field: str) -> bool:
    kind = name.partition("/")[0]
    return kind != "claim" and field.endswith(f".{kind}")

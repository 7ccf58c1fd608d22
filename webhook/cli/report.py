"""Verdicts as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webhook.policy.case import Case
from webhook.policy.rules import RULES
from webhook.policy.verdict import Verdict
from webhook.settings import Settings
from webhook.wording import plain, quoted


def print_text(verdicts: Sequence[Verdict], settings: Settings, *, verbose: bool, explain: bool) -> None:
    """Print each verdict, then how many VMs are denied.

    ``verbose`` adds the evidence for each violation, ``explain`` every volume and every rule.
    """
    for verdict in verdicts:
        print("\n".join(_lines(verdict, settings, verbose, explain)))
    denied = sum(not verdict.allowed for verdict in verdicts)
    print(f"{len(verdicts)} VM{'' if len(verdicts) == 1 else 's'} checked: {denied} denied")


def _lines(verdict: Verdict, settings: Settings, verbose: bool, explain: bool) -> Iterator[str]:
    name = f"{plain(verdict.namespace)}/{plain(verdict.name)}"
    yield f"{verdict.kind} {name}: {'allowed' if verdict.allowed else 'denied'}"
    for violation in verdict.violations:
        if violation.denies:
            yield f"  {violation.field}: {violation.cause}"
            if verbose and violation.evidence:
                yield f"    found: {violation.evidence}"
    for line in verdict.warnings:
        yield f"  warning: {line}"
    if explain and verdict.case:
        yield from _volumes(verdict.case)
        yield from _rules(verdict, settings)


def _volumes(case: Case) -> Iterator[str]:
    for volume in case.vm.volumes:
        claim = case.claims.get(volume.claim or "")
        found = claim.evidence if claim else "no PVC behind it"
        of = f" of PVC {quoted(volume.claim)}" if volume.claim else ""
        yield f"  volume {quoted(volume.name)} ({plain(volume.source) if volume.source else 'no source'}{of}): {found}"


def _rules(verdict: Verdict, settings: Settings) -> Iterator[str]:
    for rule in RULES:
        violated = [violation for violation in verdict.violations if violation.rule == rule.name]
        found = "; ".join(f"{violation.action}: {violation.what}" for violation in violated)
        off = settings.rules.get(rule.name) == "off"
        yield f"  rule {rule.name}: {found or ('off' if off else 'not violated')}"

"""The VirtualMachines that are there and could not be live-migrated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from webhook.cluster import Cluster, Undecidable
from webhook.cluster.api import Api
from webhook.cluster.resources import VIRTUAL_MACHINES
from webhook.doctor.finding import Finding
from webhook.engine import evaluate
from webhook.objects import Object, at
from webhook.settings import Settings

_ABOUT = "machines"
_PAGE = "250"
_SECONDS = 60.0
_MOST_NAMED = 10


def look_at_machines(api: Api, cluster: Cluster, settings: Settings) -> list[Finding]:
    """Return how many VirtualMachines violate a rule that would refuse them in mode deny, and some of their names."""
    settings = replace(settings, mode="deny")
    found, rules, total = [], Counter[str](), 0
    try:
        for machine in _all(api):
            total += 1
            verdict = evaluate({"kind": VIRTUAL_MACHINES.kind, **machine}, cluster, settings=settings, final=True)
            refusing = {violation.rule for violation in verdict.violations if violation.refuses}
            if refusing:
                found.append(f"{verdict.namespace}/{verdict.name}")
                rules.update(refusing)
    except Undecidable as error:
        return [
            Finding("warning", _ABOUT, f"not counted: {error}", "Give the right to list virtualmachines.kubevirt.io")
        ]
    if not found:
        return [Finding("ok", _ABOUT, f"none of the {total} VirtualMachines violates a rule")]
    named = found[:_MOST_NAMED]
    more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
    names = f"{', '.join(named)}{more}"
    by_rule = ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))
    return [
        Finding(
            "warning",
            _ABOUT,
            f"{len(found)} of {total} VirtualMachines would be refused in mode deny ({by_rule}): {names}",
            "They go on running and can be edited; mend or exempt them before the next node drain",
        )
    ]


def _all(api: Api) -> Iterator[Object]:
    query = {"limit": _PAGE}
    while True:
        page = api.get(VIRTUAL_MACHINES.path, query, timeout=_SECONDS)
        yield from page.get("items") or ()
        following = at(page, "metadata", "continue")
        if not following:
            return
        query = {"limit": _PAGE, "continue": following}

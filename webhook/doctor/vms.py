"""The existing VirtualMachines that cannot be live-migrated."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from webhook.cluster import Cluster, Undecidable
from webhook.cluster.api import Client
from webhook.cluster.resources import NAMESPACES, VIRTUAL_MACHINES
from webhook.doctor.finding import Finding
from webhook.engine import evaluate
from webhook.objects import Object, at, items, mapping, texts
from webhook.settings import Settings

_ABOUT = "VMs"
_MOST_NAMED = 10


def look_at_vms(client: Client, cluster: Cluster, settings: Settings, selector: Object) -> list[Finding]:
    """Return how many VirtualMachines violate a rule that would deny them in mode deny, and some of their names.

    Evaluated are those in namespaces that ``selector``, a LabelSelector, selects; all where it is empty.
    """
    settings = replace(settings, mode="deny")
    found, rules, total = [], Counter[str](), 0
    try:
        selected = _selected(client, selector) if selector else None
        for vm in client.list(VIRTUAL_MACHINES.path):
            if selected is not None and at(vm, "metadata", "namespace") not in selected:
                continue
            total += 1
            verdict = evaluate({"kind": VIRTUAL_MACHINES.kind, **vm}, cluster, settings=settings, final=True)
            denying = {violation.rule for violation in verdict.violations if violation.denies}
            if denying:
                found.append(f"{verdict.namespace}/{verdict.name}")
                rules.update(denying)
    except Undecidable as error:
        remedy = "Grant the right to list virtualmachines.kubevirt.io and namespaces"
        return [Finding("warning", _ABOUT, f"not counted: {error}", remedy)]
    where = " in the selected namespaces" if selector else ""
    if not found:
        return [Finding("ok", _ABOUT, f"none of the {total} VirtualMachines{where} violates a rule")]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    by_rule = ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))
    what = f"{len(found)} of {total} VirtualMachines{where} would be denied in mode deny ({by_rule})"
    remedy = "They keep running and can be edited; fix or exempt them before the next node drain"
    return [Finding("warning", _ABOUT, f"{what}: {', '.join(found[:_MOST_NAMED])}{more}", remedy)]


def _selected(client: Client, selector: Object) -> frozenset[str]:
    """The API server evaluates the selector, as it does for the webhook configurations."""
    found = client.list(NAMESPACES.path, {"labelSelector": _as_query(selector)}, metadata_only=True)
    return frozenset(str(at(namespace, "metadata", "name")) for namespace in found)


def _as_query(selector: Object) -> str:
    """A LabelSelector in a query's syntax: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api."""
    terms = [f"{key}={value}" for key, value in mapping(selector.get("matchLabels")).items()]
    for expression in items(selector.get("matchExpressions")):
        key, values = at(expression, "key"), ",".join(texts(at(expression, "values")))
        forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "DoesNotExist": f"!{key}"}
        terms.append(str(forms.get(str(at(expression, "operator")), key)))
    return ",".join(terms)

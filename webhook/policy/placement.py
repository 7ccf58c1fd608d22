"""Which nodes a VM may run on, as far as its nodeSelector and required node affinity say.

Source: Kubernetes 1.36 ``component-helpers/scheduling/corev1/nodeaffinity``.
"""

from __future__ import annotations

from collections.abc import Sequence

from webhook.cluster.facts import NodeFacts
from webhook.objects import Object, at, items, texts


def admits(node: NodeFacts, selector: dict[str, str], terms: Sequence[Object] | None) -> bool:
    """Say whether a node fits a nodeSelector and any of the affinity's terms; None for no affinity at all."""
    fits_selector = all(node.labels.get(key) == value for key, value in selector.items())
    return fits_selector and (terms is None or any(_fits(node, term) for term in terms))


def _fits(node: NodeFacts, term: object) -> bool:
    """An empty term fits no node."""
    expressions, fields = items(at(term, "matchExpressions")), items(at(term, "matchFields"))
    if not expressions and not fields:
        return False
    by_label = all(_holds(node.labels.get(str(at(found, "key"))), found) for found in expressions)
    return by_label and all(_holds(node.name, found) for found in fields)


def _holds(value: str | None, requirement: object) -> bool:
    wanted = texts(at(requirement, "values"))
    match at(requirement, "operator"):
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, wanted, operator)
    return False


def _compares(value: str | None, wanted: tuple[str, ...], operator: str) -> bool:
    try:
        found, bound = int(value or ""), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return found > bound if operator == "Gt" else found < bound

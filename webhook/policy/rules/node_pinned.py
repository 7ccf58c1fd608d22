"""node-pinned: a VM that only one node may run."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.objects import items, string_map
from webhook.policy.case import Case
from webhook.policy.placement import admits
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted

HOSTNAME = "kubernetes.io/hostname"


def find(case: Case) -> Iterator[Finding]:
    """Yield a nodeSelector or required affinity that leaves at most one of several nodes.

    Where no node is known, a nodeSelector that names one is enough.
    """
    hardware, nodes = case.vm.hardware, case.context.schedulable
    setting = hardware.node_selector or hardware.affinity
    if setting is None:
        return
    selector = string_map(hardware.node_selector.value) if hardware.node_selector else {}
    terms = items(hardware.affinity.value.get("nodeSelectorTerms")) if hardware.affinity else None
    left = [node for node in nodes if admits(node, selector, terms)]
    if len(nodes) > 1 and len(left) <= 1:
        what = f"only node {quoted(left[0].name)} may run this VM" if left else "no node may run this VM"
    elif not nodes and HOSTNAME in selector:
        what = f"the nodeSelector names one node, {quoted(selector[HOSTNAME])}"
    else:
        return
    yield Finding(
        field=setting.field,
        what=what,
        why="KubeVirt calls it migratable, but there is no other node to move it to",
        remedy="Widen nodeSelector and affinity to at least two nodes",
    )


RULE = Rule(
    name="node-pinned",
    denies="a nodeSelector or required affinity that leaves one node",
    default="warn",
    source="Kubernetes 1.36, Assigning Pods to Nodes",
    find=find,
    reads=("affinity", "nodeSelector"),
    makes_unmigratable=False,
)

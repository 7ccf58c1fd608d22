"""eviction-strategy: a VM that could migrate, but keeps a node drain from migrating it."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted

KEPT = frozenset({"LiveMigrate", "External"})
"""The values that stay: ours, and the deliberate choice of another controller."""


def find(case: Case) -> Iterator[Finding]:
    """Yield a strategy other than LiveMigrate and External, with "enforce"; on creation of a VM it is patched instead.

    It is not patched in an update of a running VM, a ReplicaSet or a Pool, nor in a VM that cannot migrate.
    """
    strategy = case.vm.eviction_strategy
    if case.eviction == "enforce" and strategy is not None and strategy not in KEPT and not case.unmigratable:
        yield Finding(
            field=case.vm.eviction_field,
            what=f"evictionStrategy is {quoted(strategy)}, not LiveMigrate",
            why="a node drain might not live-migrate this VM",
            remedy="Remove the field or set it to LiveMigrate",
            value=strategy,
        )


RULE = Rule(
    name="eviction-strategy",
    denies="an evictionStrategy other than LiveMigrate and External that the webhook does not change itself",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go",
    find=find,
    reads=("evictionStrategy",),
    makes_unmigratable=False,
    evaluated_last=True,
)

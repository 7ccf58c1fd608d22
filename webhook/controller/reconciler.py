"""The leader applies the planned webhook configurations, and reverts external changes."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from webhook.admission.probe import ANSWER, PROBE_NAME, probe_object
from webhook.cluster.api import ApiError, Client
from webhook.controller import plan
from webhook.controller.differences import differs
from webhook.controller.leader_election import leases_of
from webhook.controller.live_configurations import KINDS, VALIDATING, LiveConfigurations, path_of
from webhook.controller.owned import with_metadata
from webhook.controller.problems import Problems
from webhook.wording import listed

RECONCILE_SECONDS = 2.0
"""Between two reconciles without an event: the leader renews its Lease, as client-go does, and certificates age."""
PROBE_SECONDS = 0.5
"""After a probe without an answer, and after any other write."""
_FIGHT = "another program keeps changing the webhook configurations; changes are reverted once a minute"
_MOST_REVERTS = 20
_REVERTS_WITHIN = 600.0
_PAUSE = 60.0
_PORT = re.compile(r"\S+:\d+->")
"""Our port in an error message, which is left out: the same problem has the same text each time."""

log = logging.getLogger(__name__)


class Reconciler:
    """Keeps the webhook configurations as they must be, a few steps in each reconcile."""

    def __init__(self, problems: Problems, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where to report problems."""
        self._problems = problems
        self._clock = clock
        self._applied: dict[str, dict[str, Any]] = {}
        self._reverted: list[float] = []
        self._has_probe = True

    def is_due(self, live: LiveConfigurations, inputs: plan.ReconcileInputs) -> bool:
        """Return whether the live configurations, all ours, need a step, or a probe may be left over."""
        return self._has_probe or bool(plan.steps(plan.wanted_configurations(inputs, live), live))

    def run(self, client: Client, live: LiveConfigurations, inputs: plan.ReconcileInputs) -> float | None:
        """Take the next steps for the live configurations, all ours; raises as `Client`.

        Return how long to pause in any case; None where nothing was written. While configurations are created or
        deleted, one relies on the other, so the next step waits until all API servers have seen this one.
        """
        wanted = plan.wanted_configurations(inputs, live)
        if plan.needs_probe(wanted, live):
            if not self._proves(client, inputs):
                for configuration in plan.trusting(wanted, live, inputs):
                    self._apply_configuration(configuration, client)
                return PROBE_SECONDS
        elif self._has_probe:
            client.delete(path_of(VALIDATING, PROBE_NAME))
            self._has_probe = False
        pause = None
        for step in plan.steps(wanted, live):
            if isinstance(step, plan.Delete):
                client.delete(path_of(step.kind))
                log.info("deleted: %s, since the settings switch the webhook configurations off", step.kind)
                pause = RECONCILE_SECONDS
            elif self._apply_configuration(step, client):
                pause = PROBE_SECONDS if len(live) == len(KINDS) else RECONCILE_SECONDS
        return pause

    def _proves(self, client: Client, inputs: plan.ReconcileInputs) -> bool:
        """Apply the probe's configuration and create its object: we deny it once the API server reaches us."""
        wanted = plan.wanted_probe(inputs)
        if differs(wanted, client.get(path_of(VALIDATING, PROBE_NAME))):
            self._has_probe = True
            _apply(client, wanted)
        namespace = inputs.installation.namespace
        try:
            client.create(leases_of(namespace), probe_object(namespace), dry_run=True)
        except ApiError as error:
            answered = ANSWER in str(error)
            self._problems.report("API server → webhook", None if answered else _PORT.sub("", str(error)))
            return answered
        return False

    def _apply_configuration(self, step: plan.Apply, client: Client) -> bool:
        """Return whether it was written."""
        kind = step.wanted["kind"]
        was_ours = self._applied.get(kind) == step.wanted
        if was_ours and not self._may_revert():
            return False
        _apply(client, step.wanted)
        self._applied[kind] = step.wanted
        what = "reverted an external change" if was_ours else "applied" if step.places else "created"
        log.info("%s: %s%s", what, kind, f", at {listed(step.places)}" if step.places else "")
        return True

    def _may_revert(self) -> bool:
        """A change that is repeated again and again is reverted once a minute: two programs must not fight."""
        now = self._clock()
        self._reverted = [then for then in self._reverted if now - then < _REVERTS_WITHIN]
        is_fight = len(self._reverted) >= _MOST_REVERTS
        self._problems.report("external changes", _FIGHT if is_fight else None)
        if is_fight and now - self._reverted[-1] < _PAUSE:
            return False
        self._reverted.append(now)
        return True


def _apply(client: Client, wanted: dict[str, Any]) -> None:
    """Apply a configuration, then remove from it what others added, which a server-side apply keeps.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
    """
    path = path_of(wanted["kind"], wanted["metadata"]["name"])
    stored = client.apply(path, wanted)
    if differs(wanted, stored):
        metadata = with_metadata(stored, wanted["metadata"])
        client.replace(path, {**stored, "metadata": metadata, "webhooks": wanted["webhooks"]})

"""The leader's hand on the webhook configurations: it applies what is planned, and puts back what others change."""

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

_MOST_REVERTS = 20
_REVERTS_WITHIN = 600.0
_PAUSE = 60.0
_PORT = re.compile(r"\S+:\d+->")
"""The end of a connection that is another one each time, so that the same fault reads the same."""

log = logging.getLogger(__name__)


class Reconciler:
    """Keeps the webhook configurations as they must be, one pass at a time."""

    def __init__(self, problems: Problems, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where to tell what is in the way."""
        self._problems = problems
        self._clock = clock
        self._applied: dict[str, dict[str, Any]] = {}
        self._reverted: list[float] = []
        self._has_probe = True

    def is_due(self, live: LiveConfigurations, inputs: plan.ReconcileInputs) -> bool:
        """Say whether the live configurations, all ours, need a step, or a probe may be left over."""
        return self._has_probe or bool(plan.steps(plan.wanted_configurations(inputs, live), live, proven=False))

    def run(self, client: Client, live: LiveConfigurations, inputs: plan.ReconcileInputs) -> bool:
        """Bring the live configurations, all ours, a step nearer to what they must be; raises as `Client`.

        Return whether the next step must wait until all API servers know of this one: one configuration rests on the
        other where they come or go.
        """
        wanted = plan.wanted_configurations(inputs, live)
        steps = plan.steps(wanted, live, proven=False)
        if steps == [plan.Prove()] and not self._proves(client, inputs):
            for configuration in plan.trusting(wanted, live, inputs):
                self._apply_configuration(configuration, client)
            return False
        if steps == [plan.Prove()]:
            steps = plan.steps(wanted, live, proven=True)
        elif self._has_probe:
            client.delete(path_of(VALIDATING, PROBE_NAME))
            self._has_probe = False
        for step in steps:
            self._take(step, client)
        return bool(steps) and (len(live) < len(KINDS) or isinstance(steps[0], plan.Delete))

    def _proves(self, client: Client, inputs: plan.ReconcileInputs) -> bool:
        """Register the probe and create its object: it is denied, in our words, once the API server reaches us."""
        wanted = plan.wanted_probe(inputs)
        if differs(wanted, client.get(path_of(VALIDATING, PROBE_NAME))):
            self._has_probe = True
            _apply(client, wanted)
        namespace = inputs.installation.namespace
        try:
            client.create(leases_of(namespace), probe_object(namespace), dry_run=True)
        except ApiError as error:
            answered = ANSWER in str(error)
            why = _PORT.sub("", str(error))
            self._problems.report("the way from the API server to us", None if answered else why)
            return answered
        return False

    def _take(self, step: plan.Step, client: Client) -> None:
        if isinstance(step, plan.Delete):
            client.delete(path_of(step.kind))
            log.info("deleted the %s: the settings switch the webhook configurations off", step.kind)
        elif isinstance(step, plan.Apply):
            self._apply_configuration(step, client)

    def _apply_configuration(self, step: plan.Apply, client: Client) -> None:
        kind = step.wanted["kind"]
        was_ours = self._applied.get(kind) == step.wanted
        if was_ours and not self._may_revert():
            return
        _apply(client, step.wanted)
        self._applied[kind] = step.wanted
        where = f": it differed at {listed(step.places)}" if step.places else ", which was not there"
        log.info("%s the %s%s", "reverted" if was_ours else "applied", kind, where)

    def _may_revert(self) -> bool:
        """Where somebody changes it again and again, it is reverted once a minute: two programs must not fight."""
        now = self._clock()
        self._reverted = [then for then in self._reverted if now - then < _REVERTS_WITHIN]
        is_fight = len(self._reverted) >= _MOST_REVERTS
        why = "somebody changes them again and again; they are reverted once a minute" if is_fight else None
        self._problems.report("changes of the webhook configurations", why)
        if is_fight and now - self._reverted[-1] < _PAUSE:
            return False
        self._reverted.append(now)
        return True


def _apply(client: Client, wanted: dict[str, Any]) -> None:
    """Apply a configuration, then take out of it what others added, which a server-side apply leaves there.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
    """
    path = path_of(wanted["kind"], wanted["metadata"]["name"])
    stored = client.apply(path, wanted)
    if differs(wanted, stored):
        metadata = with_metadata(stored, wanted["metadata"])
        client.replace(path, {**stored, "metadata": metadata, "webhooks": wanted["webhooks"]})

"""Each replica reconciles in a thread of its own, every two seconds and on changes.

Each replica reads the webhook configurations and its source of certificates, and hands both to `certs.Serving`; the
leader then writes what is due. A reconcile that fails is repeated, and no request waits for one.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from certs import Serving, union
from webhook.cluster import Cluster, Undecidable
from webhook.cluster.api import Client
from webhook.cluster.live import LiveCluster
from webhook.controller import plan, reconciler
from webhook.controller.certificate_sources import SUBJECT, source_of
from webhook.controller.late_pvcs import LatePvcs
from webhook.controller.leader_election import LeaderElector
from webhook.controller.live_configurations import KINDS, LiveConfigurations, bundles_of, holder_of, read_configurations
from webhook.controller.owned import Owner, read_owner
from webhook.controller.problems import Problems
from webhook.engine import namespace_of_kubevirt
from webhook.installation import Installation, Replica
from webhook.names import CONFIGURATION
from webhook.settings import Settings

BURST_SECONDS = 0.2
"""Events within this time cause one reconcile."""
_DEADLINE = 10.0
_LONGEST = 5.0
_RELEASE_SECONDS = 3.0
_RECONCILE, _FOREIGN, _OWNER = "controller", "webhook configurations", "owner"
"""Subjects of problems."""

log = logging.getLogger(__name__)


class Controller:
    """The thread of one replica."""

    def __init__(
        self,
        installation: Installation,
        replica: Replica,
        cluster: LiveCluster,
        settings: Callable[[], Settings],
        serving: Serving,
    ) -> None:
        """Act for one replica of an installation, from `start` to `stop`."""
        self._installation, self._replica = installation, replica
        self._cluster, self._settings, self._serving = cluster, settings, serving
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._problems = Problems()
        self._source = source_of(installation, replica, self._problems)
        me = f"{replica.name}_{uuid.uuid4()}"
        self._leader_elector = LeaderElector(installation.namespace, installation.lease, me)
        self._reconciler = reconciler.Reconciler(self._problems)
        self._late_pvcs = LatePvcs()
        self._has_read = False
        for resource in (*KINDS.values(), *self._source.watched):
            cluster.watch(resource, self._woken.set)

    def start(self) -> None:
        """Begin; must be called in the process that serves."""
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin to stop, and release the leadership."""
        self._stopping.set()
        self._woken.set()

    def close(self) -> None:
        """Stop; returns when the leadership is released, or after a few seconds."""
        self.stop()
        if self._thread:
            self._thread.join(_RELEASE_SECONDS)

    def unready(self) -> dict[str, str]:
        """Return why API servers should not call this replica, by subject; empty if it is ready."""
        found = {}
        if not self._has_read:
            found[_RECONCILE] = self._problems.of(_RECONCILE) or "the webhook configurations have not been read yet"
        if problem := self._problems.of(_FOREIGN):
            found[_FOREIGN] = problem
        if problem := self._serving.why_not():
            found[SUBJECT] = "; ".join(filter(None, (problem, self._problems.of(SUBJECT))))
        return found

    def gauges(self) -> dict[str, float]:
        """Return values for Prometheus by the names of their metrics."""
        leaf = self._serving.current()
        expiry = leaf.parsed()[0].not_valid_after_utc if leaf else None
        return {
            "migratability_leader_election_master_status": float(self._leader_elector.is_leader),
            "migratability_certificate_expiry_timestamp_seconds": expiry.timestamp() if expiry else 0.0,
        }

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            pause = None
            try:
                pause = self._reconcile()
                self._problems.report(_RECONCILE, None)
            except Undecidable as error:
                self._problems.report(_RECONCILE, str(error))
            except Exception as error:
                why = f"unexpected error, see the log: {error!r}"
                if why != self._problems.of(_RECONCILE):
                    log.exception("unexpected error in a reconcile")
                self._problems.report(_RECONCILE, why)
            self._stopping.wait(BURST_SECONDS if pause is None else pause)
            if pause is None:
                self._woken.wait(reconciler.RECONCILE_SECONDS - BURST_SECONDS)
        try:
            self._leader_elector.release(self._cluster.api.within(_RELEASE_SECONDS))
        except Undecidable as error:
            log.warning("cannot release leadership, which expires in a few seconds: %s", error)

    def _reconcile(self) -> float | None:
        """Return how long to pause in any case; None where nothing was due, so that an event ends the pause.

        A replica that cannot be elected still serves, so it observes first.
        """
        self._leader_elector.log_change()
        found = self._observe(self._cluster.within(_LONGEST))
        client = self._cluster.api.within(_DEADLINE, longest=_LONGEST)
        if not self._leader_elector.may_be_leader(client):
            return None
        role = self._installation.owner
        owner = read_owner(client, role)
        missing = f"ClusterRole {role} does not exist; nothing can be created without this owner"
        self._problems.report(_OWNER, None if owner else missing)
        if owner is None or not self._leader_elector.run(client, owner):
            return None
        until = self._leader_elector.until
        return self._reconcile_as_leader(self._cluster.api.until(until, longest=_LONGEST), owner, found)

    def _observe(self, cluster: Cluster) -> LiveConfigurations:
        """Choose the certificate to serve; return those of the webhook configurations that are ours."""
        found, now = read_configurations(cluster), self._cluster.api.now()
        foreign = {kind: holder for kind, live in found.items() if (holder := holder_of(live, self._installation))}
        self._problems.report(_FOREIGN, self._problem_of(foreign))
        ours = {kind: live for kind, live in found.items() if kind not in foreign}
        if leaf := self._source.refresh(cluster, now):
            self._serving.offer(leaf)
        self._serving.observe(bundles_of(ours), now)
        self._has_read = True
        return ours

    def _problem_of(self, foreign: dict[str, str]) -> str | None:
        if not foreign or self._settings().webhook_configurations == "off":
            return None
        held = "; ".join(f"{kind} {CONFIGURATION} is not ours, {holder}" for kind, holder in foreign.items())
        return f"{held}; uninstall one of the two installations, or delete it if it is left over"

    def _reconcile_as_leader(self, client: Client, owner: Owner, live: LiveConfigurations) -> float | None:
        """Take the steps that are due, and return how long to pause before the next.

        A watch may be stale: where it shows that something is due, the API server is read before a write.
        """
        settings, pause = self._settings(), None
        if self._is_due(owner, live, settings):
            live = self._observe(self._cluster.within(_LONGEST, confirm=True))
            if write := self._source.due(owner, bundles_of(live), self._cluster.api.now()):
                write(client)
                pause = reconciler.PROBE_SECONDS
            if self._may_configure():
                path = f"/api/v1/namespaces/{self._installation.namespace}/pods"
                pods = client.list(path, {"labelSelector": self._installation.pods})
                inputs = self._inputs(owner, live, settings, plan.versions_of(pods, self._replica.name))
                pause = self._reconciler.run(client, live, inputs) or pause
        if self._may_configure():
            self._late_pvcs.run(client, self._cluster, settings)
        return pause

    def _is_due(self, owner: Owner, live: LiveConfigurations, settings: Settings) -> bool:
        if self._source.due(owner, bundles_of(live), self._cluster.api.now()):
            return True
        return self._may_configure() and self._reconciler.is_due(live, self._inputs(owner, live, settings))

    def _may_configure(self) -> bool:
        """Another installation's configurations are never changed, and without a CA nobody could trust us."""
        return not self._problems.of(_FOREIGN) and bool(self._source.bundle(self._cluster.api.now()))

    def _inputs(
        self, owner: Owner, live: LiveConfigurations, settings: Settings, versions: frozenset[str] = frozenset()
    ) -> plan.ReconcileInputs:
        now = self._cluster.api.now()
        return plan.ReconcileInputs(
            installation=self._installation,
            settings=settings,
            owner=owner,
            kubevirt=namespace_of_kubevirt(self._cluster.within(_LONGEST), settings),
            bundle=union(*bundles_of(live), self._source.bundle(now), now=now),
            versions=versions,
        )

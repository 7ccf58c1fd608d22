"""What each replica does beside answering: it reconciles, in a thread of its own, every two seconds and on a change.

Each replica reads the webhook configurations and where the certificate comes from, and reports both to `certs.Serving`;
the leader then does what is due about them. A reconcile that fails is repeated, and no request waits for one.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from certs import CertificateError, Serving, union
from webhook.cluster import Cluster, Undecidable
from webhook.cluster.api import Client
from webhook.cluster.live import LiveCluster
from webhook.controller import plan
from webhook.controller.installation import Installation, Replica
from webhook.controller.late_pvcs import LatePvcs
from webhook.controller.lease import Elector
from webhook.controller.owned import Owner, read_owner
from webhook.controller.registered import KINDS, Registered, bundles_of, holder_of, read_registered
from webhook.controller.registrar import Registrar
from webhook.controller.sources import source_of
from webhook.controller.troubles import Troubles
from webhook.engine import namespace_of_kubevirt
from webhook.names import CONFIGURATION
from webhook.settings import Settings

RECONCILE_SECONDS = 2.0
"""Between two reconciles without an event: the leader renews its Lease, as client-go's, and certificates age."""
PROBE_SECONDS = 0.5
"""After a probe that was not answered, and after any other write."""
BURST_SECONDS = 0.2
"""Within which the events of several changes are answered by one reconcile."""
_DEADLINE = 10.0
_LONGEST = 5.0
_RELEASE_SECONDS = 3.0
_RECONCILE, _FOREIGN, _OWNER = "controller", "registrations", "owner"
"""Subjects of problems."""

log = logging.getLogger(__name__)


class Controller:
    """One replica's thread."""

    def __init__(
        self,
        installation: Installation,
        replica: Replica,
        cluster: LiveCluster,
        settings: Callable[[], Settings],
        serving: Serving,
    ) -> None:
        """Act for one replica of an installation, from `start` to `stop`."""
        self._installation = installation
        self._replica = replica
        self._cluster = cluster
        self._settings = settings
        self._serving = serving
        self._stopping, self._ended, self._woken = threading.Event(), threading.Event(), threading.Event()
        self._troubles = Troubles()
        self._source = source_of(installation, replica, self._troubles)
        self._elector = Elector(installation.namespace, installation.lease, f"{replica.name}_{uuid.uuid4()}")
        self._registrar = Registrar(self._troubles)
        self._late_pvcs = LatePvcs()
        self._has_looked = False
        self._has_begun = False
        for resource in (*KINDS.values(), *self._source.watched):
            cluster.watch(resource, self._woken.set)

    def start(self) -> None:
        """Begin; must be called in the process that serves."""
        self._has_begun = True
        threading.Thread(target=self._run, name="controller", daemon=True).start()

    def stop(self) -> None:
        """Begin to end, giving the leadership back."""
        self._stopping.set()
        self._woken.set()

    def close(self) -> None:
        """End; returns when the leadership is given back, or after a few seconds."""
        self.stop()
        if self._has_begun:
            self._ended.wait(_RELEASE_SECONDS)

    def unready(self) -> dict[str, str]:
        """Return what keeps API servers from calling this replica, by subject; empty where nothing does."""
        found = {}
        if not self._has_looked:
            found[_RECONCILE] = self._troubles.of(_RECONCILE) or "what is registered was not read yet"
        if why := self._troubles.of(_FOREIGN):
            found[_FOREIGN] = why
        if why := self._serving.why_not():
            found["certificate"] = "; ".join(filter(None, (why, self._troubles.of("certificates"))))
        return found

    def gauges(self) -> dict[str, float]:
        """Return figures for Prometheus by the names of their metrics."""
        return {
            "migratability_leader": float(self._elector.leads),
            "migratability_certificate_expiry_timestamp_seconds": self._expiry(),
        }

    def _expiry(self) -> float:
        leaf = self._serving.current()
        try:
            return leaf.parsed()[0].not_valid_after_utc.timestamp() if leaf else 0.0
        except CertificateError:
            return 0.0

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            pause = None
            try:
                pause = self._reconcile()
                self._troubles.tell(_RECONCILE, None)
            except Undecidable as error:
                self._troubles.tell(_RECONCILE, str(error))
            except Exception as error:
                why = f"unexpected error, see the log: {error!r}"
                if why != self._troubles.of(_RECONCILE):
                    log.exception("unexpected error in a reconcile")
                self._troubles.tell(_RECONCILE, why)
            self._await_next(pause)
        self._release()

    def _await_next(self, pause: float | None) -> None:
        if pause is not None:
            self._stopping.wait(pause)
        else:
            self._stopping.wait(BURST_SECONDS)
            self._woken.wait(RECONCILE_SECONDS - BURST_SECONDS)

    def _reconcile(self) -> float | None:
        """Return how long to pause whatever happens; None where nothing was due, so that the next event matters.

        A replica that cannot be elected still serves, so that comes first.
        """
        found = self._observe(self._cluster.within(_LONGEST))
        client = self._cluster.api.within(_DEADLINE, longest=_LONGEST)
        if not self._elector.may_lead(client):
            return None
        owner = read_owner(client, self._installation.owner)
        missing = f"ClusterRole {self._installation.owner} is not there; nothing is registered without it"
        self._troubles.tell(_OWNER, None if owner else missing)
        if owner is None or not self._elector.claim(client, owner):
            return None
        return self._lead(self._cluster.api.until(self._elector.until, longest=_LONGEST), owner, found)

    def _observe(self, cluster: Cluster) -> Registered:
        """Choose the certificate to serve; return those of the webhook configurations that are ours."""
        found, now = read_registered(cluster), self._cluster.api.now()
        foreign = {kind: holder for kind, live in found.items() if (holder := holder_of(live, self._installation))}
        self._troubles.tell(_FOREIGN, self._told_of(foreign))
        ours = {kind: live for kind, live in found.items() if kind not in foreign}
        leaf = self._source.refresh(cluster, now)
        if leaf:
            self._serving.offer(leaf)
        self._serving.registered(bundles_of(ours), now)
        self._has_looked = True
        return ours

    def _lead(self, client: Client, owner: Owner, live: Registered) -> float | None:
        """Do what is due, and return how long to pause before the next step.

        A watch may lag behind: where it says that something is due, the API server itself is asked before a write.
        """
        settings, pause = self._settings(), None
        if self._is_due(owner, live, settings):
            pause = PROBE_SECONDS
            live = self._observe(self._cluster.within(_LONGEST, confirm=True))
            if write := self._source.due(owner, bundles_of(live), self._cluster.api.now()):
                write(client)
            if self._may_register():
                situation = self._situation(owner, live, settings, self._versions(client))
                pause = RECONCILE_SECONDS if self._registrar.run(client, live, situation) else pause
        if self._may_register():
            self._late_pvcs.run(client, self._cluster, settings)
        return pause

    def _is_due(self, owner: Owner, live: Registered, settings: Settings) -> bool:
        if self._source.due(owner, bundles_of(live), self._cluster.api.now()):
            return True
        return self._may_register() and self._registrar.is_due(live, self._situation(owner, live, settings))

    def _may_register(self) -> bool:
        """Another installation's configurations are left alone, and without a CA nobody could trust us."""
        return not self._troubles.of(_FOREIGN) and bool(self._source.bundle(self._cluster.api.now()))

    def _situation(
        self, owner: Owner, live: Registered, settings: Settings, versions: frozenset[str] = frozenset()
    ) -> plan.Situation:
        now = self._cluster.api.now()
        return plan.Situation(
            installation=self._installation,
            settings=settings,
            owner=owner,
            kubevirt=namespace_of_kubevirt(self._cluster.within(_LONGEST), settings),
            bundle=union(*bundles_of(live), self._source.bundle(now), now=now),
            versions=versions,
        )

    def _versions(self, client: Client) -> frozenset[str]:
        path = f"/api/v1/namespaces/{self._installation.namespace}/pods"
        return plan.versions_of(client.list(path, {"labelSelector": self._installation.pods}), self._replica.name)

    def _told_of(self, foreign: dict[str, str]) -> str | None:
        if not foreign or self._settings().webhook_configurations == "off":
            return None
        held = "; ".join(f"{kind} {CONFIGURATION} is not ours, {holder}" for kind, holder in foreign.items())
        return f"{held}; uninstall one of the two installations, or delete it if it is left over"

    def _release(self) -> None:
        try:
            self._elector.release(self._cluster.api.within(_RELEASE_SECONDS))
        except Undecidable as error:
            log.warning("the leadership is not given back, another replica takes it in a while: %s", error)
        finally:
            self._ended.set()

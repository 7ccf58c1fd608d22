"""What each replica does beside answering: a pass every two seconds, in a thread of its own.

Every pass reads what is registered and where the certificate comes from, and tells `certs.Serving` both; the pass of
the one that leads then does what is due about them. A pass that fails is made again, and no request waits for one.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime

from certs import CertificateError, Serving, union
from webhook.cluster import Undecidable
from webhook.cluster.live import LiveCluster
from webhook.controller import plan
from webhook.controller.calls import Calls
from webhook.controller.installation import Installation, Replica
from webhook.controller.late_pvcs import LatePvcs
from webhook.controller.lease import Elector
from webhook.controller.owned import Owner, read_owner
from webhook.controller.registered import Registered, bundles_of, holder_of, read_registered
from webhook.controller.registrar import Registrar
from webhook.controller.sources import source_of
from webhook.controller.troubles import Troubles
from webhook.engine import namespace_of_kubevirt
from webhook.names import CONFIGURATION
from webhook.objects import items
from webhook.settings import Settings

PASS_SECONDS = 2.0
PROBE_SECONDS = 0.5
_DEADLINE = 10.0
_GOODBYE = 3.0
_PASS, _FOREIGN, _OWNER = "controller", "registrations", "owner"
"""What troubles are told of."""

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
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._troubles = Troubles()
        self._source = source_of(installation, replica, self._troubles)
        self._elector = Elector(installation.namespace, installation.lease, f"{replica.name}_{uuid.uuid4()}")
        self._registrar = Registrar(self._troubles)
        self._late_pvcs = LatePvcs()
        self._has_looked = False
        self._has_begun = False

    def start(self) -> None:
        """Begin; must be called in the process that serves."""
        self._has_begun = True
        threading.Thread(target=self._run, name="controller", daemon=True).start()

    def stop(self) -> None:
        """Begin to end, giving the leadership back."""
        self._stopping.set()

    def close(self) -> None:
        """End; returns when the leadership is given back, or after a few seconds."""
        self.stop()
        if self._has_begun:
            self._ended.wait(_GOODBYE)

    def unready(self) -> dict[str, str]:
        """Return what keeps API servers from calling this replica, by subject; empty where nothing does."""
        found = {}
        if not self._has_looked:
            found[_PASS] = self._troubles.of(_PASS) or "what is registered was not read yet"
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
            try:
                self._pass()
                self._troubles.tell(_PASS, None)
            except Undecidable as error:
                self._troubles.tell(_PASS, str(error))
            except Exception as error:
                why = f"unexpected error, see the log: {error!r}"
                if why != self._troubles.of(_PASS):
                    log.exception("unexpected error in a pass")
                self._troubles.tell(_PASS, why)
            self._stopping.wait(PROBE_SECONDS if self._registrar.is_waiting else PASS_SECONDS)
        self._say_goodbye()

    def _pass(self) -> None:
        """Whoever cannot be elected must still follow what is registered, so that comes first."""
        calls = Calls(self._cluster.api, time.monotonic() + _DEADLINE)
        found = read_registered(calls)
        now = self._cluster.api.now()
        live = self._look(calls, found, now)
        owner = read_owner(calls, self._installation.owner)
        missing = f"ClusterRole {self._installation.owner} is not there; nothing is registered without it"
        self._troubles.tell(_OWNER, None if owner else missing)
        self._registrar.is_waiting = False
        if owner:
            self._elector.run(calls, owner)
            if self._elector.leads:
                self._lead(Calls(self._cluster.api, self._elector.until), owner, live, now)

    def _look(self, calls: Calls, found: Registered, now: datetime) -> Registered:
        """Read which leaf there is to offer, and tell of it; return those of the registrations that are ours."""
        foreign = {kind: holder for kind, live in found.items() if (holder := holder_of(live, self._installation))}
        self._troubles.tell(_FOREIGN, self._told_of(foreign))
        ours = {kind: live for kind, live in found.items() if kind not in foreign}
        leaf = self._source.refresh(calls, now)
        if leaf:
            self._serving.offer(leaf)
        self._serving.registered(bundles_of(ours), now)
        self._has_looked = True
        return ours

    def _lead(self, calls: Calls, owner: Owner, live: Registered, now: datetime) -> None:
        """Rotate the authority and keep the registrations; another installation's are left alone."""
        registered = bundles_of(live)
        self._source.maintain(calls, owner, registered, now)
        offered = self._source.bundle(now)
        if self._troubles.of(_FOREIGN) or not offered:
            return
        settings = self._settings()
        situation = plan.Situation(
            installation=self._installation,
            settings=settings,
            owner=owner,
            kubevirt=namespace_of_kubevirt(self._cluster.within(_DEADLINE), settings),
            bundle=union(*registered, offered, now=now),
            versions=self._versions(calls),
        )
        self._registrar.run(calls, live, situation)
        self._late_pvcs.run(calls, self._cluster, settings)

    def _versions(self, calls: Calls) -> frozenset[str]:
        pods = calls.get(
            f"/api/v1/namespaces/{self._installation.namespace}/pods", {"labelSelector": self._installation.pods}
        )
        return plan.versions_of(items(pods and pods.get("items")), self._replica.name)

    def _told_of(self, foreign: dict[str, str]) -> str | None:
        if not foreign or self._settings().webhook_configurations == "off":
            return None
        held = "; ".join(f"{kind} {CONFIGURATION} is not ours, {holder}" for kind, holder in foreign.items())
        return f"{held}; uninstall one of the two installations, or delete it if it is left over"

    def _say_goodbye(self) -> None:
        try:
            self._elector.release(Calls(self._cluster.api, time.monotonic() + _GOODBYE))
        except Undecidable as error:
            log.warning("the leadership is not given back, another replica takes it in a while: %s", error)
        finally:
            self._ended.set()

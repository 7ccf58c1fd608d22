"""Which leaf a replica serves: a new one only when anyone who may call trusts it, whatever its source."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime, timedelta

from cryptography import x509

from certs.bundle import why_no_chain, why_not_usable
from certs.leaf import Leaf
from certs.pem import certificates


class Serving:
    """Holds the leaf in use and the one that was offered to follow it.

    An offered leaf is served when it leads to a certificate that every registered bundle has held for ``trust_delay``,
    for an API server may hear of a new bundle later than we do. Two exceptions lose nothing: where nothing is
    registered nobody calls; and where the leaf in use has ended, or no registered bundle trusts it, or there is none,
    every call fails already. What is registered when the process begins counts as settled, so that a new pod need not
    wait.

    A leaf that no client would accept (key, name, time, purpose) is never begun to be served. ``offer`` and
    ``configured`` are called by anyone who watches the cluster, every few seconds; ``current`` by every handshake, which
    waits for nothing.
    """

    def __init__(self, trust_delay: timedelta, name: str) -> None:
        """Serve under the DNS name that kube-apiserver calls, SERVICE.NAMESPACE.svc."""
        self._trust_delay, self._name = trust_delay, name
        self._lock = threading.Lock()
        self._served: Leaf | None = None
        self._offered: Leaf | None = None
        self._was_trusted = False
        self._held_since: dict[x509.Certificate, datetime] | None = None
        self._not_ready: str | None = "no certificate has been offered yet"
        self._waiting: str | None = None

    def offer(self, leaf: Leaf) -> None:
        """Take a leaf to serve once that is safe, which the next call of ``configured`` decides."""
        with self._lock:
            self._offered = leaf

    def observe(self, bundles: Collection[bytes], now: datetime) -> None:
        """Decide what to serve from now on, given the bundles of every registered webhook as read from the cluster."""
        with self._lock:
            held = [certificates(bundle) for bundle in bundles]
            trusted_long_enough = self._trusted_long_enough(held, now)
            if self._offered is None:
                return
            self._waiting = None
            if self._offered != self._served:
                self._decide(self._offered, held, trusted_long_enough, now)
            self._not_ready = self._why_not_ready(held, now)

    def current(self) -> Leaf | None:
        """Return the leaf to serve; None until there is a usable one."""
        return self._served

    def why_not(self) -> str | None:
        """Return why calls to this replica fail, or None: for its readiness.

        Once its leaf was trusted by all, a replica stays ready while any registered bundle trusts it: a bundle that
        somebody invalid is put right sooner than a replica comes back into its Service.
        """
        return self._not_ready

    def waiting(self) -> str | None:
        """Return why the offered leaf is not served yet, or None."""
        return self._waiting

    def _trusted_long_enough(self, held: _Held, now: datetime) -> list[x509.Certificate]:
        """Return what every bundle has held for long enough; a clock that was set back starts the count again."""
        common = [certificate for certificate in held[0] if all(certificate in each for each in held)] if held else []
        if self._held_since is None:
            self._held_since = dict.fromkeys(common, now - self._trust_delay)
        self._held_since = {each: min(self._held_since.get(each, now), now) for each in common}
        return [each for each, since in self._held_since.items() if now - since >= self._trust_delay]

    def _decide(self, offered: Leaf, held: _Held, trusted_long_enough: list[x509.Certificate], now: datetime) -> None:
        unusable = why_not_usable(offered, self._name, now)
        self._waiting = unusable or self._why_not_yet(offered, held, trusted_long_enough, now)
        if self._waiting is None or (not unusable and not self._is_of_use(held, now)):
            self._served, self._was_trusted, self._waiting = offered, self._waiting is None, None

    def _why_not_yet(
        self, offered: Leaf, held: _Held, trusted_long_enough: list[x509.Certificate], now: datetime
    ) -> str | None:
        if not held or why_no_chain(trusted_long_enough, offered, self._name, now) is None:
            return None
        reasons = self._complaints(offered, held, now)
        return reasons[0] if reasons else "every registered webhook trusts it, but not for long enough yet"

    def _is_of_use(self, held: _Held, now: datetime) -> bool:
        """Tell whether any client accepts what is served."""
        if self._served is None or why_not_usable(self._served, self._name, now):
            return False
        return not held or len(self._complaints(self._served, held, now)) < len(held)

    def _why_not_ready(self, held: _Held, now: datetime) -> str | None:
        if self._served is None:
            return self._waiting
        if reason := why_not_usable(self._served, self._name, now):
            return reason
        reasons = self._complaints(self._served, held, now)
        self._was_trusted |= not reasons
        return None if self._was_trusted and (not held or len(reasons) < len(held)) else reasons[0]

    def _complaints(self, leaf: Leaf, held: _Held, now: datetime) -> list[str]:
        reasons = (why_no_chain(bundle, leaf, self._name, now) for bundle in held)
        return [f"a registered webhook does not trust it: {reason}" for reason in reasons if reason]


_Held = list[list[x509.Certificate]]

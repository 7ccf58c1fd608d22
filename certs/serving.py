"""Which leaf a replica serves: a new one only when all clients trust it, whatever its source."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime, timedelta

from cryptography import x509

from certs.bundle import why_no_chain, why_not_usable
from certs.leaf import Leaf
from certs.pem import certificates


class Serving:
    """Holds the leaf in use, and the one that was offered to follow it.

    An offered leaf is served when it has a chain to a certificate that the caBundle of every webhook has held for the
    ``trust_delay``, since an API server may see a new caBundle later than we do. There are two exceptions. Without
    webhook configurations nobody calls. Without a leaf in use, or where it has expired or no webhook trusts it, every
    call fails already. A certificate that every caBundle holds when the process starts counts as trusted long enough,
    so that a new pod does not wait.

    A leaf that no client would accept (key, name, time, purpose) never replaces another. The watcher of the cluster
    calls ``offer`` and ``observe`` every few seconds; every handshake calls ``current``, which never waits.
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

    def offer(self, leaf: Leaf) -> None:
        """Take a leaf to serve once that is safe, which the next call of ``observe`` decides."""
        with self._lock:
            self._offered = leaf

    def observe(self, bundles: Collection[bytes], now: datetime) -> None:
        """Decide what to serve from now on, given the caBundle of every webhook as read from the cluster."""
        with self._lock:
            held = [certificates(bundle) for bundle in bundles]
            trusted_long_enough = self._trusted_long_enough(held, now)
            if self._offered is None:
                return
            unusable = why_not_usable(self._offered, self._name, now)
            if self._offered != self._served and not unusable:
                is_safe = not held or why_no_chain(trusted_long_enough, self._offered, self._name, now) is None
                if is_safe or not self._is_of_use(held, now):
                    self._served, self._was_trusted = self._offered, is_safe
            self._not_ready = self._why_not_ready(self._served, held, now) if self._served else unusable

    def current(self) -> Leaf | None:
        """Return the leaf to serve; None until there is a usable one."""
        return self._served

    def why_not(self) -> str | None:
        """Return why calls to this replica fail, or None: for its readiness.

        Once all webhooks have trusted its leaf, a replica stays ready while one of them does: an invalid caBundle is
        reverted sooner than an unready replica returns into its Service.
        """
        return self._not_ready

    def _trusted_long_enough(self, held: _Held, now: datetime) -> list[x509.Certificate]:
        """What every bundle has held for the trust delay; a clock that goes back restarts the count."""
        common = [certificate for certificate in held[0] if all(certificate in each for each in held)] if held else []
        if self._held_since is None:
            self._held_since = dict.fromkeys(common, now - self._trust_delay)
        self._held_since = {each: min(self._held_since.get(each, now), now) for each in common}
        return [each for each, since in self._held_since.items() if now - since >= self._trust_delay]

    def _is_of_use(self, held: _Held, now: datetime) -> bool:
        """Whether any client accepts the leaf in use."""
        if self._served is None or why_not_usable(self._served, self._name, now):
            return False
        return not held or len(self._complaints(self._served, held, now)) < len(held)

    def _why_not_ready(self, served: Leaf, held: _Held, now: datetime) -> str | None:
        if reason := why_not_usable(served, self._name, now):
            return reason
        reasons = self._complaints(served, held, now)
        self._was_trusted |= not reasons
        return None if self._was_trusted and (not held or len(reasons) < len(held)) else reasons[0]

    def _complaints(self, leaf: Leaf, held: _Held, now: datetime) -> list[str]:
        reasons = (why_no_chain(bundle, leaf, self._name, now) for bundle in held)
        return [f"a webhook configuration does not trust it: {reason}" for reason in reasons if reason]


_Held = list[list[x509.Certificate]]

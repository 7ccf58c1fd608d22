"""New TLS connections to the webhook's Service, all the time, verified as an API server verifies them.

An API server keeps its connections open, so writes alone rarely show what a new one would meet.
"""

import base64
import socket
import ssl
import threading
import warnings
from datetime import datetime
from typing import Self

from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import MUTATING, VALIDATING
from tests.localcluster.probes import unverified
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.objects import at, items

SERVER = f"{NAME}.{NAMESPACE}.svc"
"""The name that API servers ask for."""
_EVERY = 0.1
_TIMEOUT = 30.0


class Handshakes:
    """Shakes hands every 100 ms as long as the context lasts.

    Each time with every bundle that a webhook is registered with at that moment: one that was read before the handshake
    and is still there after it. What does not verify is ``failed``.
    """

    def __init__(self, api: Client, address: tuple[str, int]) -> None:
        """Connect to an address of the Service; read the bundles from the API server."""
        self.total = 0
        self.failed: list[str] = []
        self._api, self._address = api, address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="handshakes", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the last one."""
        self._done.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._done.wait(_EVERY):
            try:
                for bundle in configured(self._api):
                    why = self._shake(bundle)
                    self.total += 1
                    if why and bundle in configured(self._api):
                        self.failed.append(f"{datetime.now():%T} {why}")
            except ClusterUnavailable as error:
                self.failed.append(f"{datetime.now():%T} what is registered cannot be read: {error}")

    def _shake(self, bundle: bytes) -> str | None:
        try:
            shake(self._address, ssl.create_default_context(cadata=bundle.decode()))
        except (OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return None


def configured(api: Client) -> set[bytes]:
    """Return the different bundles that API servers trust us by; raises ClusterUnavailable where none is there."""
    webhooks = [webhook for path in (VALIDATING, MUTATING) for webhook in items((api.get(path) or {})["webhooks"])]
    return {base64.b64decode(at(webhook, "clientConfig", "caBundle") or "") for webhook in webhooks}


def shake(address: tuple[str, int], context: ssl.SSLContext) -> bytes:
    """Return the certificate that a new handshake is shown, as DER; raises OSError where it fails."""
    with (
        socket.create_connection(address, timeout=_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=SERVER) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def speaking(newest: ssl.TLSVersion, suites: str = "ALL") -> ssl.SSLContext:
    """Return a client's context that speaks nothing newer than a version of TLS, and of its suites only some."""
    context = unverified()
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
    return context

"""Writes of VMs and new TLS connections to the webhook's Service while a test runs, and what its replicas serve.

API servers keep their connections open, so writes alone rarely show what a new one would meet.
"""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from cryptography import x509

from tests.clusters import PORT
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import MUTATING, VALIDATING
from tests.eventually import eventually
from tests.localcluster.probes import unverified
from tests.writers import Writers, created
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.objects import at, items

SERVER = f"{NAME}.{NAMESPACE}.svc"
"""The name that API servers ask for."""
Served = Mapping[str, x509.Certificate]
"""What each ready replica serves, by its name."""


class Handshakes:
    """Shakes hands every 100 ms with every bundle in the webhook configurations; what does not verify is ``failed``."""

    def __init__(self, api: Client, address: tuple[str, int]) -> None:
        """Connect to an address of the Service; read the bundles from the API server."""
        self.total, self.failed = 0, list[str]()
        self._api, self._address = api, address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="handshakes", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._done.wait(0.1):
            try:
                for bundle in configured(self._api):
                    self.total += 1
                    try:
                        shake(self._address, ssl.create_default_context(cadata=bundle.decode()))
                    except (OSError, ValueError) as error:
                        if bundle in configured(self._api):
                            self.failed.append(f"{datetime.now():%T} {type(error).__name__}: {error}")
            except ClusterUnavailable as error:
                self.failed.append(f"{datetime.now():%T} the webhook configurations cannot be read: {error}")


class Load:
    """Writers and handshakes that go on, and what replicas served meanwhile."""

    def __init__(self, release: Release, writers: Writers, handshakes: Handshakes) -> None:
        """Use what runs."""
        self.writers, self.handshakes = writers, handshakes
        self.ca_names: list[str] = []
        """Of the CAs that signed what was served, in order."""
        self._release = release

    def look(self) -> Served:
        """Return what each ready replica serves, and note who signed it."""
        shown = {name: shake((address, PORT), unverified()) for name, address in self._release.ready_pods.items()}
        served = {name: x509.load_der_x509_certificate(der) for name, der in shown.items()}
        for leaf in served.values():
            if (issuer := leaf.issuer.rfc4514_string()) not in self.ca_names:
                self.ca_names.append(issuer)
        return served

    def await_served(self, what: str, condition: Callable[[Served], bool]) -> None:
        """Return when what the ready replicas serve meets a condition; it is noted all the while."""
        eventually(what, lambda: condition(self.look()), pause=0.25)  # each look is a handshake with every replica

    def __str__(self) -> str:
        shaken = f"{self.handshakes.total:,} handshakes, {len(self.handshakes.failed)} failed"
        return f"{len(self.ca_names)} CAs, {self.writers.tally}; {shaken}"


@contextmanager
def under_load(release: Release) -> Iterator[Load]:
    """Write VMs and shake hands; afterwards nothing may have failed, and no write passed without an evaluation."""
    with Writers(release.cluster, created) as writers, Handshakes(release.api, release.address) as handshakes:
        load = Load(release, writers, handshakes)
        try:
            load.look()
            yield load
            writers.go_on(50)
        finally:
            load.look()
            print(load)
    failed = [*writers.losses, *handshakes.failed]
    assert failed == [], f"{load}: {failed[:3]}"


def issuers(served: Served) -> set[x509.Name]:
    """Return the names of the CAs that signed what is served."""
    return {leaf.issuer for leaf in served.values()}


def configured(api: Client) -> set[bytes]:
    """Return the different bundles in the webhook configurations; raises ClusterUnavailable where none is there."""
    webhooks = [webhook for path in (VALIDATING, MUTATING) for webhook in items((api.get(path) or {})["webhooks"])]
    return {base64.b64decode(at(webhook, "clientConfig", "caBundle") or "") for webhook in webhooks}


def shake(address: tuple[str, int], context: ssl.SSLContext) -> bytes:
    """Return the certificate that a new handshake is shown, as DER; raises OSError where it fails."""
    with (
        socket.create_connection(address, timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=SERVER) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    return shown

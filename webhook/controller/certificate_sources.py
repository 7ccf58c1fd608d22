"""Where a replica's certificate comes from: the self-signed CA in a Secret, or files of another issuer."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Protocol

from certs import CertificateError, Files, Leaf, Stored, renewed, rotate, service_names
from webhook.cluster import Cluster
from webhook.cluster.api import CONFLICT, MANAGER, ApiError, Client
from webhook.cluster.resources import Resource, single
from webhook.controller.differences import differs
from webhook.controller.owned import MANAGED_BY, Owner, metadata, with_metadata
from webhook.controller.problems import Problems
from webhook.installation import Installation, Replica
from webhook.objects import Object, at, string_map

SUBJECT = "certificates"
"""The subject of a source's problems."""

log = logging.getLogger(__name__)

Write = Callable[[Client], None]


class Source(Protocol):
    """Provides a replica's leaf, and the CAs that the webhook configurations must trust."""

    @property
    def watched(self) -> Collection[Resource[Object]]:
        """The objects that it reads."""

    def refresh(self, cluster: Cluster, now: datetime) -> Leaf | None:
        """Return the leaf that this replica must offer, None while there is none; raises as `Cluster.get`."""

    def due(self, owner: Owner, configured: Collection[bytes], now: datetime) -> Write | None:
        """Return the write that is due by the leader, given the bundles of the webhook configurations, or None."""

    def bundle(self, now: datetime) -> bytes:
        """Return the CAs that the webhook configurations must trust, PEM; empty while they are not known."""


def source_of(installation: Installation, replica: Replica, problems: Problems) -> Source:
    """Return the source that an installation names."""
    certificates = installation.certificates
    if certificates.source == "files":
        files = map(Path, (certificates.cert_file, certificates.key_file, certificates.ca_file))
        return FileSource(Files(*files), problems)
    return SecretSource(installation, replica, problems)


class FileSource:
    """Files of cert-manager or of OpenShift's service CA."""

    watched: Collection[Resource[Object]] = ()

    def __init__(self, files: Files, problems: Problems) -> None:
        """Take the files, and where to report problems with them."""
        self._files = files
        self._problems = problems
        self._bundle = b""

    def refresh(self, cluster: Cluster, now: datetime) -> Leaf | None:
        """As `Source.refresh`."""
        offer = self._files.current()
        self._problems.report(SUBJECT, self._files.why_not())
        self._bundle = offer.bundle if offer else b""
        return offer.leaf if offer else None

    def due(self, owner: Owner, configured: Collection[bytes], now: datetime) -> None:
        """As `Source.due`: never, since their issuer renews them."""

    def bundle(self, now: datetime) -> bytes:
        """As `Source.bundle`."""
        return self._bundle


class SecretSource:
    """The self-signed CA, which the leader keeps in a Secret, and the leaf that this replica signs with it.

    Every replica remembers the last valid content, so that a deleted or invalid Secret does no harm.
    """

    def __init__(self, installation: Installation, replica: Replica, problems: Problems) -> None:
        """Take the installation, the replica to sign for, and where to report problems with the Secret."""
        self._name, self._namespace = installation.certificates.secret, installation.namespace
        self._where = f"Secret {self._namespace}/{self._name}"
        self._names = service_names(installation.service.name, installation.namespace, replica.address)
        self._lifetimes = installation.certificates.lifetimes()
        self._problems = problems
        self._secret = single("Secret", "", "v1", self._name, self._namespace)
        self.watched: Collection[Resource[Object]] = (self._secret,)
        self._live: Object | None = None
        self._stored: Stored | None = None
        self._leaf: Leaf | None = None

    def refresh(self, cluster: Cluster, now: datetime) -> Leaf | None:
        """As `Source.refresh`: read the Secret, and sign a leaf where one is due."""
        self._live = cluster.get(self._secret, self._name, self._namespace)
        try:
            self._stored = stored_in(self._live) if self._live else self._stored
            missing = f"{self._where} does not exist yet; the leader creates it"
            self._problems.report(SUBJECT, None if self._live else missing)
        except CertificateError as error:
            remedy = "; the webhook did not create it: delete it, and the leader creates a new one"
            why = f"{self._where} is not used: {error}{remedy if self._live and is_foreign(self._live) else ''}"
            self._problems.report(SUBJECT, why)
        if self._stored:
            self._leaf = renewed(self._leaf, self._stored, self._names, now, self._lifetimes)
        return self._leaf

    def due(self, owner: Owner, configured: Collection[bytes], now: datetime) -> Write | None:
        """As `Source.due`: rotate the CA, and write the Secret where it is not as it must be."""
        if self._live and is_foreign(self._live):
            return None
        stored = rotate(self._stored, configured, now, self._lifetimes)
        data = {key: base64.b64encode(value).decode() for key, value in stored.to_data().items()}
        owned = metadata(self._name, owner, self._namespace)
        wanted = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": owned, "data": data}
        if self._live and not differs(wanted, self._live):
            return None
        return lambda client: self._write(client, wanted, stored)

    def bundle(self, now: datetime) -> bytes:
        """As `Source.bundle`."""
        return self._stored.bundle(now) if self._stored else b""

    def _write(self, client: Client, wanted: Object, stored: Stored) -> None:
        """Where another program wrote the Secret meanwhile, the next reconcile reads that."""
        try:
            if self._live is None:
                self._live = client.create(self._secret.path, wanted)
            else:
                updated = {**self._live, **wanted, "metadata": with_metadata(self._live, wanted["metadata"])}
                self._live = client.replace(self._secret.path_of(self._name, self._namespace), updated)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            return
        if stored != self._stored:
            log.info("%s: %s", self._where, _reported(self._stored, stored))
        self._stored = stored
        self._problems.report(SUBJECT, None)


def stored_in(secret: Object) -> Stored:
    """Return the content of our Secret; raises CertificateError where it is invalid."""
    try:
        data = {key: base64.b64decode(value) for key, value in string_map(secret.get("data")).items()}
    except binascii.Error as error:
        raise CertificateError("its data is not base64") from error
    return Stored.from_data(data)


def is_foreign(secret: Object) -> bool:
    """Return whether a Secret with our name is not ours: it does not have our label, and its content is not valid."""
    if at(secret, "metadata", "labels", MANAGED_BY) == MANAGER:
        return False
    try:
        stored_in(secret)
    except CertificateError:
        return True
    return False


def _reported(before: Stored | None, after: Stored) -> str:
    if before is None:
        return "created a new CA"
    if after.signing != before.signing:
        return "the new CA signs from now on; the old one stays trusted until it expires"
    if after.next != before.next:
        return "created a new CA, which must be trusted before it signs"
    return "updated"

"""Finding the API server that a command asks."""

from __future__ import annotations

from webhook.cli.errors import UsageError
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Api


def connected(otherwise: str = "") -> Api:
    """Return the API server of the pod's service account, or of the kubeconfig.

    Raises UsageError, which says what to do ``otherwise``.
    """
    try:
        return Api.connect()
    except ClusterUnavailable as error:
        raise UsageError(f"{error}; name a kubeconfig in KUBECONFIG{otherwise}") from error

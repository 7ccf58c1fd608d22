"""What several commands read: settings and the API server."""

from __future__ import annotations

from pathlib import Path

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Api
from webhook.policy.rules import unknown_rules
from webhook.settings import Settings

BAD_INPUT = 2


class UsageError(ValueError):
    """The command cannot do what it was asked; the message says what to correct."""


def settings_from(path: Path | None) -> tuple[Settings, list[str]]:
    """Return the settings of a file, or the defaults, and a remark on each unknown rule; raises SettingsError."""
    settings = Settings.load(path) if path else Settings()
    return settings, [f"{path}: {remark}" for remark in unknown_rules(settings)]


def connected(otherwise: str = "") -> Api:
    """Return the API server of the pod's service account, or of the kubeconfig.

    Raises UsageError, which says what to do ``otherwise``.
    """
    try:
        return Api.connect()
    except ClusterUnavailable as error:
        raise UsageError(f"{error}; name a kubeconfig in KUBECONFIG{otherwise}") from error

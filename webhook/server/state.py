"""What one serving process knows: the cluster and the settings in force."""

from __future__ import annotations

import logging
from pathlib import Path

from webhook.cluster import Cluster, Snapshot
from webhook.cluster.live import LiveCluster
from webhook.controller.loop import Controller
from webhook.policy.rules import unknown_rules
from webhook.settings import Settings, SettingsError

log = logging.getLogger(__name__)


class SettingsFile:
    """Settings that follow their file: after an edit of the ConfigMap, the next request uses the new ones."""

    def __init__(self, path: Path | None, *, default: Settings | None = None) -> None:
        """Read the file; without a path the defaults are in force.

        While a file is invalid from the start, ``default`` is in force; without it, raises SettingsError.
        """
        self._path = path
        self._seen = self._signature()
        self._is_valid = True
        try:
            self._settings = self._load()
        except SettingsError as error:
            if default is None:
                raise
            log.error("invalid settings ignored, using the defaults: %s", error)
            self._settings, self._is_valid = default, False

    def current(self) -> Settings:
        """Return the settings in the file now; while they are invalid, the last valid ones, with a log line."""
        signature = self._signature()
        if self._path and signature != self._seen:
            self._seen = signature
            try:
                self._settings, self._is_valid = self._load(), True
                log.info("settings reloaded: mode %s", self._settings.mode)
            except SettingsError as error:
                self._is_valid = False
                log.error("invalid settings ignored, keeping the previous ones: %s", error)
        return self._settings

    def gauges(self) -> dict[str, float]:
        """Return for Prometheus whether the file's settings are those in force."""
        self.current()
        return {"migratability_config_last_reload_successful": float(self._is_valid)}

    def _load(self) -> Settings:
        """Read the settings, and log a warning for each rule that this version does not have."""
        settings = Settings.load(self._path) if self._path else Settings()
        for remark in unknown_rules(settings):
            log.warning("%s: %s", self._path, remark)
        return settings

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size) if found else None


class SnapshotState:
    """State for an embedded snapshot."""

    def __init__(self, cluster: Snapshot, settings: SettingsFile) -> None:
        """Serve this snapshot with these settings."""
        self.cluster: Cluster = cluster
        self.settings, self.gauges = settings.current, settings.gauges

    def unready(self) -> dict[str, str]:
        """A snapshot is ready at once."""
        return {}

    def ages(self) -> dict[str, float]:
        """A snapshot has no caches."""
        return {}


class LiveState:
    """State for the API server."""

    def __init__(self, cluster: LiveCluster, settings: SettingsFile, controller: Controller | None = None) -> None:
        """Serve this cluster with these settings, as an installed replica where there is a controller."""
        self.cluster: Cluster = cluster
        self.settings = settings.current
        self.ages = cluster.ages
        self._cluster = cluster
        self._settings = settings
        self._controller = controller

    def unready(self) -> dict[str, str]:
        """Return what is not cached yet, and what keeps the API servers from calling this replica."""
        return self._cluster.unready() | (self._controller.unready() if self._controller else {})

    def gauges(self) -> dict[str, float]:
        """Return whether the file's settings are in force, and the controller's gauges."""
        return self._settings.gauges() | (self._controller.gauges() if self._controller else {})

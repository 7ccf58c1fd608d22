"""What one serving process knows: the cluster and the settings now in force."""

from __future__ import annotations

import logging
from pathlib import Path

from webhook.cluster import Cluster, Snapshot
from webhook.cluster.live import LiveCluster
from webhook.controller.loop import Controller
from webhook.settings import Settings, SettingsError

log = logging.getLogger(__name__)


class SettingsFile:
    """Settings that follow their file: edit the ConfigMap, and the next request is evaluated by it."""

    def __init__(self, path: Path | None, *, initial: Settings | None = None) -> None:
        """Read the file, or take the initial settings where there is none.

        Where it cannot be used, ``initial`` is in force until it can; without, raises SettingsError.
        """
        self._path = path
        self._seen = self._signature()
        self._is_usable = True
        try:
            self._settings = Settings.load(path) if path else Settings()
        except SettingsError as error:
            if initial is None:
                raise
            log.error("settings not taken over, the initial ones are in force: %s", error)
            self._settings, self._is_usable = initial, False

    def current(self) -> Settings:
        """Return the settings in the file now; where they cannot be used, the last that could, with a log line."""
        signature = self._signature()
        if self._path and signature != self._seen:
            self._seen = signature
            try:
                self._settings, self._is_usable = Settings.load(self._path), True
                log.info("settings read again: mode %s", self._settings.mode)
            except SettingsError as error:
                self._is_usable = False
                log.error("settings not taken over, the old ones stay in force: %s", error)
        return self._settings

    def gauges(self) -> dict[str, float]:
        """Return for Prometheus whether the settings in the file now are those in force."""
        self.current()
        return {"migratability_settings_valid": float(self._is_usable)}

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
        """A snapshot can be asked at once."""
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
        """What is not cached yet, and what keeps API servers from calling this replica."""
        return self._cluster.unready() | (self._controller.unready() if self._controller else {})

    def gauges(self) -> dict[str, float]:
        """Whether the settings are those of the file, and what the controller counts."""
        return self._settings.gauges() | (self._controller.gauges() if self._controller else {})

"""Whether the settings in force are those of the file is a figure, since the process goes on either way."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from webhook.cluster import Snapshot
from webhook.cluster.live import LiveCluster
from webhook.server.app import State, make_app
from webhook.server.state import LiveState, SettingsFile, SnapshotState
from webhook.settings import Settings


class FakeCluster:
    """A live cluster without caches."""

    def ages(self) -> dict[str, float]:
        """Mirror nothing."""
        return {}


class FakeController:
    """A controller with one figure."""

    def gauges(self) -> dict[str, float]:
        """Lead."""
        return {"migratability_leader": 1.0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings file, with settings in it."""
    path = tmp_path / "settings.yaml"
    path.write_text("mode: warn\n")
    return path


def figures(state: State) -> dict[str, str]:
    """Return what /metrics shows, by metric."""
    text = make_app(state).test_client().get("/metrics").get_data(as_text=True)
    return dict(re.findall(r"^(migratability_(?:settings_valid|leader)) (\S+)$", text, re.MULTILINE))


def valid(settings: SettingsFile) -> str:
    """Return the figure."""
    return figures(SnapshotState(Snapshot(), settings))["migratability_settings_valid"]


def test_it_is_one_while_the_file_can_be_used_or_there_is_none(file: Path) -> None:
    assert valid(SettingsFile(file)) == "1.0"
    assert valid(SettingsFile(None)) == "1.0"


def test_it_is_zero_from_an_edit_that_cannot_be_used_to_one_that_can_though_nobody_asks(file: Path) -> None:
    settings = SettingsFile(file)
    seen = []
    for content in ("mood: deny\n", "mode: [", "mode: deny  # again\n"):
        file.write_text(content)
        seen.append(valid(settings))

    assert seen == ["0.0", "0.0", "1.0"]


def test_it_is_zero_where_the_file_is_taken_away(file: Path) -> None:
    settings = SettingsFile(file)
    file.unlink()

    assert valid(settings) == "0.0"
    assert settings.current().mode == "warn"


def test_it_is_zero_where_a_replica_begins_with_what_cannot_be_used(file: Path) -> None:
    file.write_text("mode: maybe\n")
    settings = SettingsFile(file, initial=Settings())

    assert (valid(settings), settings.current()) == ("0.0", Settings())
    file.write_text("mode: warn\n")
    assert valid(settings) == "1.0"


def test_an_installed_replica_shows_it_beside_what_the_controller_counts(file: Path) -> None:
    fakes: Any = (FakeCluster(), FakeController())
    state = LiveState(cast(LiveCluster, fakes[0]), SettingsFile(file), fakes[1])

    assert figures(state) == {"migratability_settings_valid": "1.0", "migratability_leader": "1.0"}

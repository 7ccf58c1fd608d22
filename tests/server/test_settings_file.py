"""The settings follow their file; while it is invalid the previous ones stay in force, and a gauge shows it."""

import logging
import os
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.admission.client import KUBEVIRT, Webhook
from tests.build import CLUSTER, disk, review, vm
from webhook.cluster import Snapshot
from webhook.cluster.live import LiveCluster
from webhook.server.app import make_app
from webhook.server.state import LiveState, SettingsFile, SnapshotState
from webhook.settings import Settings, SettingsError

GAUGE = "migratability_config_last_reload_successful"
REQUEST = review(vm(disk("once"), evictionStrategy="LiveMigrate"))


class Served:
    def __init__(self, settings: SettingsFile) -> None:
        self.webhook = Webhook()
        self.webhook.client = make_app(SnapshotState(Snapshot((KUBEVIRT, *CLUSTER)), settings)).test_client()

    @property
    def result(self) -> str:
        """What the answer to a VM with a ReadWriteOnce disk is."""
        response = self.webhook.validate(REQUEST)
        return "denied" if not response["allowed"] else "warned" if "warnings" in response else "allowed"

    @property
    def gauge(self) -> float | None:
        return self.webhook.metric(GAUGE)


@pytest.fixture
def file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "webhook.server")
    path = tmp_path / "settings.yaml"
    path.write_text("mode: warn\n")
    return path


def replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of an old one, as kubelet does."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)


def test_next_request_uses_the_edited_settings(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    served = Served(SettingsFile(file))
    seen = [served.result]
    for mode in ("deny", '"off"', "off", "warn"):
        replace(file, f"mode: {mode}\n".encode())
        seen.append(served.result)
    file.write_text("mode: deny  # in place\n")
    seen.append(served.result)
    assert seen == ["warned", "denied", "allowed", "allowed", "warned", "denied"]
    assert caplog.messages[0] == "settings reloaded: mode deny"
    assert served.webhook.metric("migratability_build_info", version=version("migratability-webhook"), mode="deny") == 1


BROKEN = {
    "not YAML": b"mode: [",
    "unknown mode": b"mode: maybe\n",
    "not UTF-8": b"mode: \xff\n",
    "removed": None,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_invalid_settings_are_ignored_keeping_the_previous_ones_and_logged_once(
    content: bytes | None, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served = Served(SettingsFile(file))
    assert served.gauge == 1
    replace(file, content) if content else file.unlink()
    assert [served.gauge, served.result, served.result, served.gauge] == [0, "warned", "warned", 0]
    assert [line.partition(" ones: ")[0] for line in caplog.messages] == [
        "invalid settings ignored, keeping the previous"
    ]
    replace(file, b"mode: deny\n")
    assert [served.gauge, served.result] == [1, "denied"]


def test_unknown_rule_is_logged_once_for_each_content(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    words = "this version has no such rule"
    file.write_text("rules: {of-the-future: deny}\n")
    settings = SettingsFile(file)
    assert [settings.current().mode, settings.current().mode] == ["deny", "deny"]
    replace(file, b"rules: {typo: deny, shared-access: deny}\n")
    assert settings.current() == settings.current()
    assert [(record.levelname, record.message.partition("; ")[0]) for record in caplog.records] == [
        ("WARNING", f"{file}: rules.of-the-future: {words}"),
        ("WARNING", f"{file}: rules.typo: {words}"),
        ("INFO", "settings reloaded: mode deny"),
    ]


def test_replica_without_settings_or_with_invalid_ones_at_its_start_uses_the_defaults(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("mode: maybe\n")
    with pytest.raises(SettingsError):
        SettingsFile(file)
    served = Served(SettingsFile(None))
    assert [served.gauge, served.result] == [1, "denied"]
    served = Served(SettingsFile(file, default=Settings()))
    assert [served.gauge, served.result] == [0, "denied"]
    assert caplog.messages[0].startswith(f"invalid settings ignored, using the defaults: {file}: mode: must be one of")
    replace(file, b"mode: warn\n")
    assert [served.gauge, served.result] == [1, "warned"]


def test_installed_replica_shows_the_gauge_beside_the_controllers(file: Path) -> None:
    leader = "migratability_leader_election_master_status"
    controller: Any = SimpleNamespace(gauges=lambda: {leader: 1.0})
    cluster = cast(LiveCluster, SimpleNamespace(ages=dict))
    text = make_app(LiveState(cluster, SettingsFile(file), controller)).test_client().get("/metrics").text
    assert {f"{GAUGE} 1.0", f"{leader} 1.0"} <= set(text.splitlines())

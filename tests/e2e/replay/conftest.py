"""The recording, made again on a real API server with the webhook installed."""

from typing import NamedTuple

import pytest

from tests.clusters import KUBEVIRTS, Clusters
from tests.e2e.replay.player import Played, Player
from tests.e2e.replay.recording import Recording, shared_traffic
from tests.e2e.replay.world import bare
from tests.localcluster import LocalCluster
from tests.localcluster.installation import Installation, apply


class Replay(NamedTuple):
    """A recording, and what came of each of its writes."""

    recording: Recording
    played: list[Played]


@pytest.fixture(scope="package")
def replay(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """The recording, made again from its first write to its last; skips without it."""
    recording = shared_traffic()
    settings = tmp_path_factory.mktemp("settings") / "settings.yaml"
    settings.write_text("mode: deny\n")
    cluster = clusters.clean(KUBEVIRTS)
    _furnish(cluster, recording)
    with Installation(cluster, ("--config", str(settings))) as installation:
        player = Player(installation, settings)
        return Replay(recording, [player.play(write) for write in recording.writes])


def _furnish(cluster: LocalCluster, recording: Recording) -> None:
    """Create what the recording refers to, and give its users the rights that they had."""
    objects = [bare(obj) for obj in recording.cluster]
    spaces = [obj for obj in objects if obj["kind"] == "Namespace"]
    apply(cluster, spaces)
    apply(cluster, [obj for obj in objects if obj not in spaces])
    users = sorted({f"--user={write.user}" for write in recording.writes})
    cluster.kubectl("create", "clusterrolebinding", "users", "--clusterrole=cluster-admin", *users)

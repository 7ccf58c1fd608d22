"""The recording, made again on a real API server with the webhook installed."""

import pytest

from tests.admission.test_traffic_paths import fixed_objects
from tests.clusters import KUBEVIRTS, Clusters
from tests.e2e.replay.player import Played, Player
from tests.e2e.replay.recording import writes
from tests.e2e.replay.world import bare
from tests.localcluster.installation import Installation, apply


@pytest.fixture(scope="package")
def played(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """What came of each recorded write, made again from the first to the last by users who may do everything."""
    recorded, objects = list(writes()), [bare(obj) for obj in fixed_objects()]
    settings = tmp_path_factory.mktemp("settings") / "settings.yaml"
    settings.write_text("mode: deny\n")
    cluster = clusters.clean(KUBEVIRTS)
    apply(cluster, [obj for obj in objects if obj["kind"] == "Namespace"])
    apply(cluster, [obj for obj in objects if obj["kind"] != "Namespace"])
    users = sorted({f"--user={write.user}" for write in recorded})
    cluster.kubectl("create", "clusterrolebinding", "users", "--clusterrole=cluster-admin", *users)
    with Installation(cluster, ("--config", str(settings))) as installation:
        player = Player(installation, settings)
        return [player.play(write) for write in recorded]

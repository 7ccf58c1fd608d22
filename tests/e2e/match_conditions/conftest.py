"""One API server with our conditions for all tests of what is sent."""

from collections.abc import Iterator

import jsonpatch
import pytest

from tests.clusters import DEFINITIONS, KUBEVIRTS, Clusters
from tests.e2e.match_conditions.counting import CountingWebhook
from tests.e2e.match_conditions.dry_runs import FACTS, POOR, RICH, RICH_VM, DryRuns, await_in_force
from tests.e2e.objects import declared
from tests.e2e.preexisting.api import path_of
from tests.localcluster import crd_folders, crds, shared_crds
from tests.localcluster.installation import apply
from tests.schemas import schema_of
from webhook import evaluate
from webhook.admission.scope import KIND_OF_RESOURCE


@pytest.fixture(scope="package", params=DEFINITIONS)
def dry_runs(
    request: pytest.FixtureRequest, clusters: Clusters, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DryRuns]:
    """The API server, our conditions in force."""
    cluster = clusters.clean(request.param)
    paths = (shared_crds() if request.param == KUBEVIRTS else None) or crd_folders()
    schemas = {found["spec"]["names"]["kind"]: schema_of(found) for found in crds.load(paths)}
    with CountingWebhook(tmp_path_factory.mktemp("counting")) as webhook:
        cluster.kubectl("create", "namespace", "vms")
        found = DryRuns(cluster.client(), webhook, schemas)
        for kind in KIND_OF_RESOURCE.values():
            name = kind.lower()
            made = [declared(kind, RICH, f"{name}-0", vm=RICH_VM), declared(kind, POOR, f"{name}-1")]
            apply(cluster, [jsonpatch.apply_patch(obj, evaluate(obj, FACTS).annotation_patch) for obj in made])
            objects = [found.client.request("GET", path_of(obj)).object() for obj in made]
            for obj in objects:
                obj["metadata"].pop("managedFields")
            found.stored[kind] = objects
        apply(cluster, webhook.configurations())
        await_in_force(found)
        yield found

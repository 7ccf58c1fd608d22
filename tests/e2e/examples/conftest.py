"""The webhook installed on a real API server, with the examples' PVCs and classes in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.localcluster import LocalCluster
from tests.localcluster.installation import Installation
from webhook.cluster.files import read_path

CHECKOUT = Path(__file__).parents[3]
EXAMPLES = CHECKOUT / "examples"
USER = "alice"
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
Object = dict[str, Any]


class Site:
    """The cluster as its users have it: everything goes through kubectl."""

    def __init__(self, installation: Installation) -> None:
        """Use a cluster with the webhook installed."""
        self.installation = installation
        self.cluster = installation.cluster

    def kubectl(self, *arguments: str, stdin: str | None = None, user: str = USER) -> tuple[bool, str]:
        """Return whether a call did what it was asked, and what it printed; a warning is part of that."""
        done = self.cluster.kubectl(*arguments, stdin=stdin, user=user, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def create(self, *objects: Object, user: str = USER) -> tuple[bool, str]:
        """Create objects, one after the other."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("create", "-f", "-", stdin=text, user=user)

    def must_create(self, *objects: Object) -> None:
        """Create objects that are admitted."""
        created, output = self.create(*objects)
        assert created, output

    def patch(self, name: str, patch: object, *options: str, resource: str = "virtualmachine") -> tuple[bool, str]:
        """Patch an object: a mapping is merged, a list is a JSON Patch."""
        kind = "json" if isinstance(patch, list) else "merge"
        what = (f"--type={kind}", f"--patch={json.dumps(patch)}")
        return self.kubectl("patch", resource, name, "-n", "vms", *what, *options)

    def would_store(self, obj: Object) -> Object:
        """Return an object as the API server would store it; it must be admitted."""
        command = ("create", "--dry-run=server", "-o", "json", "-f", "-")
        found: Object = json.loads(self.cluster.kubectl(*command, stdin=json.dumps(obj), user=USER).stdout)
        return found


@pytest.fixture(scope="package", params=DEFINITIONS)
def cluster(request: pytest.FixtureRequest, clusters: Clusters) -> LocalCluster:
    """A control plane with the custom resources and with what the examples rest on."""
    running = clusters.clean(request.param)
    furnish(running, *read_path(EXAMPLES / "cluster"), users=(USER, CONTROLLER))
    return running


@pytest.fixture(scope="package")
def installation(cluster: LocalCluster) -> Iterator[Installation]:
    """The webhook, registered and in force."""
    with Installation(cluster) as running:
        yield running


@pytest.fixture(scope="package")
def site(installation: Installation) -> Site:
    """The cluster as users have it."""
    return Site(installation)

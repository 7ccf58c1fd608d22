"""A cluster with nodes, whose API server shows a client certificate to whoever asks for one; releases of the chart."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e_controller.conftest import prepare
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.clock import Clock
from tests.e2e_rotation.release import PORT, Object, Release
from tests.localcluster import LocalCluster, Nodes, crd_folders
from tests.localcluster.credentials import Authority

MOVED = "moved"
"""The tag of the image whose clock tests move."""


@dataclass(frozen=True)
class Site:
    """What the releases of all tests share."""

    cluster: LocalCluster
    nodes: Nodes
    clients: Authority
    """Signs the certificate that the API server shows when it calls webhooks."""
    clock: Clock

    @contextmanager
    def released(self, values: Object, *, complete: bool = True) -> Iterator[Release]:
        """Give a release; whatever is left of it goes afterwards."""
        release = Release(self.cluster, self.nodes)
        try:
            release.install(values, complete=complete)
            yield release
        finally:
            release.uninstall()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cluster, two nodes, and a namespace for releases."""
    folder = tmp_path_factory.mktemp("site")
    clients, clock = Authority("API servers"), Clock(tmp_path_factory.mktemp("clock"))
    flags = [f"--admission-control-config-file={calling(clients, folder)}"]
    with (
        LocalCluster(crds=crd_folders(), controllers=True, flags=flags) as cluster,
        Nodes(cluster, images={MOVED: clock.image}) as nodes,
    ):
        prepare(cluster)
        cluster.kubectl("create", "namespace", NAMESPACE)
        yield Site(cluster, nodes, clients, clock)


def calling(clients: Authority, folder: Path) -> Path:
    """Return an AdmissionConfiguration by which an API server shows a certificate to our Service."""
    shown = clients.client("kube-apiserver")
    user = {}
    for key, content in (("client-certificate", shown.certificate), ("client-key", shown.key)):
        path = folder / f"{key}.pem"
        path.write_bytes(content)
        path.chmod(0o600)
        user[key] = str(path)
    users = [{"name": f"*.{NAMESPACE}.svc:{PORT}", "user": user}]
    kubeconfig = {"apiVersion": "v1", "kind": "Config", "users": users}
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    version = "apiserver.config.k8s.io/v1"
    configuration = {
        "apiVersion": version,
        "kind": "WebhookAdmissionConfiguration",
        "kubeConfigFile": str(folder / "kubeconfig"),
    }
    plugins = [
        {"name": name, "configuration": configuration}
        for name in ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")
    ]
    path = folder / "admission.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": version, "kind": "AdmissionConfiguration", "plugins": plugins}))
    return path

"""One local cluster for all suites that a worker runs, and each of them finds it clean."""

import base64
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import pytest
import yaml

from tests.build import CLASSES, Object, of_kind
from tests.documentation import ROOT
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.clock import Clock
from tests.localcluster import Image, LocalCluster, Nodes, crd_folders, shared_crds
from tests.localcluster.cleaning import Cleaner
from tests.localcluster.credentials import CA
from tests.localcluster.installation import apply

OURS, KUBEVIRTS, NODES = "our definitions", "KubeVirt's definitions", "nodes"
DEFINITIONS = (OURS, pytest.param(KUBEVIRTS, marks=pytest.mark.cluster))
"""By which definitions of KubeVirt's and CDI's kinds tests run."""
NEXT, MOVED = "0.99.0", "moved"
"""Tags of images: another version of the webhook, and this one by a clock that tests move."""
NEXT_TIMEOUT = 9
"""By which the webhook configurations of the other version differ from ours."""
PORT = 8443
"""Of the chart's Service: one that needs no root."""
_MANY = 400
"""Where more objects than these are left over, another cluster is started in less time."""


class WithNodes(NamedTuple):
    """A cluster whose nodes run pods, and the clock of the image MOVED.

    Its API server shows a client certificate, which `clients` signs, to webhooks that ask for one.
    """

    cluster: LocalCluster
    nodes: Nodes
    clients: CA
    clock: Clock


class Clusters:
    """At most one cluster runs at a time: the one that was asked for last."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet; keep what a cluster needs in an empty folder."""
        self._folder = folder
        self._what = ""
        self._stack = ExitStack()

    def clean(self, definitions: str = OURS) -> LocalCluster:
        """Return a control plane without controllers; skips where the definitions are not at hand."""
        if not self._cleaned(definitions):
            files = crd_folders() if definitions == OURS else shared_crds()
            if files is None:
                pytest.skip("the real definitions of KubeVirt and CDI are not beside this checkout, in ../shared/crds")
            self._cluster = self._stack.enter_context(LocalCluster(crds=files))
            self._started(definitions)
        return self._cluster

    def with_nodes(self) -> WithNodes:
        """Return a control plane with all its controllers and two nodes."""
        if not self._cleaned(NODES):
            clients, clock = CA("API servers"), Clock(self._new_folder())
            flags = [f"--admission-control-config-file={_calling(clients, self._new_folder())}"]
            cluster = self._stack.enter_context(LocalCluster(crds=crd_folders(), controllers=True, flags=flags))
            images = {NEXT: _next_version(self._new_folder()), MOVED: clock.image}
            nodes = self._stack.enter_context(Nodes(cluster, images=images))
            self._cluster, self._with_nodes = cluster, WithNodes(cluster, nodes, clients, clock)
            self._started(NODES)
        return self._with_nodes

    def close(self) -> None:
        """Stop what runs."""
        self._what = ""
        self._stack.close()

    def _cleaned(self, what: str) -> bool:
        """Say whether the cluster runs that is asked for; it is clean then, and else none runs."""
        if self._what == what and self._cleaner.left_over <= _MANY:
            self._cleaner.clean()
            return True
        self.close()
        return False

    def _started(self, what: str) -> None:
        self._what, self._cleaner = what, Cleaner(self._cluster)

    def _new_folder(self) -> Path:
        return Path(mkdtemp(dir=self._folder))


def define(cluster: LocalCluster, group: str, version: str, plural: str, kind: str, scope: str = "Cluster") -> None:
    """Make a kind known whose objects may hold anything; returns when the API server serves it."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
    spec = {"group": group, "names": names, "scope": scope, "versions": versions}
    apply(cluster, [of_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", spec=spec)])
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}")


def furnish(
    cluster: LocalCluster, *objects: Object, users: Iterable[str] = (), kubevirts_namespace: str = "kubevirt"
) -> None:
    """Create the namespaces, the usual classes and further objects; the users may do everything.

    PVCs are given a size, without which an API server takes none.
    """
    for namespace in ("vms", "trident", kubevirts_namespace):
        cluster.kubectl("create", "namespace", namespace)
    classes = [{**found, "metadata": {"name": found["metadata"]["name"]}} for found in CLASSES]
    apply(cluster, [*map(_sized, objects), *classes])
    if users:
        named = [f"--user={user}" for user in users]
        cluster.kubectl("create", "clusterrolebinding", "users", "--clusterrole=cluster-admin", *named)


def _sized(obj: Object) -> Object:
    if obj["kind"] != "PersistentVolumeClaim":
        return obj
    return {**obj, "spec": {"resources": {"requests": {"storage": "1Gi"}}, **obj["spec"]}}


def _next_version(folder: Path) -> Image:
    """A copy of the checkout whose webhook configurations have another timeout."""
    for package in ("webhook", "certs"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    webhook_configurations = folder / "webhook/controller/webhook_configurations.py"
    ours = webhook_configurations.read_text()
    theirs = ours.replace("TIMEOUT_SECONDS = 10", f"TIMEOUT_SECONDS = {NEXT_TIMEOUT}")
    assert theirs != ours
    webhook_configurations.write_text(theirs)
    return Image(folder)


def _calling(clients: CA, folder: Path) -> Path:
    """Return an AdmissionConfiguration by which an API server shows a certificate to our Service."""
    shown = clients.client("kube-apiserver")
    files = {"client-certificate-data": shown.certificate, "client-key-data": shown.key}
    user = {key: base64.b64encode(content).decode() for key, content in files.items()}
    kubeconfig = folder / "kubeconfig"
    users = [{"name": f"*.{NAMESPACE}.svc:{PORT}", "user": user}]
    kubeconfig.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "users": users}))
    version = "apiserver.config.k8s.io/v1"
    webhooks = {"apiVersion": version, "kind": "WebhookAdmissionConfiguration", "kubeConfigFile": str(kubeconfig)}
    plugins = [{"name": f"{kind}AdmissionWebhook", "configuration": webhooks} for kind in ("Mutating", "Validating")]
    path = folder / "admission.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": version, "kind": "AdmissionConfiguration", "plugins": plugins}))
    return path

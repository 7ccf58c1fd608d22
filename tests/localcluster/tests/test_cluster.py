"""The local control plane: the one that all suites share, unless a test needs its own."""

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import Clusters
from tests.localcluster import KubectlError, LocalCluster, LocalClusterError, StartError, crd_folders, shared_crds
from tests.localcluster.crds import load, resource_paths

pytestmark = pytest.mark.cluster

CHECKOUT = Path(__file__).parents[3]
DEFINITIONS = {definition["metadata"]["name"]: definition for definition in load(crd_folders())}
WITH_STATUS = {
    "datavolumes",
    "kubevirts",
    "storageprofiles",
    "virtualmachineclones",
    "virtualmachineinstancemigrations",
    "virtualmachineinstancereplicasets",
    "virtualmachinepools",
    "virtualmachinerestores",
    "virtualmachines",
    "virtualmachinesnapshotcontents",
    "virtualmachinesnapshots",
}
OWNED = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences:
    - {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, name: view, uid: %s, blockOwnerDeletion: true}
"""


@pytest.fixture(scope="module")
def cluster(clusters: Clusters) -> LocalCluster:
    return clusters.clean()


def test_kubectl_is_answered(cluster: LocalCluster) -> None:
    assert "namespace/default" in cluster.kubectl("get", "namespaces", "-o", "name").stdout


def test_kubectl_reads_a_manifest_from_stdin(cluster: LocalCluster) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "from-stdin"}}
    assert cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest)).stdout == "namespace/from-stdin created\n"


def test_a_failing_kubectl_call_raises_an_error_that_shows_stderr(cluster: LocalCluster) -> None:
    with pytest.raises(KubectlError, match='namespaces "nowhere" not found'):
        cluster.kubectl("get", "namespace", "nowhere")


def test_a_failing_kubectl_call_is_returned_when_it_may_fail(cluster: LocalCluster) -> None:
    assert cluster.kubectl("get", "namespace", "nowhere", check=False).returncode == 1


def test_kubectl_writes_nothing_outside_the_cluster_directory(cluster: LocalCluster) -> None:
    cluster.kubectl("get", "vm")
    assert (cluster.directory / "home" / "cache" / "discovery").is_dir()


def test_a_user_without_rights_is_forbidden(cluster: LocalCluster) -> None:
    denied = cluster.kubectl("get", "secrets", user="alice", check=False)
    assert 'User "alice" cannot list resource "secrets"' in denied.stderr


def test_a_user_has_the_groups_asked_for(cluster: LocalCluster) -> None:
    shown = cluster.kubectl("auth", "whoami", "-o", "json", user="alice", groups=("platform-users", "staff"))
    user = json.loads(shown.stdout)["status"]["userInfo"]
    assert (user["username"], user["groups"]) == ("alice", ["platform-users", "staff", "system:authenticated"])


def test_a_kubeconfig_can_be_read_by_its_owner_only(cluster: LocalCluster) -> None:
    assert cluster.kubeconfig_for("alice").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("path", [path for definition in DEFINITIONS.values() for path in resource_paths(definition)])
def test_every_definition_is_served(cluster: LocalCluster, path: str) -> None:
    assert json.loads(cluster.kubectl("get", "--raw", path).stdout)["items"] == []


@pytest.mark.parametrize("path", [path for definition in DEFINITIONS.values() for path in resource_paths(definition)])
def test_the_status_subresource_is_where_kubevirt_and_cdi_have_one(cluster: LocalCluster, path: str) -> None:
    version, plural = path.rsplit("/", 1)
    resources = json.loads(cluster.kubectl("get", "--raw", version).stdout)["resources"]
    assert (f"{plural}/status" in {resource["name"] for resource in resources}) == (plural in WITH_STATUS)


def test_an_object_keeps_fields_that_no_schema_names(cluster: LocalCluster) -> None:
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "free-form", "namespace": "default"},
        "spec": {"template": {"spec": {"domain": {"devices": {"disks": [{"name": "root"}]}}}}},
    }
    created = cluster.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(vm))
    assert json.loads(created.stdout)["spec"] == vm["spec"]


def test_our_definitions_agree_with_the_real_ones() -> None:
    real = shared_crds()
    if real is None:
        pytest.skip("the real definitions are not beside this checkout")
    theirs = {definition["metadata"]["name"]: _shape(definition) for definition in load(real)}
    assert {name: theirs.get(name) for name in DEFINITIONS} == {name: _shape(DEFINITIONS[name]) for name in DEFINITIONS}


def _shape(definition: dict[str, Any]) -> dict[str, Any]:
    spec = definition["spec"]
    return {
        "scope": spec["scope"],
        "names": {key: spec["names"].get(key) for key in ("kind", "plural", "singular", "shortNames", "categories")},
        "versions": {
            version["name"]: (version["served"], version["storage"], version.get("subresources"))
            for version in spec["versions"]
        },
    }


def test_a_service_address_inside_loopback_is_accepted(cluster: LocalCluster) -> None:
    cluster.kubectl("create", "service", "clusterip", "here", "--tcp=8443", "--clusterip=127.96.0.50")
    shown = cluster.kubectl("get", "service", "here", "-o", "jsonpath={.spec.clusterIP}")
    assert shown.stdout == "127.96.0.50"


def test_an_owner_reference_that_blocks_deletion_needs_a_right_on_the_owner(cluster: LocalCluster) -> None:
    cluster.kubectl("create", "role", "configmaps", "--verb=create", "--resource=configmaps")
    cluster.kubectl("create", "rolebinding", "configmaps", "--role=configmaps", "--user=owner")
    uid = cluster.kubectl("get", "clusterrole", "view", "-o", "jsonpath={.metadata.uid}").stdout
    denied = cluster.kubectl("create", "-f", "-", stdin=OWNED % uid, user="owner", check=False)
    assert "cannot set blockOwnerDeletion" in denied.stderr


def test_two_clusters_run_side_by_side(cluster: LocalCluster) -> None:
    with LocalCluster() as other:
        other.kubectl("create", "namespace", "only-there")
        assert "only-there" not in cluster.kubectl("get", "namespaces", "-o", "name").stdout


def test_controllers_give_a_new_namespace_its_service_account() -> None:
    with LocalCluster(controllers=True) as cluster:
        cluster.kubectl("create", "namespace", "new")
        cluster.kubectl("wait", "--for=create", "serviceaccount/default", "--namespace=new", "--timeout=60s")


def test_stop_leaves_no_process_and_no_directory_behind() -> None:
    with LocalCluster() as cluster:
        directory, processes = cluster.directory, cluster.processes
    assert not directory.exists()
    for process in processes.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_directory_of_the_callers_choice_is_kept_and_can_be_used_again(tmp_path: Path) -> None:
    cluster = LocalCluster(directory=tmp_path / "chosen")
    with cluster:
        cluster.kubectl("create", "namespace", "first-run")
    assert (tmp_path / "chosen" / "kube-apiserver.log").exists()
    with cluster:
        assert cluster.kubectl("get", "namespace", "first-run", check=False).returncode == 1


def test_starting_twice_is_denied(cluster: LocalCluster) -> None:
    with pytest.raises(LocalClusterError, match="already runs"):
        cluster.start()


def test_a_cluster_that_does_not_run_says_so() -> None:
    with pytest.raises(LocalClusterError, match="is not running"):
        LocalCluster().kubectl("get", "namespaces")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_killing_the_parent_ends_the_control_plane(tmp_path: Path) -> None:
    script = (
        "import json, pathlib, sys; from tests.localcluster import LocalCluster\n"
        "cluster = LocalCluster(directory=pathlib.Path(sys.argv[1])); cluster.start()\n"
        "print(json.dumps(cluster.processes), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        handles = [os.pidfd_open(process) for process in json.loads(parent.stdout.readline()).values()]
        parent.kill()
    for handle in handles:
        assert select.select([handle], [], [], 30)[0], "a process outlived its parent"
        os.close(handle)


def test_the_command_runs_until_interrupted_and_cleans_up(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.localcluster"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        usage = "".join(itertools.takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        process.send_signal(signal.SIGINT)
    assert f"export KUBECONFIG={tmp_path}" in usage
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_command_starts_nodes_on_request(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.localcluster", "--nodes=2", f"--directory={tmp_path}"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        usage = list(itertools.takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        kubectl = next(line for line in usage if "get namespaces" in line).split()[0]
        config = {**os.environ, "KUBECONFIG": str(tmp_path / "admin.kubeconfig")}
        shown = subprocess.run([kubectl, "get", "nodes"], env=config, capture_output=True, text=True, check=True).stdout
        process.send_signal(signal.SIGINT)
    assert (process.returncode, shown.count(" Ready ")) == (0, 2)


def test_a_start_whose_api_server_cannot_run_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kube-apiserver"
    program.write_text("#!/bin/sh\necho no luck today\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(StartError, match=r"(?s)kube-apiserver ended with status 3.*no luck today") as caught:
        LocalCluster().start()
    (kept,) = tmp_path.glob("localcluster-*")
    assert str(kept) in str(caught.value)


def test_definitions_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no file or folder .*missing\.yaml"):
        LocalCluster(crds=[tmp_path / "missing.yaml"], directory=tmp_path).start()

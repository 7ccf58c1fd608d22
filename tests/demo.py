"""The demo, ``make demo``: the webhook on a real API server, shown by what kubectl prints for each example."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.localcluster import LocalCluster, LocalClusterError, crd_folders
from tests.localcluster.installation import Installation, apply
from webhook.cluster.files import read_path
from webhook.policy.rules import RULES

EXAMPLES = Path(__file__).parent.parent / "examples"
USER = "alice"
ADMITTED = "admitted with evictionStrategy LiveMigrate"


@dataclass(frozen=True)
class Step:
    """An example to apply, and what should be seen."""

    title: str
    file: str
    expected: str = ADMITTED


STEPS = (
    Step("a ReadWriteMany disk over NFS", "nfs.yaml"),
    Step("a ReadWriteMany Block disk on ontap-san", "san-block.yaml"),
    Step("a ReadWriteOnce disk", "once.yaml", "denied by shared-access"),
    Step("a Filesystem disk on ontap-san", "san-filesystem.yaml", "denied by san-block"),
    Step("three faults in one VM", "three-faults.yaml", "denied by host-disk, san-block, shared-access"),
    Step("a ReadWriteOnce Block disk on ontap-san-economy", "economy-once.yaml", "denied by shared-access"),
    Step("a volume that turned out to be on a SAN backend", "clone.yaml", "denied by san-block"),
    Step("a dataVolumeTemplate on ontap-nas", "template-nas.yaml"),
    Step("a dataVolumeTemplate on ontap-san", "template-san.yaml"),
    Step("a dataVolumeTemplate on ontap-san-economy", "template-san-economy.yaml"),
    Step("a dataVolumeTemplate for ReadWriteOnce", "template-once.yaml", "denied by san-block, shared-access"),
    Step("a PVC that does not exist yet", "missing-pvc.yaml", f"{ADMITTED}, warned by claim-known"),
    Step("a bridge to the pod network", "bridge.yaml", "denied by pod-network"),
    Step("GPUs that come with the instancetype", "gpus.yaml", "denied by host-devices"),
    Step("a Windows preference without a TSC frequency", "windows.yaml", "denied by tsc-frequency"),
    Step("evictionStrategy None", "strategy-none.yaml"),
    Step("evictionStrategy External", "strategy-external.yaml", "admitted with evictionStrategy External"),
)


def main() -> int:
    """Run the demo; returns 0 where every step went as expected."""
    try:
        with tempfile.TemporaryDirectory() as home, _installed() as installation:
            seen = [show(step, installation.cluster, Path(home)) for step in STEPS]
    except LocalClusterError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print("\n== Expected and seen")
    good = 0
    for number, (step, was) in enumerate(zip(STEPS, seen, strict=True), start=1):
        good += was == step.expected
        result = "ok" if was == step.expected else "NOT AS EXPECTED"
        print(f"{number:2}. {step.title}: expected {step.expected}; seen {was}: {result}")
    print(f"{good} of {len(STEPS)} steps as expected")
    return 0 if good == len(STEPS) else 1


@contextlib.contextmanager
def _installed() -> Iterator[Installation]:
    print("== A real API server on loopback, and the webhook on its live state", flush=True)
    with LocalCluster(crds=crd_folders()) as cluster:
        for namespace in ("vms", "trident", "kubevirt"):
            cluster.kubectl("create", "namespace", namespace)
        apply(cluster, read_path(EXAMPLES / "cluster"))
        cluster.kubectl("create", "clusterrolebinding", "users", "--clusterrole=cluster-admin", f"--user={USER}")
        with Installation(cluster) as installation:
            print(cluster.kubectl("get", "storageclass").stdout)
            print(cluster.kubectl("get", "pvc", "-n", "vms").stdout, flush=True)
            yield installation


def show(step: Step, cluster: LocalCluster, home: Path) -> str:
    """Apply an example as the user and print what kubectl prints; return what was seen, in the words of `expected`."""
    path = f"examples/vms/{step.file}"
    print(f"== {step.title}\n$ kubectl apply -f {path}")
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig_for(USER)), "HOME": str(home)}
    command = [str(cluster.programs["kubectl"]), "apply", "-f", path]
    applied = subprocess.run(command, cwd=EXAMPLES.parent, env=environment, text=True, capture_output=True)
    printed = applied.stderr + applied.stdout
    print(printed, flush=True)
    mentioned = sorted({rule.name for rule in RULES if f"[{rule.name}]" in printed})
    if applied.returncode != 0:
        return f"denied by {', '.join(mentioned)}"
    name = step.file.removesuffix(".yaml")
    strategy = "{.spec.template.spec.evictionStrategy}"
    found = cluster.kubectl("get", "virtualmachine", name, "-n", "vms", "-o", f"jsonpath={strategy}").stdout
    print(f"$ kubectl get virtualmachine {name} -n vms -o jsonpath='{strategy}'\n{found}\n", flush=True)
    warned = [rule for rule in mentioned if rule != "eviction-strategy"]
    return f"admitted with evictionStrategy {found}" + (f", warned by {', '.join(warned)}" if warned else "")


if __name__ == "__main__":
    sys.exit(main())

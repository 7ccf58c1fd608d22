"""A real API server with our conditions and a webhook that counts, for dry runs that say what is sent."""

import copy
import time
from dataclasses import dataclass, field

from tests.admission.client import KUBEVIRT
from tests.build import CLUSTER, Object, data_volume_template, disk, node
from tests.e2e.match_conditions.counting import CountingWebhook
from tests.e2e.preexisting.api import path_of
from tests.eventually import eventually
from tests.localcluster.api import Client
from webhook.admission.scope import COMPARED, KIND_OF_RESOURCE
from webhook.objects import at

PATHS = ("/mutate", "/validate")
FACTS = (*CLUSTER, KUBEVIRT, node("a"), node("b"))
"""What the engine knows of the cluster; the objects name what is unverified by it."""
RICH: Object = {
    "evictionStrategy": "LiveMigrate",
    "architecture": "amd64",
    "nodeSelector": {"zone": "a"},
    "networks": [{"name": "default", "pod": {}}],
    "volumes": [
        disk("good", "root"),
        disk("once", "data"),
        disk("absent", "late"),
        {"name": "made", "dataVolume": {"name": "made"}},
        {"name": "host", "hostDisk": {"path": "/x.img", "type": "Disk"}},
        {"name": "scratch", "ephemeral": {"persistentVolumeClaim": {"claimName": "once"}}},
    ],
    "domain": {
        "memory": {"guest": "1Gi"},
        "cpu": {"cores": 1, "features": [{"name": "invtsc", "policy": "optional"}]},
        "features": {"hyperv": {"reenlightenment": {"enabled": False}, "vapic": {}}},
        "devices": {
            "disks": [{"name": "root", "disk": {"bus": "virtio"}}, {"name": "data", "lun": {"reservation": True}}],
            "filesystems": [{"name": "share", "virtiofs": {}}],
            "interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 80}]}],
            "hostDevices": [{"name": "card", "deviceName": "vendor.example/card"}],
        },
    },
}
POOR: Object = {"domain": {"devices": {}}, "volumes": [disk("once", "data")]}
RICH_VM = {
    "dataVolumeTemplates": [data_volume_template("made", source={"blank": {}}, storage={"storageClassName": "nas"})],
    "preference": {"name": "none"},
}


@dataclass
class DryRuns:
    """A real API server with our conditions, and objects that were stored before."""

    client: Client
    webhook: CountingWebhook
    schemas: dict[str, Object]
    stored: dict[str, list[Object]] = field(default_factory=dict)

    def change(self, new: Object, name: str, status: bool = False) -> tuple[Object | None, set[str]]:
        """Return what a dry run would store, None where that is invalid, and the paths on which we were asked."""
        path = path_of(new, "status" * status)
        answer = self.client.request("PUT", f"{path}?dryRun=All&fieldManager={name}", new)
        assert answer.ok or answer.status == 422, answer.body
        return (answer.object() if answer.ok else None), {path for path in PATHS if (path, name) in self.webhook.asked}


def await_in_force(runs: DryRuns) -> None:
    """Wait until the API server sends what changes."""

    def is_sent(kind: str, poor: Object) -> bool:
        changed = copy.deepcopy(poor)
        at(changed, *COMPARED[which(kind)].template)["volumes"].append(disk("good", "more"))
        asked = runs.change(changed, f"first-{time.monotonic_ns()}")[1]
        return asked == {*PATHS[kind.endswith("Instance") :]}

    eventually("changes are sent", lambda: all(is_sent(kind, poor) for kind, (_, poor) in runs.stored.items()))


def which(kind: str, status: bool = False) -> tuple[str, str, str]:
    """Return group, resource and subresource of a kind."""
    ((group, resource),) = (found for found, name in KIND_OF_RESOURCE.items() if name == kind)
    return (group, resource, "status" if status else "")

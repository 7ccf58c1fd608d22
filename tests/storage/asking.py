"""What the readers of storage answer in a cluster of a few objects."""

from typing import Any

from tests.build import RWX, Object
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.reader import read_vm
from webhook.storage.model import Backing, Claim, ClaimRequest, NoClaim
from webhook.storage.origin import Origins
from webhook.storage.resolver import resolve

Objects = tuple[Object, ...]


def backing(*objects: Object, trident: str = "auto", **request: Any) -> Backing:
    """Return who serves a shared filesystem on the class "sc", or what else is requested."""
    asked = {"access_modes": (RWX,), "volume_mode": "Filesystem", "storage_class": "sc", **request}
    return Origins(Snapshot(objects), trident).backing_of(ClaimRequest(**asked))


def resolved(vm_object: Object, *objects: Object) -> dict[str, Claim | NoClaim]:
    """Return the PVCs of a VM."""
    cluster = Snapshot(objects)
    return resolve(read_vm(vm_object, cluster, KubeVirtFacts()), cluster, "trident")


def the_claim(vm_object: Object, *objects: Object) -> Claim:
    """Return the one PVC of a VM."""
    (found,) = resolved(vm_object, *objects).values()
    assert isinstance(found, Claim)
    return found

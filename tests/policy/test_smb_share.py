"""smb-share: a disk on an SMB share."""

from tests.build import RWO, RWX, Object, backend, claim, disk, persistent_volume, storage_class, vm
from tests.policy.samples import SMB, rules, table

RULE = "smb-share"
PREFIXED: Object = {"trident.netapp.io/nasType": "smb"}
ON_SMB = claim("c", RWX, storage_class="smb")


def bound(kind: str, storage: str = "nas") -> tuple[Object, ...]:
    volume = persistent_volume("pv", "file", backend="u")
    return (volume, backend("u", "ontap-nas", nasType=kind), claim("c", RWX, storage_class=storage, volume="pv"))


CASES: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("its class", (SMB, ON_SMB), [RULE]),
    ("its class, with Trident's prefix", (storage_class("smb", **PREFIXED), ON_SMB), [RULE]),
    ("its class, over NFS", (storage_class("smb", backendType="ontap-nas", nasType="nfs"), ON_SMB), []),
    ("its class, of another provisioner", (storage_class("smb", provisioner="x", nasType="smb"), ON_SMB), []),
    ("the backend of its volume", bound("smb"), [RULE]),
    ("its volume, whatever its class says", (SMB, *bound("nfs", "smb")), []),
    ("its class, also for one node", (SMB, claim("c", RWO, storage_class="smb")), ["shared-access", RULE]),
]


@table(CASES, "objects expected")
def test_a_share_is_known_by(objects: tuple[Object, ...], expected: list[str]) -> None:
    assert rules(vm(disk("c")), *objects) == expected

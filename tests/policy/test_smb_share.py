"""smb-share: a disk on an SMB share."""

from tests.build import RWO, RWX, Object, backend, claim, disk, persistent_volume, storage_class, templated_vm, vm
from tests.policy.samples import SMB, rules, table

RULE = "smb-share"
PREFIXED: Object = {"trident.netapp.io/nasType": "smb"}
ON_SMB = claim("c", RWX, storage_class="smb")


def by_backends(*configs: Object) -> tuple[Object, ...]:
    """Return a PVC on a class of selectors, and backends of these configurations that it may use."""
    made = (backend(f"u{index}", "ontap-nas", f"tbe-{index}", **config) for index, config in enumerate(configs))
    return (storage_class("any"), claim("c", RWX, storage_class="any"), *made)


def bound(config: Object, storage: str = "nas") -> tuple[Object, ...]:
    volume = persistent_volume("pv", "file", backend="u")
    return (volume, backend("u", "ontap-nas", **config), claim("c", RWX, storage_class=storage, volume="pv"))


OVER_SMB, OVER_NFS = ({"nasType": kind} for kind in ("smb", "nfs"))
CASES: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("its class", (SMB, ON_SMB), [RULE]),
    ("its class, in capitals", (storage_class("smb", nasType="SMB"), ON_SMB), [RULE]),
    ("its class, with Trident's prefix", (storage_class("smb", **PREFIXED), ON_SMB), [RULE]),
    ("its class, over NFS", (storage_class("smb", backendType="ontap-nas", nasType="nfs"), ON_SMB), []),
    ("its class, of another provisioner", (storage_class("smb", provisioner="x", nasType="smb"), ON_SMB), []),
    ("the backend of its volume", bound(OVER_SMB), [RULE]),
    ("the backend of its volume, over NFS", bound(OVER_NFS), []),
    ("the backend of its volume, which does not say", bound({}), []),
    ("its volume, whatever its class says", (SMB, *bound(OVER_NFS, "smb")), []),
    ("all backends of its class", by_backends(OVER_SMB, OVER_SMB), [RULE]),
    ("one of the backends of its class", by_backends(OVER_SMB, OVER_NFS), []),
    ("one of the backends of its class, the other does not say", by_backends(OVER_SMB, {}), []),
    ("its class, also for one node", (SMB, claim("c", RWO, storage_class="smb")), ["shared-access", RULE]),
]


@table(CASES, "objects expected")
def test_a_share_is_known_by(objects: tuple[Object, ...], expected: list[str]) -> None:
    assert sorted(rules(vm(disk("c")), *objects)) == expected


def test_a_template_on_an_smb_class_is_found() -> None:
    assert rules(templated_vm("d", spec={"storage": {"storageClassName": "smb"}}), SMB) == [RULE]

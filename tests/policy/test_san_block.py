"""san-block: a filesystem on a backend that speaks a block protocol."""

from tests.build import RWO, RWX, Object, claim, disk, persistent_volume, storage_class, vm
from tests.policy.samples import rules, table

RULE = "san-block"
ON_SAN, ON_NAS = (claim("c", RWX, storage_class=name, volume="pv") for name in ("san", "nas"))
PVCS: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("on SAN, although shared", (claim("c", RWX, storage_class="san"),), [RULE]),
    ("on SAN, and for one node", (claim("c", RWO, storage_class="san"),), [RULE, "shared-access"]),
    ("on another driver for SAN", (claim("c", RWX, storage_class="san-economy"),), [RULE]),
    ("on NAS", (claim("c", RWX, storage_class="nas"),), []),
    *((f"Block on {name}", (claim("c", RWX, mode="Block", storage_class=name),), []) for name in ("san", "nas")),
    ("foreign class", (claim("c", RWX, storage_class="other"),), []),
    ("no driver named", (claim("c", RWX, storage_class="any"), storage_class("any")), []),
    ("volume on SAN of a NAS class", (ON_NAS, persistent_volume("pv", "block")), [RULE]),
    ("undecided volume of a SAN class", (ON_SAN, persistent_volume("pv")), []),
    ("volume on NAS of a SAN class", (ON_SAN, persistent_volume("pv", "file")), []),
]


@table(PVCS, "objects expected")
def test_a_filesystem_is_denied_where_the_driver_is_known_to_speak_a_block_protocol(
    objects: tuple[Object, ...], expected: list[str]
) -> None:
    assert rules(vm(disk("c")), *objects) == expected

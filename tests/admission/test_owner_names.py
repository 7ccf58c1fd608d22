"""An owner counts for what KubeVirt makes for it as KubeVirt makes it, and under the names that KubeVirt gives."""

from collections.abc import Callable

import pytest

from tests.build import Object, disk, vm, vmi
from tests.build_paths import CONTROLLER, ask, exempt, known_as, owned, pool, replica_set

BUILDERS: dict[str, Callable[..., Object]] = {"VirtualMachine": vm, "ReplicaSet": replica_set, "Pool": pool}


@pytest.mark.parametrize("name", ["web7k2fw", "named-by-the-template7k2fw"])
def test_an_vmi_of_a_replica_set_may_have_any_name(name: str) -> None:
    owner = replica_set(disk("once"))
    assert ask(owned(vmi(disk("once"), name=name), owner), None, owner, user=CONTROLLER).allowed


NOT_SO_MADE = [
    ("a VMI named other than its VirtualMachine", "VirtualMachine", vmi, "other"),
    ("a VM that a Pool does not number", "Pool", vm, "pool-x"),
    ("a VM that a Pool numbers twice", "Pool", vm, "pool-1-1"),
    ("a VM with the Pool's name", "Pool", vm, "pool"),
    ("a VMI of a Pool", "Pool", vmi, "pool-0"),
    ("a VM of a VirtualMachine", "VirtualMachine", vm, "db"),
    ("a VM of a ReplicaSet", "ReplicaSet", vm, "web7k2fw"),
]


@pytest.mark.parametrize(
    ("owner", "make", "name"), [row[1:] for row in NOT_SO_MADE], ids=[row[0] for row in NOT_SO_MADE]
)
def test_what_kubevirt_does_not_make_like_that_is_evaluated_without_its_owner(
    owner: str, make: Callable[..., Object], name: str
) -> None:
    """The patches of a restore can put an ownerReference into whatever it makes."""
    source = exempt(known_as(BUILDERS[owner](disk("once"))))
    found = ask(owned(make(disk("once"), name=name), source), None, source, user=CONTROLLER)
    assert found.rules == ["shared-access"]

"""migration-ports: forwarded ports that a migration itself needs."""

from tests.build import Object, vm
from tests.policy.samples import interface, preexisting, rules, table, verdict


def forwarding(*ports: object, binding: str = "masquerade") -> Object:
    forwarded: Object = {binding: {}, "ports": [{"port": port} for port in ports]}
    return vm(**interface(**forwarded))


NO_LISTS: list[object] = [None, "49152", {"port": 49152}, [49152]]
ELSEWHERE = {**interface(masquerade={}, ports=[{"port": 49152}]), "networks": [{"name": "default", "multus": {}}]}
FORWARDS: list[tuple[str, Object, str | None]] = [
    # what is forwarded, the ports that the violation names
    ("none", forwarding(), None),
    ("others", forwarding(22, 443), None),
    ("the first", forwarding(49152), "49152"),
    ("both beside another", forwarding(22, 49153, 49152), "49152 and 49153"),
    ("one twice", forwarding(49152, 49152), "49152"),
    ("the ports beside them", forwarding(49151, 49154), None),
    ("text", forwarding("49152"), None),
    ("no numbers", forwarding(None, {}, []), None),
    ("a protocol", vm(**interface(masquerade={}, ports=[{"port": 49152, "protocol": "UDP"}])), "49152"),
    *((f"the list {ports!r}", vm(**interface(masquerade={}, ports=ports)), None) for ports in NO_LISTS),
    ("all, without a list", vm(**interface(masquerade={})), None),
    ("on an interface elsewhere", vm(**ELSEWHERE), None),
]


@table(FORWARDS, "vm_object named")
def test_a_list_must_not_contain_a_port_of_the_migration(vm_object: Object, named: str | None) -> None:
    found = verdict(vm_object).violations
    assert [violation.rule for violation in found] == (["migration-ports"] if named else [])
    assert all(violation.what.endswith(f"contains {named}") for violation in found)


def test_only_masquerade_takes_ports_from_the_pod() -> None:
    for binding in ("bridge", "slirp"):
        assert rules(forwarding(49152, binding=binding)) == ["pod-network"]


def test_another_port_is_preexisting() -> None:
    assert preexisting(forwarding(49152, 22), old=forwarding(49153)) == [True]

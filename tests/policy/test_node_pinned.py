"""node-pinned: a VM that only one node may run."""

from typing import Any

from tests.build import Object, disk, node, vm
from tests.build_facts import instancetype
from tests.policy.samples import table, verdict

RULE = "node-pinned"
HOSTNAME = "kubernetes.io/hostname"
AFFINITY = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
NODES = (
    node("n1", labels={"zone": "a", "disk": "ssd", "cores": "8"}),
    node("n2", labels={"zone": "a", "disk": "hdd", "cores": "16"}),
    node("n3", labels={"zone": "b", "cores": "32"}),
)


def whats(vm_object: Object, *objects: Object) -> list[str]:
    """Return what this rule finds, having checked that no other finds anything."""
    found = verdict(vm_object, *objects)
    assert {violation.rule for violation in found.violations} <= {RULE}
    return [violation.what for violation in found.violations]


def affinity(found: object, when: str = "required") -> Object:
    return {"affinity": {"nodeAffinity": {f"{when}DuringSchedulingIgnoredDuringExecution": found}}}


def requiring(*terms: object) -> Object:
    return affinity({"nodeSelectorTerms": list(terms)})


def by_label(key: str, operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def by_name(operator: str, *values: str) -> Object:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": list(values)}]}


SSD, HDD, ZONE_A, ZONE_B = (
    by_label(key, "In", value) for key, value in (("disk", "ssd"), ("disk", "hdd"), ("zone", "a"), ("zone", "b"))
)
HDD_IN_ZONE_A = {"matchExpressions": [*ZONE_A["matchExpressions"], *HDD["matchExpressions"]]}
NONE, ONLY = "no node may run this VM", 'only node "{}" may run this VM'
PLACES: list[tuple[str, Object, str | None]] = [
    # the requirement, the one node that is left ("" for none)
    ("nothing", {}, None),
    ("a selector for one", {"nodeSelector": {HOSTNAME: "n1"}}, "n1"),
    ("a selector for two", {"nodeSelector": {"zone": "a"}}, None),
    ("a selector of two labels for one", {"nodeSelector": {"zone": "a", "disk": "hdd"}}, "n2"),
    ("a selector for none", {"nodeSelector": {"zone": "c"}}, ""),
    ("In, one", requiring(ZONE_B), "n3"),
    ("In, no values", requiring(by_label("zone", "In")), ""),
    ("NotIn, one left", requiring(by_label("zone", "NotIn", "a")), "n3"),
    ("NotIn holds where the label is missing", requiring(by_label("disk", "NotIn", "ssd")), None),
    ("Exists, none", requiring(by_label("gpu", "Exists")), ""),
    ("DoesNotExist, one", requiring(by_label("disk", "DoesNotExist")), "n3"),
    ("Gt, one", requiring(by_label("cores", "Gt", "16")), "n3"),
    ("Lt, one", requiring(by_label("cores", "Lt", "16")), "n1"),
    ("Gt of no number", requiring(by_label("zone", "Gt", "1")), ""),
    ("Gt than no number", requiring(by_label("cores", "Gt", "many")), ""),
    ("Lt where the label is missing", requiring(by_label("gpu", "Lt", "5")), ""),
    ("Gt without a bound", requiring(by_label("cores", "Gt")), ""),
    ("an operator that is none", requiring(by_label("zone", "Like", "a")), ""),
    ("a name", requiring(by_name("In", "n2")), "n2"),
    ("not a name", requiring(by_name("NotIn", "n2")), None),
    ("a name and a label", requiring({**by_name("In", "n1", "n2"), **SSD}), "n1"),
    ("two labels of one term", requiring(HDD_IN_ZONE_A), "n2"),
    ("either of two terms", requiring(by_name("In", "n1"), ZONE_B), None),
    ("an empty term", requiring({}), ""),
    ("an empty term beside one for two", requiring({}, ZONE_A), None),
    ("no term at all", requiring(), ""),
    ("terms that are none", requiring(None, "x", 5), ""),
    ("selector and affinity together", {"nodeSelector": {"zone": "a"}, **requiring(SSD)}, "n1"),
    ("a selector that contradicts the affinity", {"nodeSelector": {"zone": "b"}, **requiring(by_name("In", "n1"))}, ""),
    ("merely preferred", affinity([{"weight": 1, "preference": by_name("In", "n1")}], "preferred"), None),
    ("affinity to pods", {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}}, None),
    ("an affinity of the wrong shape", affinity("x"), None),
    ("terms of the wrong shape", affinity({"nodeSelectorTerms": "x"}), ""),
]


@table(PLACES, "fields left")
def test_where_a_vm_may_run(fields: dict[str, Any], left: str | None) -> None:
    expected = [] if left is None else [ONLY.format(left) if left else NONE]
    assert whats(vm(disk("good"), **fields), *NODES) == expected


CORDONED = node("n4", unschedulable=True, labels={"zone": "b"})
FOREIGN = node("n5", kubevirt_schedulable="false", labels={"zone": "b"})
ZONE: Object = {"nodeSelector": {"zone": "b"}}
PINNED: Object = {"nodeSelector": {HOSTNAME: "n1"}}
KNOWN: list[tuple[str, tuple[Object, ...], Object, list[str]]] = [
    ("no node, named", (), PINNED, ['the nodeSelector names one node, "n1"']),
    ("no node, not named", (), {"nodeSelector": {"zone": "a"}}, []),
    ("no node, affinity", (), requiring(by_name("In", "n1")), []),
    ("one node, which does not fit", NODES[1:2], PINNED, []),
    ("others that fit may not be used", (*NODES, CORDONED, FOREIGN), ZONE, [ONLY.format("n3")]),
]


@table(KNOWN, "nodes fields expected")
def test_which_nodes_are_known(nodes: tuple[Object, ...], fields: dict[str, Any], expected: list[str]) -> None:
    assert whats(vm(**fields), *nodes) == expected


FIELDS = [
    ("affinity", requiring(by_name("In", "n1")), f"spec.template.spec.{AFFINITY}"),
    ("both", {**PINNED, **requiring(by_name("In", "n1"))}, "spec.template.spec.nodeSelector"),
    ("neither, but the instancetype", {"spec": {"instancetype": {"name": "one"}}}, "spec.instancetype"),
]


@table(FIELDS, "fields path")
def test_the_violation_is_where_the_vm_is_pinned(fields: dict[str, Any], path: str) -> None:
    (found,) = verdict(vm(**fields), instancetype("one", **PINNED), *NODES).violations
    assert (found.rule, found.field) == (RULE, path)

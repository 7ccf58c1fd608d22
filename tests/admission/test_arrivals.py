"""A claim that a machine waits for is never refused: of a bad one its creator is warned, the machine gets an Event."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, RWX, Object, claim, data_volume, disk, vm
from tests.build_paths import KUBEVIRT, exempt, known_as, owned, pool, replica_set, with_mark
from webhook.admission.handler import validate
from webhook.admission.review import Request, parse_review
from webhook.cluster import Snapshot
from webhook.settings import Settings

RESOURCES = {
    "PersistentVolumeClaim": ("", "persistentvolumeclaims"),
    "DataVolume": ("cdi.kubevirt.io", "datavolumes"),
}
WAITING = known_as(with_mark(vm(disk("later")), "claim/later"))
ONCE = claim("later", RWO)


class Told(Snapshot):
    """A snapshot that remembers the Events."""

    def __init__(self, *objects: Object) -> None:
        """Begin with no Event."""
        super().__init__((KUBEVIRT, *CLUSTER, *objects))
        self.events: list[tuple[str, str, str]] = []

    def tell(self, about: Mapping[str, Any], reason: str, message: str) -> None:
        """Remember an Event."""
        self.events.append((about["kind"], reason, message))

    def within(self, seconds: float, *, confirm: bool = False) -> "Told":
        """Return itself."""
        return self


def arrival(obj: Object, **fields: Any) -> Request:
    """Return the request that creates a claim or a DataVolume."""
    group, resource = RESOURCES[obj["kind"]]
    content = {
        "uid": "u",
        "resource": {"group": group, "version": "v1", "resource": resource},
        "name": obj["metadata"]["name"],
        "namespace": obj["metadata"]["namespace"],
        "operation": "CREATE",
        "userInfo": {"username": "alice"},
        "object": obj,
        **fields,
    }
    return parse_review({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": content})


def received(obj: Object, *objects: Object, settings: Object | None = None, **fields: Any) -> tuple[list[str], Told]:
    """Return the warnings to who creates an object, and the cluster with its Events; it must be admitted."""
    cluster = Told(*objects)
    response, _ = validate(arrival(obj, **fields), cluster, Settings.parse(settings or {}), 2.0)
    answer = response.body["response"]
    assert answer["allowed"]
    return answer.get("warnings", []), cluster


BAD = [
    ("a claim that is ReadWriteOnce", ONCE, "shared-access"),
    ("a claim on SAN in Filesystem mode", claim("later", RWX, storage_class="san"), "san-block"),
    (
        "a DataVolume of such a claim",
        data_volume("later", storage={"storageClassName": "nas", "accessModes": [RWO]}),
        "shared-access",
    ),
    (
        "a DataVolume of which CDI makes nothing",
        data_volume("later", storage={"storageClassName": "nowhere"}),
        "claim-known",
    ),
]


@pytest.mark.parametrize(("obj", "rule"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_who_creates_it_is_warned_and_the_machine_gets_an_event(obj: Object, rule: str) -> None:
    (line,), cluster = received(obj, WAITING)
    assert line.startswith('VirtualMachine "db" will not start with it: volume "later": claim "later" ')
    assert line.endswith(f"[{rule}]")
    ((kind, reason, message),) = cluster.events
    assert (kind, reason) == ("VirtualMachine", "NotLiveMigratable")
    assert message.endswith(f"[{rule}]")


GOOD = [claim("later", RWX), data_volume("later", storage={"storageClassName": "nas", "accessModes": [RWX]})]


@pytest.mark.parametrize("obj", GOOD, ids=lambda obj: str(obj["kind"]))
def test_of_a_good_one_nobody_hears(obj: Object) -> None:
    warnings, cluster = received(obj, WAITING)
    assert (warnings, cluster.events) == ([], [])


def others() -> Iterator[Any]:
    """Yield machines that do not wait for the claim."""
    yield pytest.param(known_as(vm(disk("later"))), id="one without a mark")
    yield pytest.param(known_as(with_mark(vm(disk("x")), "claim/x")), id="one that waits for another")
    elsewhere = {**WAITING, "metadata": {**WAITING["metadata"], "namespace": "elsewhere"}}
    yield pytest.param(elsewhere, id="one in another namespace")
    yield pytest.param(exempt(WAITING), id="one that is exempt")
    yield pytest.param(known_as(with_mark(vm(disk("good")), "claim/later")), id="one that uses it no more")


@pytest.mark.parametrize("machine", list(others()))
def test_nor_where_no_machine_waits_for_it(machine: Object) -> None:
    warnings, cluster = received(ONCE, machine)
    assert (warnings, cluster.events) == ([], [])


def test_a_dry_run_leaves_no_event() -> None:
    warnings, cluster = received(ONCE, WAITING, dryRun=True)
    assert (len(warnings), cluster.events) == (1, [])


def test_a_replica_set_waits_too() -> None:
    (line,), cluster = received(ONCE, with_mark(replica_set(disk("later")), "claim/later"))
    assert 'ReplicaSet "web" will not start with it' in line
    assert [kind for kind, _, _ in cluster.events] == ["VirtualMachineInstanceReplicaSet"]


def test_the_machine_of_a_pool_is_exempt_as_the_pool_is() -> None:
    owner = exempt(pool(disk("later")))
    made = owned(with_mark(vm(disk("later"), name="pool-0"), "claim/later"), owner)
    assert received(ONCE, owner, made)[1].events == []
    assert len(received(ONCE, pool(disk("later")), made)[1].events) == 1


def test_of_very_many_machines_only_some_are_told() -> None:
    waiting = [known_as(with_mark(vm(disk("later"), name=f"m{number}"), "claim/later")) for number in range(50)]
    warnings, cluster = received(ONCE, *waiting)
    assert (len(warnings), len(cluster.events)) == (8, 8)


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_where_nothing_is_refused_nothing_is_said(mode: str) -> None:
    warnings, cluster = received(ONCE, WAITING, settings={"mode": mode})
    assert (warnings, cluster.events) == ([], [])


def test_a_claim_whose_name_the_api_server_will_make_up_is_nobodys() -> None:
    nameless = replace(arrival(ONCE), name="", obj={**ONCE, "metadata": {"generateName": "later-"}})
    response, _ = validate(nameless, Told(WAITING), Settings(), 2.0)
    assert response.body["response"] == {"uid": "u", "allowed": True}


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
def test_only_creations_are_looked_at(operation: str) -> None:
    warnings, cluster = received(ONCE, WAITING, operation=operation, oldObject=ONCE)
    assert (warnings, cluster.events) == ([], [])

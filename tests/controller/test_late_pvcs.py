"""What the leader does when a PVC of an unverified VM appears."""

import json
from types import SimpleNamespace
from typing import Any, cast

import jsonpatch
import pytest

from tests.build import CLUSTER, NAMESPACE, RWO, RWX, Object, claim, data_volume, disk, of_kind, vm
from tests.build_paths import (
    KUBEVIRT,
    Lagging,
    Rights,
    exempt,
    known_as,
    namespace,
    pool,
    replica_set,
    request,
    with_annotation,
)
from tests.controller.fake import OUT_OF_REACH, FakeApi
from webhook.admission.handler import mutate
from webhook.cluster.api import ApiError
from webhook.cluster.live import LiveCluster
from webhook.cluster.resources import Resource
from webhook.cluster.snapshot import resource_of
from webhook.controller import late_pvcs
from webhook.controller.late_pvcs import LatePvcs
from webhook.kubevirt.unverified import unverified_names
from webhook.server.logs import JsonFormatter
from webhook.settings import Settings

NAME = "claim/later"
GOOD, BAD, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")
OTHER = claim("other", RWO)
WAITING = known_as(with_annotation(vm(disk("later")), NAME))
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


class World:
    """An API server with objects, and a cluster that watches it."""

    def __init__(self, *objects: Object) -> None:
        self.api = FakeApi()
        self.stale = False
        self.late_pvcs = LatePvcs()
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object) -> None:
        self.api.put_there(path(obj), obj)

    def stored(self, obj: Object) -> Object:
        return self.api.objects[path(obj)]

    def left(self, obj: Object) -> frozenset[str]:
        return unverified_names(self.stored(obj))

    def reconcile(self, settings: Object | None = None) -> None:
        self.late_pvcs.run(self.api.client, cast(LiveCluster, self), Settings.parse(settings or {}))

    def reflector(self, resource: Resource[Any]) -> SimpleNamespace | None:
        """Return the part of a reflector that is used, unless the watch is stale."""
        view = self.within()
        cache = SimpleNamespace(get=lambda key: view.get(resource, key[1], key[0]), values=lambda: view.list(resource))
        return None if self.stale else cache

    def within(self, seconds: float = 0.0, *, confirm: bool = True) -> Rights:
        assert confirm
        return Rights((KUBEVIRT, *CLUSTER, *self.api.objects.values()))

    @property
    def events(self) -> list[Object]:
        return [obj for path, obj in self.api.objects.items() if path.startswith(EVENTS)]

    @property
    def reported(self) -> list[str]:
        """The rules that the Events name."""
        return [event["message"].rpartition(" ")[2] for event in self.events]


def path(obj: Object) -> str:
    resource = resource_of(obj)
    assert resource
    return resource.path_of(obj["metadata"]["name"], obj["metadata"].get("namespace", NAMESPACE))


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return the only message, whose line names the VM in its fields."""
    (record,) = caplog.records
    line: Object = json.loads(JsonFormatter().format(record))
    assert (line["kind"], line["namespace"], line["name"]) == ("VirtualMachine", NAMESPACE, "db")
    return str(line["message"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The monotonic clock, at `now`."""
    found = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("webhook.controller.late_pvcs.time", SimpleNamespace(monotonic=lambda: found.now))
    return found


@pytest.mark.parametrize(
    "waiting", [WAITING, with_annotation(replica_set(disk("later")), NAME)], ids=lambda obj: obj["kind"]
)
def test_a_good_pvc_clears_its_name_and_nothing_else_changes(waiting: Object) -> None:
    world = World(waiting, GOOD)
    world.reconcile()
    assert world.left(waiting) == set()
    assert with_annotation(world.stored(waiting), NAME)["spec"] == waiting["spec"]
    assert (world.api.writes, world.events) == ([("replace", path(waiting))], [])


def test_a_bad_pvc_keeps_its_name_and_the_vm_gets_an_event_with_reason_remedy_and_rule() -> None:
    world = World(WAITING, BAD)
    world.reconcile()
    (event,) = world.events
    assert (event["reason"], event["involvedObject"]["uid"]) == ("NotLiveMigratable", WAITING["metadata"]["uid"])
    assert event["message"].startswith('volume "later": PVC "later" is ReadWriteOnce, not ReadWriteMany')
    assert ". Use another PVC, with accessModes [ReadWriteMany]" in event["message"]
    assert event["message"].endswith(". [shared-access]")
    assert [verb for verb, _ in world.api.writes] == ["create"]


THREE = known_as(with_annotation(vm(disk("later"), disk("other"), disk("absent")), NAME, "claim/other", "claim/absent"))
TYPED = known_as(with_annotation(vm(disk("good"), spec={"instancetype": {"name": "large"}}), "instancetype/large"))


def instancetype(**spec: Any) -> Object:
    return of_kind("instancetype.kubevirt.io/v1beta1", "VirtualMachineClusterInstancetype", "large", spec=spec)


WITH_DEVICE = instancetype(hostDevices=[{"name": "n", "deviceName": "d"}])
RESULTS: dict[str, tuple[Object, list[Object], set[str], list[str]]] = {
    "a PVC on SAN stays": (WAITING, [ON_SAN], {NAME}, ["[san-block]"]),
    "only the good one is cleared": (THREE, [GOOD, OTHER], {"claim/other", "claim/absent"}, ["[shared-access]"]),
    "a bad one of an exempt VM is cleared": (exempt(WAITING), [BAD], set(), []),
    "a bad one stays in a namespace that only warns": (WAITING, [BAD, namespace(enforcement="warn")], {NAME}, []),
    "a good one is cleared there too": (WAITING, [GOOD, namespace(enforcement="warn")], set(), []),
    "one that the VM no longer uses is cleared": (known_as(with_annotation(vm(disk("good")), NAME)), [BAD], set(), []),
    "a good instancetype is cleared": (TYPED, [instancetype()], set(), []),
    "a bad instancetype stays": (TYPED, [WITH_DEVICE], {"instancetype/large"}, ["[host-devices]"]),
}


@pytest.mark.parametrize(("waiting", "objects", "left", "rules"), RESULTS.values(), ids=RESULTS)
def test_of_the_unverified_names(waiting: Object, objects: list[Object], left: set[str], rules: list[str]) -> None:
    world = World(waiting, *objects)
    world.reconcile()
    assert world.left(waiting) == left
    assert world.reported == rules


def test_of_very_many_problems_only_the_first_are_reported() -> None:
    names = [f"bad-{number}" for number in range(20)]
    waiting = known_as(with_annotation(vm(*map(disk, names)), *(f"claim/{name}" for name in names)))
    world = World(waiting, *(claim(name, RWO) for name in names))
    world.reconcile()
    assert len(world.events) == 8


UNCHANGED: dict[str, tuple[Object, list[Object]]] = {
    "its PVC is only predicted": (WAITING, [data_volume("later", storage={"storageClassName": "nas"})]),
    "its namespace has enforcement off": (WAITING, [BAD, namespace(enforcement="off")]),
    "it is being deleted": ({**WAITING, "metadata": {**WAITING["metadata"], "deletionTimestamp": "now"}}, [GOOD]),
    "it has no annotation": (known_as(vm(disk("later"))), [BAD]),
    "it is a Pool, which would restart its VMs": (with_annotation(pool(disk("later")), NAME), [GOOD]),
}


@pytest.mark.parametrize(("waiting", "objects"), UNCHANGED.values(), ids=UNCHANGED)
def test_a_vm_is_not_changed_where(waiting: Object, objects: list[Object]) -> None:
    world = World(waiting, *objects)
    world.reconcile()
    assert world.api.writes == []


@pytest.mark.parametrize(("mode", "stale"), [("warn", False), ("off", False), ("deny", True)])
def test_nothing_is_cleared_where_nothing_is_denied_or_the_watch_is_stale(mode: str, stale: bool) -> None:
    """Otherwise the VM would count as evaluated once the mode is deny again."""
    world = World(WAITING, GOOD)
    world.stale = stale
    world.reconcile({"mode": mode})
    assert world.api.writes == []


def test_a_problem_is_reported_once_while_it_lasts_also_by_another_leader(
    clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(WAITING, BAD)
    world.reconcile()
    world.late_pvcs = LatePvcs()
    for _ in range(5):
        world.reconcile()
        clock.now += late_pvcs.AGAIN_SECONDS
        world.api.objects = {path: obj for path, obj in world.api.objects.items() if not path.startswith(EVENTS)}
    assert world.api.writes == [("create", world.api.writes[0][1])]
    world.put(ON_SAN)
    world.reconcile()
    assert world.reported == ["[san-block]"]
    assert caplog.text == ""


def test_a_vm_that_stays_unverified_is_evaluated_again_after_a_while(clock: SimpleNamespace) -> None:
    world = World(WAITING, BAD)
    world.reconcile()
    world.put(exempt(WAITING))
    world.reconcile()
    assert world.left(WAITING) == {NAME}
    clock.now += late_pvcs.AGAIN_SECONDS
    world.reconcile()
    assert world.left(WAITING) == set()


def test_an_event_that_cannot_be_recorded_is_logged_and_keeps_no_name(
    caplog: pytest.LogCaptureFixture, clock: SimpleNamespace
) -> None:
    waiting = known_as(with_annotation(vm(disk("later"), disk("other")), NAME, "claim/other"))
    world = World(waiting, BAD, claim("other", RWX))
    world.api.faults[EVENTS] = OUT_OF_REACH
    world.reconcile()
    assert world.left(waiting) == {NAME}
    assert logged(caplog) == f"cannot record an Event: VirtualMachine vms/db: {OUT_OF_REACH}"
    world.api.faults.clear()
    clock.now += late_pvcs.AGAIN_SECONDS
    world.reconcile()
    assert len(world.events) == 1


def test_a_vm_that_was_changed_meanwhile_is_evaluated_in_the_next_reconcile(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(WAITING, GOOD)
    read = world.within()
    world.put({**world.stored(WAITING), "status": {"printableStatus": "Stopped"}})
    with monkeypatch.context() as lagging:
        lagging.setattr(world, "within", lambda *_, **__: read)
        world.reconcile()
    assert world.left(WAITING) == {NAME}
    world.reconcile()
    assert world.left(WAITING) == set()
    assert world.stored(WAITING)["status"] == {"printableStatus": "Stopped"}
    assert caplog.text == ""


@pytest.mark.parametrize("fault", [ApiError(403, "you may not"), OUT_OF_REACH], ids=str)
def test_a_vm_that_cannot_be_written_is_logged_and_tried_again_after_a_while(
    fault: Exception, caplog: pytest.LogCaptureFixture, clock: SimpleNamespace
) -> None:
    world = World(WAITING, GOOD)
    world.api.faults[path(WAITING)] = fault
    world.reconcile()
    assert logged(caplog) == f"cannot clear the unverified annotation: VirtualMachine vms/db: {fault}"
    world.api.faults.clear()
    world.reconcile()
    assert world.left(WAITING) == {NAME}
    clock.now += late_pvcs.RETRY_SECONDS
    world.reconcile()
    assert world.left(WAITING) == set()


def test_a_replica_with_a_stale_cache_starts_no_loop(clock: SimpleNamespace) -> None:
    """The leader's patch itself is sent to /mutate."""
    world = World(WAITING, GOOD)
    lagging = Lagging([BAD], [GOOD])

    def admitted(old: Object, obj: Object) -> Object:
        _, verdict = mutate(request(obj, old), lagging, Settings(), 5.0)
        patched: Object = jsonpatch.apply_patch(obj, verdict.annotation_patch if verdict else [])
        return patched

    world.api.admitted = admitted
    for _ in range(3):
        world.reconcile()
        clock.now += late_pvcs.AGAIN_SECONDS
    assert world.left(WAITING) == set()
    assert (len(world.api.writes), lagging.confirmed) == (1, 1)


def test_an_unexpected_error_with_one_vm_delays_no_other() -> None:
    other = with_annotation(vm(disk("later"), name="other"), NAME)
    world = World(WAITING, other, GOOD)
    world.api.faults[path(WAITING)] = KeyError("a bug")
    with pytest.raises(KeyError):
        world.reconcile()
    world.reconcile()
    assert world.left(other) == set()


def test_vms_over_the_time_budget_wait_for_the_next_reconcile(clock: SimpleNamespace) -> None:
    world = World(GOOD, *(with_annotation(vm(disk("later"), name=f"m{number}"), NAME) for number in range(4)))

    def slowly_admitted(_: Object, obj: Object) -> Object:
        clock.now += 3.0
        return obj

    world.api.admitted = slowly_admitted
    world.reconcile()
    assert len(world.api.writes) == 2

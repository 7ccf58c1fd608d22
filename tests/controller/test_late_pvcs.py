"""What the leader does when a PVC appears under a name that a VM is unverified for."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import jsonpatch
import pytest

from tests.build import NAMESPACE, RWO, RWX, Object, claim, data_volume, disk, vm
from tests.build_paths import Lagging, exempt, known_as, namespace, pool, replica_set, request, with_annotation
from tests.controller.fake import OUT_OF_REACH
from tests.controller.world import EVENTS, World, path
from webhook.admission.handler import mutate
from webhook.cluster.api import ApiError
from webhook.cluster.resources import OWNERS, POOLS
from webhook.controller import late_pvcs
from webhook.controller.late_pvcs import LatePvcs
from webhook.kubevirt.unverified import unverified_names
from webhook.settings import Settings

NAME = "claim/later"
GOOD, BAD, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")
WAITING = known_as(with_annotation(vm(disk("later")), NAME))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What lets time pass: nothing else does."""
    now = [1000.0]
    monkeypatch.setattr("webhook.controller.late_pvcs.time", SimpleNamespace(monotonic=lambda: now[0]))

    def passes(seconds: float) -> None:
        now[0] += seconds

    return passes


@pytest.mark.parametrize(
    "waiting", [WAITING, with_annotation(replica_set(disk("later")), NAME)], ids=lambda obj: obj["kind"]
)
def test_a_good_pvc_clears_its_name_and_nothing_else_changes(waiting: Object) -> None:
    world = World(waiting, GOOD)
    world.reconcile()
    stored = world.stored(waiting)
    assert unverified_names(stored) == frozenset()
    assert with_annotation(stored, NAME)["spec"] == waiting["spec"]
    assert (world.api.writes, world.events) == ([("replace", path(waiting))], [])


@pytest.mark.parametrize(("pvc", "rule"), [(BAD, "shared-access"), (ON_SAN, "san-block")], ids=["RWO", "SAN"])
def test_a_bad_pvc_keeps_its_name_and_the_vm_gets_an_event_with_reason_remedy_and_rule(pvc: Object, rule: str) -> None:
    world = World(WAITING, pvc)
    world.reconcile()
    (event,) = world.events
    assert (event["reason"], event["involvedObject"]["uid"]) == ("NotLiveMigratable", WAITING["metadata"]["uid"])
    assert event["message"].startswith('volume "later": PVC "later" is ')
    assert ". Use another PVC, with accessModes [ReadWriteMany]" in event["message"]
    assert event["message"].endswith(f". [{rule}]")
    assert [verb for verb, _ in world.api.writes] == ["create"]


def test_of_two_pvcs_the_good_one_alone_clears_its_name() -> None:
    waiting = known_as(
        with_annotation(vm(disk("later"), disk("other"), disk("absent")), NAME, "claim/other", "claim/absent")
    )
    world = World(waiting, GOOD, claim("other", RWO))
    world.reconcile()
    assert unverified_names(world.stored(waiting)) == {"claim/other", "claim/absent"}
    assert ['PVC "other"' in event["message"] for event in world.events] == [True]


def test_of_very_many_problems_only_the_first_are_reported() -> None:
    names = [f"bad-{number}" for number in range(20)]
    waiting = known_as(with_annotation(vm(*map(disk, names)), *(f"claim/{name}" for name in names)))
    world = World(waiting, *(claim(name, RWO) for name in names))
    world.reconcile()
    assert len(world.events) == 8


LEFT_ALONE: list[tuple[str, Object, list[Object]]] = [
    ("its PVC is absent", WAITING, []),
    ("its PVC is only predicted", WAITING, [data_volume("later", storage={"storageClassName": "nas"})]),
    ("the PVC is in another namespace", WAITING, [{**GOOD, "metadata": {**GOOD["metadata"], "namespace": "other"}}]),
    ("its namespace has enforcement off", WAITING, [BAD, namespace(enforcement="off")]),
    (
        "it is being deleted",
        {**WAITING, "metadata": {**WAITING["metadata"], "deletionTimestamp": "2026-11-24T12:00:00Z"}},
        [GOOD],
    ),
    ("it has no annotation", known_as(vm(disk("later"))), [BAD]),
    ("it is a Pool, which would restart its VMs", with_annotation(pool(disk("later")), NAME), [GOOD]),
]


@pytest.mark.parametrize(("waiting", "objects"), [row[1:] for row in LEFT_ALONE], ids=[row[0] for row in LEFT_ALONE])
def test_a_vm_is_left_alone_where(waiting: Object, objects: list[Object]) -> None:
    world = World(*objects)
    resource = POOLS if waiting["kind"] == POOLS.kind else OWNERS[waiting["kind"]]
    world.api.put_there(resource.path_of(waiting["metadata"]["name"], NAMESPACE), waiting)
    world.reconcile()
    assert world.api.writes == []


@pytest.mark.parametrize(
    ("waiting", "objects"),
    [(exempt(WAITING), []), (WAITING, [namespace(enforcement="warn")])],
    ids=["the VM is exempt", "the namespace only warns"],
)
def test_a_bad_pvc_that_may_start_clears_its_name_without_an_event_where(
    waiting: Object, objects: list[Object]
) -> None:
    world = World(waiting, BAD, *objects)
    world.reconcile()
    assert (unverified_names(world.stored(waiting)), world.events) == (frozenset(), [])


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_nothing_is_cleared_where_nothing_is_denied(mode: str) -> None:
    """Else a VM would be verified without having been evaluated, and start unseen once the mode is deny again."""
    world = World(WAITING, BAD)
    world.reconcile({"mode": mode})
    assert world.api.writes == []


def test_a_name_that_the_vm_no_longer_uses_is_cleared() -> None:
    waiting = known_as(with_annotation(vm(disk("good")), NAME))
    world = World(waiting, BAD)
    world.reconcile()
    assert (unverified_names(world.stored(waiting)), world.events) == (frozenset(), [])


@pytest.mark.parametrize(
    ("devices", "left"),
    [([], set()), ([{"name": "n", "deviceName": "d"}], {"instancetype/large"})],
    ids=["good", "bad"],
)
def test_an_instancetype_that_appears_is_evaluated_too(devices: list[Object], left: set[str]) -> None:
    waiting = known_as(
        with_annotation(vm(disk("good"), spec={"instancetype": {"name": "large"}}), "instancetype/large")
    )
    large = {"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterInstancetype"}
    world = World(waiting, {**large, "metadata": {"name": "large"}, "spec": {"hostDevices": devices}})
    world.reconcile()
    assert unverified_names(world.stored(waiting)) == left
    assert [event["message"].rpartition(" ")[2] for event in world.events] == ["[host-devices]"] * len(left)


def test_a_problem_is_reported_once_while_it_lasts(clock: Callable[[float], None]) -> None:
    world = World(WAITING, BAD)
    for _ in range(5):
        world.reconcile()
        clock(late_pvcs.AGAIN_SECONDS)
        world.api.objects = {path: obj for path, obj in world.api.objects.items() if not path.startswith(EVENTS)}
    assert world.api.writes == [("create", world.api.writes[0][1])]
    world.put(ON_SAN)
    world.reconcile()
    assert [event["message"].rpartition(" ")[2] for event in world.events] == ["[san-block]"]


def test_a_vm_that_stays_unverified_is_evaluated_again_after_a_while(clock: Callable[[float], None]) -> None:
    world = World(WAITING, BAD)
    world.reconcile()
    world.put(exempt(WAITING))
    world.reconcile()
    assert unverified_names(world.stored(WAITING)) == {NAME}
    clock(late_pvcs.AGAIN_SECONDS)
    world.reconcile()
    assert unverified_names(world.stored(WAITING)) == frozenset()


def test_an_event_that_another_leader_recorded_is_no_problem(caplog: pytest.LogCaptureFixture) -> None:
    world = World(WAITING, BAD)
    world.reconcile()
    world.late_pvcs = LatePvcs()
    world.reconcile()
    assert (len(world.events), caplog.text) == (1, "")


def test_an_event_that_cannot_be_recorded_is_logged_and_keeps_no_name(
    caplog: pytest.LogCaptureFixture, clock: Callable[[float], None]
) -> None:
    waiting = known_as(with_annotation(vm(disk("later"), disk("other")), NAME, "claim/other"))
    world = World(waiting, BAD, claim("other", RWX))
    world.api.faults[EVENTS] = OUT_OF_REACH
    world.reconcile()
    assert unverified_names(world.stored(waiting)) == {NAME}
    assert "cannot record an Event: vms/db." in caplog.text
    world.api.faults.clear()
    clock(late_pvcs.AGAIN_SECONDS)
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
    assert unverified_names(world.stored(WAITING)) == {NAME}
    world.reconcile()
    assert (unverified_names(world.stored(WAITING)), world.stored(WAITING)["status"]) == (
        frozenset(),
        {"printableStatus": "Stopped"},
    )
    assert caplog.text == ""


@pytest.mark.parametrize("fault", [ApiError(403, "you may not"), OUT_OF_REACH], ids=str)
def test_a_vm_that_cannot_be_written_is_logged_and_tried_again_after_a_while(
    fault: Exception, caplog: pytest.LogCaptureFixture, clock: Callable[[float], None]
) -> None:
    world = World(WAITING, GOOD)
    world.api.faults[path(WAITING)] = fault
    world.reconcile()
    assert f"cannot clear the unverified annotation: VirtualMachine vms/db: {fault}" in caplog.text
    world.api.faults.clear()
    world.reconcile()
    assert unverified_names(world.stored(WAITING)) == {NAME}
    clock(late_pvcs.RETRY_SECONDS)
    world.reconcile()
    assert unverified_names(world.stored(WAITING)) == frozenset()


def test_a_replica_whose_cache_lags_behind_starts_no_loop(clock: Callable[[float], None]) -> None:
    """The leader's patch itself comes to the mutating side."""
    world = World(WAITING, GOOD)
    lagging = Lagging([BAD], [GOOD])

    def admitted(old: Object, obj: Object) -> Object:
        _, verdict = mutate(request(obj, old), lagging, Settings(), 5.0)
        patched: Object = jsonpatch.apply_patch(obj, verdict.annotation_patch if verdict else [])
        return patched

    world.api.admitted = admitted
    for _ in range(3):
        world.reconcile()
        clock(late_pvcs.AGAIN_SECONDS)
    assert unverified_names(world.stored(WAITING)) == frozenset()
    assert (len(world.api.writes), lagging.confirmed) == (1, 1)


def test_an_unexpected_error_with_one_vm_holds_up_no_other() -> None:
    other = with_annotation(vm(disk("later"), name="other"), NAME)
    world = World(WAITING, other, GOOD)
    world.api.faults[path(WAITING)] = KeyError("a bug")
    with pytest.raises(KeyError):
        world.reconcile()
    world.reconcile()
    assert unverified_names(world.stored(other)) == frozenset()


def test_a_stale_watch_clears_nothing() -> None:
    world = World(WAITING, GOOD)
    world.stale = True
    world.reconcile()
    assert world.api.writes == []


def test_what_takes_too_long_waits_for_the_next_reconcile(
    clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(GOOD, *(with_annotation(vm(disk("later"), name=f"m{number}"), NAME) for number in range(4)))
    patch = world.api.client.patch

    def slow(path: str, operations: Sequence[Object]) -> Object:
        clock(3.0)
        return patch(path, operations)

    monkeypatch.setattr(world.api.client, "patch", slow)
    world.reconcile()
    assert len(world.api.writes) == 2

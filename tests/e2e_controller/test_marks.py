"""The leader lifts the mark of a machine whose claim has come, so that the machine starts without us from then on."""

import itertools

from tests.build import RWO, RWX, Object
from tests.e2e.admission.conftest import stored
from tests.e2e_controller.release import Release, await_that, machine
from webhook.names import MARK
from webhook.objects import at

MACHINES = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines"
NUMBERS = itertools.count()


def waiting(release: Release) -> tuple[str, str]:
    """Store a machine whose claim is not there; return the path of the machine, and the claim's name."""
    name = f"waiting-{next(NUMBERS)}"
    found = machine(f"later-{name}")
    path = f"{MACHINES}/{name}"
    release.make({**found, "metadata": {**found["metadata"], "name": name}})
    assert marks(release.read(path)) == [f"claim/later-{name}"] * 2
    return path, f"later-{name}"


def marks(obj: Object | None) -> list[str | None]:
    """Return the marks of a machine and of its template."""
    return [at(obj, *place, "annotations", MARK) for place in (("metadata",), ("spec", "template", "metadata"))]


def test_a_machine_whose_claim_comes_and_is_good_loses_its_mark_by_itself(installed: Release) -> None:
    path, name = waiting(installed)
    installed.make(stored(name, RWX, mode="Filesystem"))
    await_that(lambda: marks(installed.read(path)) == [None, None], "machine without a mark")


def test_a_machine_whose_claim_comes_and_is_bad_keeps_its_mark(installed: Release) -> None:
    path, name = waiting(installed)
    other, good = waiting(installed)
    installed.make(stored(name, RWO))
    installed.make(stored(good, RWX, mode="Filesystem"))
    await_that(lambda: marks(installed.read(other)) == [None, None], "machine without a mark")
    assert marks(installed.read(path)) == [f"claim/{name}"] * 2


def test_a_machine_without_a_mark_is_not_written(installed: Release) -> None:
    found = machine("good")
    path = f"{MACHINES}/unmarked"
    installed.make({**found, "metadata": {**found["metadata"], "name": "unmarked"}})
    before = at(installed.read(path), "metadata", "resourceVersion")
    other, late = waiting(installed)
    installed.make(stored(late, RWX, mode="Filesystem"))
    await_that(lambda: marks(installed.read(other)) == [None, None], "machine without a mark")
    assert at(installed.read(path), "metadata", "resourceVersion") == before

"""After `helm uninstall` nothing is left that stands in the way of a VM."""

import pytest

from tests.conftest import Report
from tests.e2e_chart.site import Site
from tests.workloads import eventually
from tests.writers import Writers, sound

pytestmark = pytest.mark.cluster
VARIANTS = {"with the hook": (), "without hooks": ("--no-hooks",)}
BOTH = pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)


@BOTH
def test_nothing_is_left_and_no_write_fails(release: Site, options: tuple[str, ...], report: Report) -> None:
    assert release.labelled
    with Writers(release.cluster, sound) as writers:
        writers.go_on()
        release.uninstall(*options)
        writers.go_on()
    report(f"helm uninstall {' '.join(options)}: {writers.tally}")
    assert writers.losses == []
    await_nothing_left(release)


@BOTH
def test_nothing_is_left_when_every_pod_was_already_dead(release: Site, options: tuple[str, ...]) -> None:
    release.scale(0)
    release.await_no_pods()
    assert "failed calling webhook" in release.answer("good")
    release.uninstall(*options)
    await_nothing_left(release)


def await_nothing_left(site: Site) -> None:
    """Return when nothing of ours is there, labels included, and every VM is admitted."""
    eventually("all that the webhook made is gone", lambda: site.left_over == [])
    eventually("a bad VM is admitted", lambda: site.answer("once") == "")
    assert site.labelled == []

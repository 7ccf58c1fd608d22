"""`helm install` on a bare cluster: machines are written all the while, and judged afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.demo import STEPS, show
from tests.e2e_chart.conftest import Tell
from tests.e2e_chart.site import Site
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.writers import Writers, sound

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize("program", ["helm3", "helm"])
def test_during_an_installation_no_write_of_a_good_machine_fails_and_then_the_demo_goes_as_it_should(
    bare: Site, program: str, tell: Tell
) -> None:
    with Writers(bare.cluster, sound) as writers:
        writers.go_on()
        bare.install(program)
        bare.await_in_force()
        writers.go_on()
    tell(f"{program} install: {writers.tally}")
    with tempfile.TemporaryDirectory() as home:
        seen = {step.title: show(step, bare.cluster, Path(home)) for step in STEPS}

    assert writers.losses == []
    assert seen == {step.title: step.expected for step in STEPS}


def test_helm_test_proves_that_it_works(release: Site) -> None:
    release.helm("test", NAME, "--timeout=120s")
    said = release.nodes.logs(f"{NAME}-test", NAMESPACE).splitlines()
    assert "ok       through the API server: a good machine is admitted, and gets evictionStrategy LiveMigrate" in said
    assert any(
        line.startswith("ok       through the API server: a machine that cannot migrate is refused") for line in said
    )
    assert [line for line in said if line.startswith("error")] == []

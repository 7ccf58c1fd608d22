"""The load that the other tests rest on notices what must not happen."""

import base64

import pytest

from tests.e2e_chart.release import Release
from tests.e2e_controller.release import MUTATING, VALIDATING
from tests.e2e_rotation.load import Handshakes
from tests.eventually import eventually
from tests.localcluster.installation import apply
from tests.writers import Problem, Writers, created
from webhook.controller.webhook_configurations import webhook_configurations

pytestmark = pytest.mark.cluster


def test_without_a_webhook_no_write_is_evaluated(site: Release) -> None:
    with Writers(site.cluster, created) as load:
        load.go_on(20)
    assert (load.count(Problem.FAILED), len(load.losses)) == (0, len(load.writes))


def test_with_a_webhook_that_nobody_answers_for_every_write_and_every_handshake_fails(site: Release) -> None:
    absent = {"namespace": "vms", "name": "absent", "port": 443}
    apply(site.cluster, webhook_configurations(absent, base64.b64encode(site.cluster.ca_pem).decode()))
    address = ("127.0.0.1", site.cluster.client().port)
    try:
        eventually("a write fails", lambda: "failed calling webhook" in site.answer("good"))
        with Writers(site.cluster, created) as writers, Handshakes(site.api, address) as handshakes:
            eventually("failures", lambda: writers.count(Problem.FAILED) > 20 and len(handshakes.failed) > 3)
    finally:
        for path in (VALIDATING, MUTATING):
            site.api.delete(path)
    assert writers.count(Problem.FAILED) == len(writers.writes)
    assert "failed calling webhook" in writers.losses[-1]
    assert len(handshakes.failed) == handshakes.total
    assert "Hostname mismatch" in handshakes.failed[0]

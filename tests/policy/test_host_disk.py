"""host-disk: an image file on one node."""

import pytest

from tests.build import CLUSTER, host_disk, vm, vmi, volume_request
from webhook import evaluate

RULE = "host-disk"


@pytest.mark.parametrize("shared", [None, False, "true", 1], ids=repr)
def test_a_host_disk_that_is_not_shared_is_denied(shared: object) -> None:
    found = evaluate(vm(host_disk("local", **({} if shared is None else {"shared": shared}))), CLUSTER)
    assert not found.allowed
    assert [violation.rule for violation in found.violations] == [RULE]


def test_a_shared_host_disk_is_admitted() -> None:
    assert evaluate(vm(host_disk("local", shared=True)), CLUSTER).violations == []


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = evaluate(vm(host_disk("a", shared=True), host_disk("b")), CLUSTER).violations
    assert (found.reason, found.action, found.volume) == ("DisksNotLiveMigratable", "deny", "b")
    assert found.field == "spec.template.spec.volumes[1].hostDisk"
    assert '"b"' in found.message
    assert "cannot live-migrate" in found.message
    assert "ReadWriteMany" in found.remedy
    assert "shared: true" in found.remedy


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = evaluate(vmi(host_disk("local")), CLUSTER).violations
    assert found.field == "spec.volumes[0].hostDisk"


def test_a_requested_host_disk_is_denied() -> None:
    found = evaluate(vm(status={"volumeRequests": [volume_request(host_disk("hot"))]}), CLUSTER)
    assert [violation.rule for violation in found.violations] == [RULE]

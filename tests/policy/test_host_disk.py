"""host-disk: an image file on one node."""

import pytest

from tests.build import host_disk, vm, volume_request
from tests.policy.samples import rules

RULE = "host-disk"


@pytest.mark.parametrize("body", [{}, {"shared": False}, {"shared": "true"}, {"shared": 1}], ids=repr)
def test_a_host_disk_that_is_not_shared_is_denied(body: dict[str, object]) -> None:
    assert rules(vm(host_disk("local", **body))) == [RULE]


def test_a_shared_host_disk_is_admitted() -> None:
    assert rules(vm(host_disk("local", shared=True))) == []


def test_a_requested_host_disk_is_denied() -> None:
    assert rules(vm(status={"volumeRequests": [volume_request(host_disk("hot"))]})) == [RULE]

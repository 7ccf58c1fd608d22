"""host-disk: an image file on one node."""

import pytest

from tests.build import host_disk, vm, volume_request
from tests.policy.samples import rules

RULE = "host-disk"


@pytest.mark.parametrize("body", [{}, *({"shared": value} for value in (False, "true", 1, True))], ids=repr)
def test_a_host_disk_is_denied_unless_it_is_shared(body: dict[str, object]) -> None:
    assert rules(vm(host_disk("local", **body))) == ([] if body.get("shared") is True else [RULE])


def test_a_requested_host_disk_is_denied() -> None:
    assert rules(vm(status={"volumeRequests": [volume_request(host_disk("hot"))]})) == [RULE]

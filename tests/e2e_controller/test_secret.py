"""The Secret with the CA: what becomes of the webhook when somebody deletes, spoils or replaces it."""

import base64
from typing import Any

import pytest

from tests.e2e_controller.release import CA_SECRET, Release, await_that

_LOST = {"signing.crt": base64.b64encode(b"lost").decode(), "signing.key": base64.b64encode(b"lost").decode()}


def test_a_deleted_secret_comes_back_with_the_same_ca(installed: Release) -> None:
    before = installed.ca
    installed.delete(CA_SECRET)
    await_that(lambda: installed.ca, "Secret")
    assert installed.ca == before


CORRUPT: dict[str, Any] = {
    "other content": lambda secret: secret.update(data=_LOST),
    "no content": lambda secret: secret.pop("data"),
    "half of it": lambda secret: secret["data"].pop("signing.key"),
}


@pytest.mark.parametrize("corrupt", CORRUPT.values(), ids=CORRUPT)
def test_a_invalid_secret_is_written_again(installed: Release, corrupt: Any) -> None:
    before = installed.read(CA_SECRET)
    assert before
    installed.edit(CA_SECRET, corrupt)
    await_that(lambda: (installed.read(CA_SECRET) or {}).get("data") == before["data"], "the Secret as it was")
    assert installed.replicas[0].is_ready


def test_a_secret_keeps_its_owner(installed: Release) -> None:
    installed.edit(CA_SECRET, lambda secret: secret["metadata"].pop("ownerReferences"))
    await_that(lambda: "ownerReferences" in str(installed.read(CA_SECRET)), "owner")

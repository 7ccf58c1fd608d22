"""The installation that a live configuration belongs to, and the CAs that it trusts."""

import base64
from typing import Any

import pytest

from tests.controller.fake import installation
from webhook.controller.live_configurations import VALIDATING, bundles_of, holder_of

OURS = {"namespace": "migratability", "name": "migratability-webhook"}


def live(*owners: str, manager: str = "kubectl", service: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a configuration."""
    references = [{"kind": "ClusterRole", "name": owner} for owner in owners]
    client = {"service": service} if service else {"url": "https://example.com"}
    return {
        "metadata": {"ownerReferences": references, "managedFields": [{"manager": manager}]},
        "webhooks": [{"clientConfig": client}],
    }


OTHER = {"namespace": "other", "name": "webhook"}
HOLDERS: list[tuple[str, dict[str, Any], str | None]] = [
    ("our ClusterRole owns it", live("registrations"), None),
    ("ours among others", live("theirs", "registrations"), None),
    ("another ClusterRole owns it", live("theirs"), "it belongs to ClusterRole theirs"),
    ("another owns it, and it calls us", live("theirs", service=OURS), "it belongs to ClusterRole theirs"),
    ("nobody owns it, we wrote it", live(manager="migratability-webhook"), None),
    ("nobody owns it, it calls us", live(service=OURS), None),
    ("nobody owns it, it calls another", live(service=OTHER), "it calls other/webhook"),
    ("nobody owns it, it calls a URL", live(), 'it calls "https://example.com"'),
    ("nobody owns it, it calls nobody", {"metadata": {}}, "we did not write it"),
]


@pytest.mark.parametrize(("found", "holder"), [row[1:] for row in HOLDERS], ids=[row[0] for row in HOLDERS])
def test_the_holder_of_a_configuration_where(found: dict[str, Any], holder: str | None) -> None:
    assert holder_of(found, installation()) == holder


def test_every_distinct_bundle_is_returned_once_also_an_empty_one() -> None:
    one = {"clientConfig": {"caBundle": base64.b64encode(b"one").decode()}}
    configured = {VALIDATING: {"webhooks": [one, one, {"clientConfig": {}}, {"clientConfig": {"caBundle": "?"}}]}}
    assert sorted(bundles_of(configured)) == [b"", b"", b"one"]
    assert bundles_of({}) == []

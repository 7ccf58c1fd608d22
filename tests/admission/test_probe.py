"""The probe object is denied in words that prove who denied it; nothing else of its kind is."""

import pytest

from tests.admission.client import Webhook
from tests.build import Object
from webhook.admission.probe import ANSWER, probe_object


def review(name: str, operation: str = "CREATE", dry_run: bool = True) -> Object:
    """Return the review of a Lease."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "operation": operation,
            "resource": {"group": "coordination.k8s.io", "version": "v1", "resource": "leases"},
            "namespace": "migratability",
            "name": name,
            "object": probe_object("migratability"),
            "userInfo": {"username": "us"},
            "dryRun": dry_run,
        },
    }


@pytest.mark.parametrize("mode", ["deny", "warn", "off"])
def test_the_probe_is_denied_in_every_mode(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    webhook = Webhook(mode=mode)
    response = webhook.validate(review("migratability-probe"))
    assert response["allowed"] is False
    assert response["status"] == {"code": 403, "reason": "Forbidden", "message": ANSWER}
    assert caplog.records == []


def test_another_lease_is_let_by() -> None:
    assert Webhook().validate(review("migratability-webhook"))["allowed"] is True

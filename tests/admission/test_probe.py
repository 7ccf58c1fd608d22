"""The probe object is denied in words that prove who denied it; no other object of its kind is."""

import pytest

from tests.admission.client import Webhook
from tests.build import Object
from webhook.admission.probe import ANSWER, probe_object


def review(name: str) -> Object:
    request = {
        "uid": "1",
        "operation": "CREATE",
        "resource": {"group": "coordination.k8s.io", "version": "v1", "resource": "leases"},
        "namespace": "migratability",
        "name": name,
        "object": probe_object("migratability"),
        "userInfo": {"username": "us"},
        "dryRun": True,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


@pytest.mark.parametrize("mode", ["deny", "warn", "off"])
def test_the_probe_alone_is_denied_in_every_mode_and_not_logged(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    webhook = Webhook(mode=mode)
    response = webhook.validate(review("migratability-probe"))
    assert response["allowed"] is False
    assert response["status"] == {"code": 403, "reason": "Forbidden", "message": ANSWER}
    assert webhook.validate(review("migratability-webhook"))["allowed"] is True
    assert caplog.records == []

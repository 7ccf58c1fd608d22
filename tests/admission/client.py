"""The app asked as kube-apiserver asks it, over a state of the test's own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from tests.build import CLUSTER, Object, kubevirt
from webhook.cluster import Cluster, Snapshot
from webhook.server.app import make_app
from webhook.settings import Settings

KUBEVIRT = kubevirt()


class Broken:
    """A cluster that raises whatever it is asked."""

    is_live = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise self._error

    get = list = may = _raise

    def within(self, seconds: float, *, confirm: bool = False) -> Cluster:
        """Return itself."""
        return self


@dataclass
class FakeState:
    """What the app asks of anyone who runs it, as the test sets it."""

    cluster: Cluster
    now: Settings
    cache_ages: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def settings(self) -> Settings:
        """Return the settings."""
        return self.now

    def unready(self) -> dict[str, str]:
        """Return what is waited for: nothing."""
        return {}

    def ages(self) -> dict[str, float]:
        """Return the age of each cache."""
        return self.cache_ages

    def gauges(self) -> dict[str, float]:
        """Return the other figures."""
        return self.figures


class Webhook:
    """The app over a snapshot of the given objects and a KubeVirt, or over a cluster of the test's own."""

    def __init__(self, cluster: Iterable[Object] | Cluster = CLUSTER, **settings: Any) -> None:
        state = Snapshot((KUBEVIRT, *cluster)) if isinstance(cluster, Iterable) else cluster
        self.state = FakeState(state, Settings.parse(settings))
        self.client = make_app(self.state).test_client()

    def post(self, path: str, body: Object | bytes, content_type: str | None = "application/json") -> TestResponse:
        """Return the HTTP response to a body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, data=data, content_type=content_type)

    def validate(self, review: Object) -> Object:
        """Return the AdmissionResponse of /validate, which must be an HTTP 200."""
        return self._decided("/validate", review)

    def mutate(self, review: Object) -> Object:
        """Return the AdmissionResponse of /mutate, which must be an HTTP 200."""
        return self._decided("/mutate", review)

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of one series, or None where /metrics does not show it."""
        text = self.client.get("/metrics").get_data(as_text=True)
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return next((found.value for found in samples if (found.name, found.labels) == (name, labels)), None)

    def requests(self, path: str, operation: str, resource: str, outcome: str) -> float | None:
        """Return how many requests were answered so."""
        name = "migratability_admission_requests_total"
        return self.metric(name, path=path, operation=operation, resource=resource, result=outcome, dry_run="false")

    def _decided(self, path: str, review: Object) -> Object:
        answer = self.post(path, review)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        body: Object = answer.get_json()
        assert (body["apiVersion"], body["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        response: Object = body["response"]
        return response


def changed(review: Object, **fields: Any) -> Object:
    """Return a review with other fields in its request; a field given as None is taken away."""
    request = {key: value for key, value in {**review["request"], **fields}.items() if value is not None}
    return {**review, "request": request}


def causes(response: Object) -> list[tuple[str, str]]:
    """Return the field and the rule of every cause of a denial, in order."""
    return [
        (cause["field"], cause["message"].rpartition("[")[2].rstrip("]"))
        for cause in response["status"]["details"]["causes"]
    ]

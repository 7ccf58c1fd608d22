"""What Prometheus sees: requests, how long they took, violations, and how old the caches are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webhook.admission.scope import KIND_OF_RESOURCE, KIND_OF_RESTORE_OR_CLONE
from webhook.policy import Verdict, Violation
from webhook.policy.rules import RULES

PATHS = ("/validate", "/mutate")
OUTCOMES = ("allowed", "patched", "denied", "errored", "bad_request")
OTHER = "other"
_RESOURCES = tuple(resource for _, resource in (*KIND_OF_RESOURCE, *KIND_OF_RESTORE_OR_CLONE))
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_GAUGES = {
    "migratability_leader": "1 on the replica that keeps the webhook configurations, 0 on the others.",
    "migratability_certificate_expiry_timestamp_seconds": "When the certificate in use ends; 0 while there is none.",
    "migratability_settings_valid": "0 while the settings file cannot be used, and others are in force; else 1.",
}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One process's metrics; every series that can appear is there from the start, at zero."""

    def __init__(self, ages: Callable[[], dict[str, float]], gauges: Callable[[], dict[str, float]] = dict) -> None:
        """Take what tells the age of each cache, in seconds by resource, and further figures by metric."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "migratability_admission_requests",
            "Admission requests answered.",
            ("path", "operation", "resource", "outcome"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "migratability_admission_duration_seconds",
            "Time to answer an admission request.",
            ("path",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._violations = Counter(
            "migratability_violations",
            "Violations found by /validate, by what became of them.",
            ("rule", "action"),
            registry=self.registry,
        )
        self.registry.register(_CacheAges(ages))
        self.registry.register(_Gauges(gauges))
        self._preset()

    def answered(self, path: str, operation: str, resource: str, outcome: str, seconds: float) -> None:
        """Count an answer; operations and resources that we do not know share one label."""
        operation = operation if operation in _OPERATIONS else OTHER
        resource = resource if resource in _RESOURCES else OTHER
        self._requests.labels(path, operation, resource, outcome).inc()
        self._duration.labels(path).observe(seconds)

    def evaluated(self, verdict: Verdict) -> None:
        """Count the violations of a verdict that was given."""
        for violation in verdict.violations:
            self._violations.labels(violation.rule, _result(violation)).inc()

    def _preset(self) -> None:
        for path in PATHS:
            self._duration.labels(path)
            for outcome in OUTCOMES:
                for operation in ("CREATE", "UPDATE"):
                    for resource in _RESOURCES:
                        self._requests.labels(path, operation, resource, outcome)
        for rule in RULES:
            for action in ("deny", "warn", "tolerated", "exempt"):
                self._violations.labels(rule.name, action)


def _result(violation: Violation) -> str:
    return "exempt" if violation.exempt else "tolerated" if violation.preexisting else violation.action


class _CacheAges(Collector):
    def __init__(self, ages: Callable[[], dict[str, float]]) -> None:
        self._ages = ages

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily(
            "migratability_cache_age_seconds",
            "Time since the API server last said anything about a resource.",
            labels=("resource",),
        )
        for resource, age in self._ages().items():
            gauge.add_metric([resource], age)
        yield gauge


class _Gauges(Collector):
    def __init__(self, figures: Callable[[], dict[str, float]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, figure in self._figures().items():
            yield GaugeMetricFamily(name, _GAUGES[name], value=figure)

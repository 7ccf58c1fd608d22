"""Prometheus metrics: requests and their duration, violations, settings, leadership, certificate and caches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webhook.admission import restores, rights
from webhook.admission.review import Request
from webhook.admission.scope import KINDS
from webhook.policy.rules import RULES
from webhook.policy.verdict import Verdict, Violation

PATHS = ("/validate", "/mutate")
OUTCOMES = ("allowed", "patched", "denied", "errored", "bad_request")
OTHER = "other"
_RESOURCES = tuple(resource for _, resource in KINDS)
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_GAUGES = {
    "migratability_leader_election_master_status": "1 on the leader, 0 on the other replicas.",
    "migratability_certificate_expiry_timestamp_seconds": "When the serving certificate expires; 0 without one.",
    "migratability_config_last_reload_successful": "0 while the settings file is invalid and others are in force.",
}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics(Collector):
    """The metrics of one process; every series of a known label value exists from the start, at zero."""

    def __init__(
        self,
        ages: Callable[[], dict[str, float]],
        gauges: Callable[[], dict[str, float]] = dict,
        mode: Callable[[], str] = str,
    ) -> None:
        """Take functions that return each cache's age in seconds by resource, gauges by metric, and the global mode."""
        self._ages, self._gauges, self._mode = ages, gauges, mode
        self._version = version("migratability-webhook")
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "migratability_admission_requests",
            "Admission requests answered.",
            ("path", "operation", "resource", "result", "dry_run"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "migratability_admission_request_duration_seconds",
            "Time to answer an admission request.",
            ("path",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._violations = Counter(
            "migratability_violations", "Violations found by /validate.", ("rule", "result"), registry=self.registry
        )
        self.registry.register(self)
        for path in PATHS:
            self._duration.labels(path)
            for result in OUTCOMES:
                for operation in ("CREATE", "UPDATE"):
                    for resource in _RESOURCES:
                        for dry_run in ("false", "true"):
                            self._requests.labels(path, operation, resource, result, dry_run)
        for rule in (*(rule.name for rule in RULES), restores.RULE, rights.RULE):
            for result in ("deny", "warn", "pre-existing", "exempt"):
                self._violations.labels(rule, result)

    def answered(self, path: str, request: Request | None, result: str, seconds: float) -> None:
        """Count an answer; unknown operations and resources share one label value. None: a request without a review."""
        operation = request.operation if request and request.operation in _OPERATIONS else OTHER
        resource = request.resource if request and request.resource in _RESOURCES else OTHER
        dry_run = "true" if request and request.dry_run else "false"
        self._requests.labels(path, operation, resource, result, dry_run).inc()
        self._duration.labels(path).observe(seconds)

    def evaluated(self, verdict: Verdict) -> None:
        """Count the violations of a verdict."""
        for violation in verdict.violations:
            self._violations.labels(violation.rule, _result(violation)).inc()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges as they are now."""
        about = "Time since the API server last sent anything about a resource."
        ages = GaugeMetricFamily("migratability_cache_age_seconds", about, labels=("resource",))
        for resource, age in self._ages().items():
            ages.add_metric([resource], age)
        yield ages
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(name, _GAUGES[name], value=value)
        about = "The version of the webhook, and the global mode in force; always 1."
        build = GaugeMetricFamily("migratability_build_info", about, labels=("version", "mode"))
        build.add_metric([self._version, self._mode()], 1)
        yield build


def _result(violation: Violation) -> str:
    return "exempt" if violation.exempt else "pre-existing" if violation.preexisting else violation.action

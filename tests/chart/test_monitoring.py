"""Alerts and the dashboard query existing metrics."""

import json
import re
from typing import Any

import pytest

from tests.chart.helm import NAMESPACE, RELEASE, Object, render
from tests.documentation import CHART, documented_metrics, documented_results
from webhook.controller.webhook_configurations import webhook_configurations

OF_KUBERNETES = {
    "apiserver_admission_webhook_fail_open_count",
    "apiserver_admission_webhook_rejection_count",
    "container_memory_working_set_bytes",
    "up",
}
FUNCTIONS = {"sum", "min", "max", "or", "unless", "offset", "vector", "increase", "rate", "time", "histogram_quantile"}
SOURCES_WITH_A_CA = [
    ({"source": "serviceCA"}, {"configMap": {"name": f"{RELEASE}-service-ca", "key": "service-ca.crt"}}),
    ({"source": "certManager", "issuerRef": {"name": "a"}}, {"secret": {"name": f"{RELEASE}-tls", "key": "ca.crt"}}),
    ({"source": "existingSecret", "existingSecret": "tls"}, {"secret": {"name": "tls", "key": "ca.crt"}}),
]


def rules(values: dict[str, Any] | None = None, *, monitored: bool = True) -> dict[str, Object]:
    """Return the alerts by name, without Migratability."""
    rendered = render({**(values or {}), "prometheusRule": {"enabled": True}, "serviceMonitor": {"enabled": monitored}})
    found: list[Object] = rendered.get("PrometheusRule")["spec"]["groups"][0]["rules"]
    return {rule["alert"].removeprefix("Migratability"): rule for rule in found}


def dashboard() -> Object:
    rendered = render({"dashboard": {"enabled": True}})
    return dict(json.loads(rendered.get("ConfigMap", "-dashboard")["data"]["migratability.json"]))


def expressions() -> list[str]:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules().values()] + panels


def test_expressions_query_existing_metrics_and_results_and_close_their_brackets() -> None:
    for expression in expressions():
        bare = re.sub(r"\b(by|without) \([^)]*\)|\{[^}]*\}|\[[^]]*\]|\b\d+m?\b", " ", expression)
        metrics = {name.removesuffix("_bucket") for name in re.findall(r"[a-z_]\w*", bare)} - FUNCTIONS
        assert metrics, expression
        assert metrics <= {*documented_metrics(), *OF_KUBERNETES}, expression
        assert all(expression.count(left) == expression.count(right) for left, right in ("()", "[]", "{}")), expression
    assert set(re.findall(r'result!?="(\w+)"', " ".join(expressions()))) <= documented_results()


def test_the_api_servers_metrics_are_queried_for_all_our_webhooks_and_no_others() -> None:
    names = [
        webhook["name"]
        for configuration in webhook_configurations({"name": RELEASE, "namespace": NAMESPACE}, "")
        for webhook in configuration["webhooks"]
    ]
    patterns = re.findall(r'apiserver_\w+\{name=~"([^"]+)"', " ".join(expressions()))
    assert patterns
    for pattern in patterns:
        assert all(re.fullmatch(pattern, name) for name in names)
        assert not re.fullmatch(pattern, "virtualmachine-validator.kubevirt.io")


def test_there_is_an_alert_for_each_way_to_fail() -> None:
    failures = "FailOpen Unreachable Down CacheStale Errors ManyDenials HighLatency NoLeader ConfigReloadFailed"
    assert list(rules()) == [*failures.split(), "CertificateExpiry"]


def test_an_alert_says_what_is_wrong_and_what_to_do_with_labels_that_it_has() -> None:
    for rule in rules().values():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert all(rule["annotations"][part].endswith(".") for part in ("summary", "description"))
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
        kept = re.search(r"by \(([^)]*)\)", rule["expr"])
        assert shown <= set(re.findall(r"\w+", kept[1]) if kept else ()), rule["alert"]


def test_alerts_are_about_this_release_and_not_about_dry_runs() -> None:
    selectors = re.findall(r"\b(up|migratability_\w+)\{([^}]*)\}", " ".join(rule["expr"] for rule in rules().values()))
    assert [selector for name, selector in selectors if name == "up"] == [f'namespace="{NAMESPACE}",job="{RELEASE}"']
    assert {selector.partition(",")[0] for _, selector in selectors} == {f'namespace="{NAMESPACE}"'}
    assert all('dry_run="false"' in selector for name, selector in selectors if name.endswith("requests_total"))


def test_without_the_service_monitor_no_alert_fires_because_nothing_is_scraped() -> None:
    without = rules(monitored=False)
    assert [*without] == [name for name in rules() if name != "Down"]
    assert not [name for name, rule in without.items() if re.search(r"vector|absent|\bup\b", rule["expr"])]


@pytest.mark.parametrize(("lifetime", "seconds"), [("168h", 100800), ("60m", 600), ("90s", 15)])
def test_the_certificate_alert_fires_at_a_sixth_of_its_lifetime(lifetime: str, seconds: int) -> None:
    alerts = rules({"certificates": {"leafLifetime": lifetime}})
    assert alerts["CertificateExpiry"]["expr"].endswith(f"< {seconds}")


def test_the_dashboard_queries_the_selected_data_source_and_is_installed_as_it_is() -> None:
    board = dashboard()
    assert board == json.loads((CHART / "dashboards/migratability.json").read_text())
    sources = {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]}
    assert sources == {"${datasource}"}
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "namespace"]
    assert all(panel["description"].endswith(".") for panel in board["panels"])


@pytest.mark.parametrize(("values", "ca"), SOURCES_WITH_A_CA, ids=lambda value: value.get("source", ""))
def test_prometheus_finds_the_service_and_verifies_its_certificate_if_it_can_read_the_ca(
    values: dict[str, Any], ca: dict[str, Any]
) -> None:
    rendered = render({"certificates": values, "serviceMonitor": {"enabled": True}})
    spec, service = rendered.get("ServiceMonitor")["spec"], rendered.get("Service")
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["tlsConfig"] == {"serverName": f"{RELEASE}.{NAMESPACE}.svc", "ca": ca}

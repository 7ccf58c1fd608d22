"""Alerts and the dashboard ask for what there is."""

import json
import re
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.chart.helm import NAMESPACE, RELEASE, Object, render
from tests.documentation import CHART
from webhook.controller.webhook_configurations import webhook_configurations
from webhook.server.metrics import OUTCOMES, Metrics

OF_THE_PROCESS = {
    "migratability_leader",
    "migratability_certificate_expiry_timestamp_seconds",
    "migratability_settings_valid",
}
OF_KUBERNETES = {
    "apiserver_admission_webhook_fail_open_count",
    "apiserver_admission_webhook_rejection_count",
    "container_memory_working_set_bytes",
    "up",
}
WORDS = {
    "sum",
    "min",
    "max",
    "by",
    "or",
    "unless",
    "offset",
    "vector",
    "increase",
    "rate",
    "time",
    "histogram_quantile",
}


def rules(values: dict[str, Any] | None = None, *, monitored: bool = True) -> list[Object]:
    rendered = render({**(values or {}), "prometheusRule": {"enabled": True}, "serviceMonitor": {"enabled": monitored}})
    found: list[Object] = rendered.get("PrometheusRule")["spec"]["groups"][0]["rules"]
    return found


def dashboard() -> Object:
    rendered = render({"dashboard": {"enabled": True}})
    found: Object = json.loads(rendered.get("ConfigMap", "-dashboard")["data"]["migratability.json"])
    return found


def expressions() -> list[str]:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + panels


def metrics() -> set[str]:
    text = generate_latest(Metrics(lambda: {"nodes": 1.0}).registry).decode()
    return set(re.findall(r"^(\w+)\{", text, re.MULTILINE)) | OF_THE_PROCESS | OF_KUBERNETES


def test_expressions_ask_for_metrics_that_there_are() -> None:
    for expression in expressions():
        bare = re.sub(r"\b(by|without) \([^)]*\)|\{[^}]*\}|\[[^]]*\]|\b\d+m?\b", " ", expression)
        asked = set(re.findall(r"[a-z_]\w*", bare)) - WORDS

        assert asked, expression
        assert asked <= metrics(), expression


def test_brackets_close() -> None:
    for expression in expressions():
        assert all(expression.count(left) == expression.count(right) for left, right in ("()", "[]", "{}")), expression


def test_the_api_servers_metrics_are_asked_about_all_our_webhooks_and_no_others() -> None:
    names = [
        webhook["name"]
        for configuration in webhook_configurations({"name": RELEASE, "namespace": NAMESPACE}, "")
        for webhook in configuration["webhooks"]
    ]
    asked = [found for found in expressions() if "apiserver_" in found]

    assert asked
    for pattern in re.findall(r'apiserver_\w+\{name=~"([^"]+)"', " ".join(asked)):
        assert all(re.fullmatch(pattern, name) for name in names)
        assert not re.fullmatch(pattern, "virtualmachine-validator.kubevirt.io")


def test_outcomes_are_those_that_are_counted() -> None:
    assert set(re.findall(r'outcome="(\w+)"', " ".join(expressions()))) <= set(OUTCOMES)


def test_there_is_an_alert_for_each_way_to_fail() -> None:
    assert [rule["alert"].removeprefix("Migratability") for rule in rules()] == [
        "FailOpen",
        "Unreachable",
        "Down",
        "CachesStale",
        "Errors",
        "ManyRefusals",
        "Slow",
        "NoLeader",
        "SettingsInvalid",
        "CertificateEnds",
    ]


def test_alerts_say_what_is_wrong_and_what_to_do_with_labels_that_there_are() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert all(rule["annotations"][part].endswith(".") for part in ("summary", "description"))
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
        kept = re.search(r"by \(([^)]*)\)", rule["expr"])
        assert shown <= set(re.findall(r"\w+", kept[1]) if kept else ()), rule["alert"]


def test_alerts_are_about_this_release() -> None:
    selectors = re.findall(r"\b(up|migratability_\w+)(\{[^}]*\})", " ".join(rule["expr"] for rule in rules()))

    assert {selector.partition(",outcome")[0].rstrip("}") for name, selector in selectors if name != "up"} == {
        f'{{namespace="{NAMESPACE}"'
    }
    assert [selector for name, selector in selectors if name == "up"] == [
        f'{{namespace="{NAMESPACE}",job="{RELEASE}"}}'
    ]


def test_without_the_service_monitor_no_alert_fires_because_nothing_is_scraped() -> None:
    without = rules(monitored=False)

    assert [rule["alert"] for rule in without] == [
        rule["alert"] for rule in rules() if rule["alert"] != "MigratabilityDown"
    ]
    assert not [rule["alert"] for rule in without if re.search(r"vector|absent|\bup\b", rule["expr"])]


@pytest.mark.parametrize(("lifetime", "seconds"), [("168h", 100800), ("60m", 600), ("90s", 15)])
def test_a_certificate_is_missed_when_a_sixth_of_its_lifetime_is_left(lifetime: str, seconds: int) -> None:
    alerts = {rule["alert"]: rule["expr"] for rule in rules({"certificates": {"leafLifetime": lifetime}})}

    assert alerts["MigratabilityCertificateEnds"].endswith(f"< {seconds}")


def test_the_dashboard_asks_the_source_that_is_chosen_in_it() -> None:
    board = dashboard()

    assert {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]} == {
        "${datasource}"
    }
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "namespace"]
    assert all(panel["description"].endswith(".") for panel in board["panels"])


def test_the_dashboard_is_in_the_chart_as_it_is_installed() -> None:
    assert dashboard() == json.loads((CHART / "dashboards/migratability.json").read_text())


@pytest.mark.parametrize(
    ("certificates", "ca"),
    [
        ({"source": "serviceCA"}, {"configMap": {"name": f"{RELEASE}-service-ca", "key": "service-ca.crt"}}),
        (
            {"source": "certManager", "issuerRef": {"name": "a"}},
            {"secret": {"name": f"{RELEASE}-tls", "key": "ca.crt"}},
        ),
        ({"source": "existingSecret", "existingSecret": "tls"}, {"secret": {"name": "tls", "key": "ca.crt"}}),
    ],
    ids=lambda value: value.get("source", ""),
)
def test_prometheus_verifies_the_certificate_where_it_may_read_the_ca(
    certificates: dict[str, Any], ca: dict[str, Any]
) -> None:
    rendered = render({"certificates": certificates, "serviceMonitor": {"enabled": True}})
    (endpoint,) = rendered.get("ServiceMonitor")["spec"]["endpoints"]

    assert endpoint["tlsConfig"] == {"serverName": f"{RELEASE}.{NAMESPACE}.svc", "ca": ca}


def test_prometheus_finds_the_service() -> None:
    rendered = render({"serviceMonitor": {"enabled": True}})
    spec = rendered.get("ServiceMonitor")["spec"]

    assert spec["selector"]["matchLabels"].items() <= rendered.get("Service")["metadata"]["labels"].items()
    assert spec["endpoints"][0]["port"] == rendered.get("Service")["spec"]["ports"][0]["name"]

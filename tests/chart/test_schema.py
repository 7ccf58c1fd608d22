"""A wrong value is an error that names it. Needs no Helm, but for the last tests."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from tests.chart.helm import CI, complaint, render
from tests.chart.test_values import CASES, tree
from tests.chart.values import read
from tests.documentation import CHART, SCHEMA, schema_of_values
from webhook.installation import Installation

TREE = json.loads(SCHEMA.read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
VALIDATOR = jsonschema.Draft7Validator(TREE)
OF_KUBERNETES = {
    *(f"resources.{name}" for name in ("requests", "limits")),
    *(f"affinity.{name}" for name in ("nodeAffinity", "podAffinity", "podAntiAffinity")),
    "tolerations[]",
    "topologySpreadConstraints[]",
    "global",
}
"""What the API server evaluates, or Helm gives."""

WRONG: list[tuple[str, Any]] = [
    ("image.repository", ""),
    ("image.repository", "UPPER"),
    ("image.tag", "a b"),
    ("image.digest", "sha256:abc"),
    ("image.digest", "a" * 64),
    ("image.pullPolicy", "always"),
    ("image.name", "x"),
    ("imagePullSecrets", ["registry"]),
    ("replicaCount", 0),
    ("replicaCount", "2"),
    ("settings.mode", "refuse"),
    ("settings.mode", True),
    ("settings.rules", {"shared-acess": "off"}),
    ("settings.rules", {"shared-access": "no"}),
    ("settings.rules", []),
    ("settings.evictionStrategy", "LiveMigrate"),
    ("settings.exemptions.requireReason", "yes"),
    ("settings.exemptions.maxDays", 0),
    ("settings.exemptions.maxDays", 36501),
    ("settings.exemptions.excludedUsers", [""]),
    ("settings.exemptions.excludedUsers", "argo"),
    ("settings.exemptions.by", []),
    ("settings.kubevirt.namespace", ""),
    ("settings.kubevirt.namespace", 2024),
    ("settings.kubevirt.version", 1.8),
    ("settings.kubevirt.version", "2.0"),
    ("settings.trident.namespace", "Trident"),
    ("settings.trident.namespace", 2024),
    ("settings.webhookConfigurations", "on"),
    ("settings.failurePolicy", "Fail"),
    ("namespaceSelector", {"app": "x"}),
    ("namespaceSelector", {"matchLabels": {"app": True}}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "Equals"}]}),
    ("namespaceSelector", {"matchExpressions": [{"operator": "Exists"}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a b", "operator": "Exists"}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "In"}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": []}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b c"]}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
    ("namespaceSelector", {"matchExpressions": [{"key": "a", "operator": "DoesNotExist", "values": ["b"]}]}),
    ("certificates.source", "cert-manager"),
    ("certificates.source", "certManager"),
    ("certificates.source", "existingSecret"),
    ("certificates.source", "files"),
    ("certificates.caLifetime", "1y"),
    ("certificates.caLifetime", 8760),
    ("certificates.caLifetime", "2s"),
    ("certificates.caLifetime", "999999h"),
    ("certificates.leafLifetime", "0h"),
    ("certificates.leafLifetime", "2s"),
    ("certificates.trustDelay", "-1s"),
    ("certificates.issuerRef.name", "a/b"),
    ("certificates.issuerRef.kind", ""),
    ("certificates.issuerRef.group", ""),
    ("certificates.issuerRef.email", "x"),
    ("certificates.existingSecret", "a b"),
    ("certificates.caBundle", ""),
    ("tls.minVersion", "1.1"),
    ("tls.minVersion", 1.2),
    ("clientAuthentication.configMap", "A"),
    ("clientAuthentication.names", [1]),
    ("service.port", 0),
    ("service.port", "443"),
    ("service.type", "NodePort"),
    ("resources", {"request": {}}),
    ("nodeSelector", {"infra": 1}),
    ("tolerations", {"key": "a"}),
    ("affinity", {"podAntiAfinity": {}}),
    ("topologySpreadConstraints", [{"topologyKey": "rack"}]),
    ("priorityClassName", "System"),
    ("podAnnotations", {"a": True}),
    ("podLabels", {"a": "b c"}),
    ("commonLabels", {"a": "-"}),
    ("podDisruptionBudget.enabled", "yes"),
    ("podDisruptionBudget.maxUnavailable", 0),
    ("podDisruptionBudget.maxUnavailable", "0%"),
    ("networkPolicy.enabled", 1),
    ("networkPolicy.apiServerPorts", []),
    ("networkPolicy.apiServerPorts", [70000]),
    ("serviceMonitor.enabled", "true"),
    ("serviceMonitor.labels", {"a": 1}),
    ("prometheusRule.enabled", None),
    ("image", None),
    ("resources", None),
    ("prometheusRule.labels", []),
    ("dashboard.enabled", "on"),
    ("dashboard.labels", {"a": False}),
    ("exemptRole.aggregateToAdmin", "false"),
    ("test.namespace", ""),
    ("test.namespace", 2024),
    ("replicas", 2),
    ("failurePolicy", "Ignore"),
    ("extraArgs", []),
]
IDS = [f"{path}={json.dumps(value)}" for path, value in WRONG]


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return values as Helm merges them: null takes a default away."""
    both = {key for key in base.keys() & over.keys() if isinstance(base[key], dict) and isinstance(over[key], dict)}
    found = {**base, **over, **{key: merged(base[key], over[key]) for key in both}}
    return {key: value for key, value in found.items() if value is not None}


def errors(values: dict[str, Any]) -> list[str]:
    """Return what the schema says against values, beneath allOf too."""
    found = list(VALIDATOR.iter_errors(merged(DEFAULTS, values)))
    return [f"{error.json_path}: {error.message}" for error in found]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference refers to."""
    found: dict[str, Any] = TREE["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of an object in a schema, by its path."""
    schema = resolved(schema)
    if schema.get("type") == "object":
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, f"{path}.{name}" if path else name)
    if isinstance(schema.get("items"), dict):
        yield from parts(schema["items"], f"{path}[]")


def test_the_schema_is_one() -> None:
    assert TREE["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(TREE)


def test_the_schema_is_the_one_that_the_types_of_the_webhook_give() -> None:
    assert SCHEMA.read_text() == schema_of_values()


def test_nothing_unknown_is_allowed_where_the_values_are_ours() -> None:
    open_parts = {path for path, schema in parts(TREE) if schema.get("additionalProperties") in (None, True)}

    assert open_parts == OF_KUBERNETES


def test_the_schema_has_the_values_of_values_yaml_and_no_others() -> None:
    def leaves(schema: dict[str, Any], path: str = "") -> Iterator[str]:
        for name, inner in resolved(schema)["properties"].items():
            inner = resolved(inner)
            is_value = f"{path}{name}" in CASES or "properties" not in inner
            yield from [f"{path}{name}"] if is_value else leaves(inner, f"{path}{name}.")

    known = [value.path for value in read((CHART / "values.yaml").read_text())]
    assert [path for path in leaves(TREE) if path != "global"] == known


def test_no_value_of_ours_can_be_taken_away() -> None:
    without = {"resources", "affinity", "namespaceSelector", "settings.rules", "global"}

    for path, schema in parts(TREE):
        if "properties" in schema and path not in without and "[]" not in path:
            assert schema["required"] == [name for name in schema["properties"] if name != "global"], path


def test_the_defaults_are_right() -> None:
    assert errors({}) == []


@pytest.mark.parametrize("name", CI)
def test_the_sets_of_values_are_right(name: str) -> None:
    assert errors(yaml.safe_load(CI[name].read_text())) == []


@pytest.mark.parametrize("word", ["mode", "evictionStrategy", "webhookConfigurations"])
def test_a_bare_off_is_as_good_as_one_in_quotes(word: str) -> None:
    assert errors({"settings": yaml.safe_load(f"{word}: off")}) == []


def test_a_chart_that_depends_on_this_one_may_give_it_what_helm_gives() -> None:
    assert errors({"global": {"anything": 1}}) == []


@pytest.mark.parametrize(("path", "value"), WRONG, ids=IDS)
def test_a_wrong_value_is_an_error(path: str, value: Any) -> None:
    assert errors(tree({path: value}))


@pytest.mark.parametrize("lifetime", ["59m", "3599s"])
def test_a_lifetime_that_cert_manager_does_not_take_is_an_error_with_it_alone(lifetime: str) -> None:
    certificates = {"leafLifetime": lifetime, "source": "certManager", "issuerRef": {"name": "a"}}

    assert "certificates.leafLifetime" in errors({"certificates": certificates})[0]
    assert errors({"certificates": {**certificates, "leafLifetime": "3600s"}}) == []
    assert errors({"certificates": {"leafLifetime": lifetime}}) == []


@pytest.mark.parametrize("lifetime", ["3s", "9s", "10s", "1m", "799999h", "9999999m", "999999999s"])
def test_a_lifetime_that_the_schema_takes_can_be_used(lifetime: str) -> None:
    tree = {**render().installation, "certificates": {"source": "selfSigned", "secret": "ca", "caLifetime": lifetime}}
    tree["certificates"] |= {"leafLifetime": "3s", "trustDelay": "0.5s"}

    assert errors({"certificates": {"caLifetime": lifetime, "leafLifetime": lifetime}}) == []
    assert Installation.parse(tree)


@pytest.mark.parametrize("operator", ["In", "NotIn", "Exists", "DoesNotExist"])
def test_an_expression_with_the_values_that_its_operator_needs_is_right(operator: str) -> None:
    values = {"values": ["b", ""]} if operator in ("In", "NotIn") else {}

    assert (
        errors({"namespaceSelector": {"matchExpressions": [{"key": "x.io/a", "operator": operator, **values}]}}) == []
    )


def test_every_value_has_a_wrong_one() -> None:
    assert set(CASES) <= {path for path, _ in WRONG}


@pytest.mark.parametrize(("path", "value"), WRONG, ids=IDS)
def test_helm_names_a_wrong_value(path: str, value: Any) -> None:
    said = complaint(tree({path: value}))

    parent, _, name = path.rpartition(".")
    deeper = {"existingSecret": "existingSecret", "certManager": "issuerRef/name"}.get(str(value), name)
    place = "/".join(filter(None, ("", *parent.split("."), deeper)))
    assert any(words in said for words in (f"'/{place}", f"'{name}' not allowed", f"missing property '{name}'"))


@pytest.mark.parametrize(
    ("certificates", "words"),
    [
        ({"leafLifetime": "8760h"}, "certificates.leafLifetime must be shorter than certificates.caLifetime"),
        ({"caLifetime": "2m", "leafLifetime": "1m"}, "certificates.trustDelay must be less than a third"),
    ],
)
def test_helm_names_lifetimes_that_do_not_go_together(certificates: dict[str, str], words: str) -> None:
    assert words in complaint({"certificates": certificates})

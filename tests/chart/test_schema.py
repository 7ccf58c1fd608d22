"""A wrong value is an error that names it."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from tests.chart.helm import CI, RELEASE, render, run
from tests.chart.test_values import CASES, VALUES, tree
from tests.documentation import CHART, SCHEMA, schema_of_values
from webhook.installation import Installation

TREE = json.loads(SCHEMA.read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
VALIDATOR = jsonschema.Draft7Validator(TREE)


def expression(operator: str, values: list[str] | None = None, key: str = "a") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator} | ({} if values is None else {"values": values})]}


FLAGS = [value.path for value in VALUES if isinstance(value.default, bool)]
LABELS = ["nodeSelector", "podLabels", "commonLabels", *(path for path in CASES if path.endswith(".labels"))]
WRONG: dict[str, list[Any]] = {
    " ".join(FLAGS): ["yes", 1],
    " ".join(LABELS): [{"a": 1}, {"a": "b c"}, {"a": "-"}, {"a b": "c"}, []],
    "certificates.issuerRef.kind certificates.issuerRef.group": [""],
    "certificates.issuerRef.name certificates.existingSecret": ["a b", "a/b"],
    "clientAuthentication.configMap priorityClassName": ["A"],
    "settings.kubevirt.namespace settings.trident.namespace test.namespace": ["", "A", 2024],
    "image.repository": ["", "UPPER"],
    "image.tag": ["a b"],
    "image.digest": ["sha256:abc", "a" * 64],
    "image.pullPolicy": ["always"],
    "imagePullSecrets": [["registry"], [{"name": "a", "key": "b"}]],
    "replicaCount": [0, "2"],
    "settings.mode": ["refuse", True],
    "settings.rules": [{"shared-access": "no"}, []],
    "settings.evictionStrategy": ["LiveMigrate"],
    "settings.exemptions.maxDays": [0, 36501],
    "settings.exemptions.excludedUsers": [[""], "argo"],
    "settings.kubevirt.version": [1.8, "2.0"],
    "settings.webhookConfigurations": ["on"],
    "namespaceSelector": [
        {"app": "x"},
        {"matchLabels": {"app": True}},
        {"matchExpressions": [{"operator": "Exists"}]},
        {"matchExpressions": [{"key": "a", "operator": "Exists", "value": "b"}]},
        expression("Exists", key="a b"),
        *(expression(operator) for operator in ("Equals", "In")),
        *(expression(operator, ["b"]) for operator in ("Exists", "DoesNotExist")),
        *(expression("NotIn", values) for values in ([], ["b c"])),
    ],
    "certificates.source": ["cert-manager", "files"],
    "certificates.caLifetime": ["1y", 8760, "2s", "999999h"],
    "certificates.leafLifetime": ["0h", "2s"],
    "certificates.trustDelay": ["-1s"],
    "tls.minVersion": ["1.1", 1.2],
    "clientAuthentication.names": [[1]],
    "service.port": [0, "443"],
    "resources": [{"request": {}}],
    "tolerations": [{"key": "a"}],
    "affinity": [{"podAntiAfinity": {}}],
    "topologySpreadConstraints": [[{"topologyKey": "rack"}]],
    "podAnnotations": [{"a": True}],
    "podDisruptionBudget.maxUnavailable": [0, "0%"],
    "networkPolicy.apiServerPorts": [[], [70000]],
}
"""Of one or more values."""
ROWS = [(path, value) for paths, values in WRONG.items() for path in paths.split() for value in values]
RIGHT = [
    {},
    *(yaml.safe_load(path.read_text()) for path in CI.values()),
    *({"settings": {name: False}} for name in ("mode", "evictionStrategy", "webhookConfigurations")),
    {"global": {"anything": 1}},
    *({"namespaceSelector": expression(operator, ["b", ""])} for operator in ("In", "NotIn")),
    *({"namespaceSelector": expression(operator, key="x.io/a")} for operator in ("Exists", "DoesNotExist")),
]
"""Defaults, sets of values, a bare off, what Helm gives a subchart, and selectors."""
NAMED_BY_HELM = [
    ("settings.mode", "refuse", "'/settings/mode'"),
    ("settings.rules", {"shared-acess": "off"}, "'shared-acess' not allowed"),
    ("settings.kubevirt.version", "2.0", "'/settings/kubevirt/version'"),
    ("certificates.source", "certManager", "'/certificates/issuerRef/name'"),
    ("certificates.source", "existingSecret", "'/certificates/existingSecret'"),
    ("certificates.leafLifetime", "8760h", "certificates.leafLifetime must be shorter than certificates.caLifetime"),
    ("certificates", {"caLifetime": "2m", "leafLifetime": "1m"}, "certificates.trustDelay must be less than a third"),
    ("image", None, "missing property 'image'"),
    ("replicas", 2, "'replicas' not allowed"),
]


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return values as Helm merges them: null removes a default."""
    both = {key for key in base.keys() & over.keys() if isinstance(base[key], dict) and isinstance(over[key], dict)}
    found = {**base, **over, **{key: merged(base[key], over[key]) for key in both}}
    return {key: value for key, value in found.items() if value is not None}


def errors(values: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(merged(DEFAULTS, values))]


def test_the_schema_is_valid_and_generated_from_the_webhooks_types() -> None:
    assert TREE["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(TREE)
    assert SCHEMA.read_text() == schema_of_values()


def test_a_missing_value_is_an_error_and_so_is_an_unknown_one() -> None:
    groups = {path[: dot.start()] for path in CASES for dot in re.finditer(r"\.", path)}
    assert [path for path in (*groups, *CASES) if not errors(tree({path: None}))] == []
    assert [group for group in groups if not errors(tree({f"{group}.unknown": 1}))] == []


@pytest.mark.parametrize("values", RIGHT, ids=json.dumps)
def test_right_values_are_no_error(values: dict[str, Any]) -> None:
    assert errors(values) == []


@pytest.mark.parametrize(("path", "value"), ROWS, ids=[f"{path}={json.dumps(value)}" for path, value in ROWS])
def test_a_wrong_value_is_an_error(path: str, value: Any) -> None:
    assert errors(tree({path: value}))


def test_every_value_has_a_wrong_one() -> None:
    assert {path for path, _ in ROWS} == set(CASES)


@pytest.mark.parametrize(("path", "value", "words"), NAMED_BY_HELM, ids=[words for *_, words in NAMED_BY_HELM])
def test_helm_names_a_wrong_value(path: str, value: Any, words: str) -> None:
    done = run("template", RELEASE, str(CHART), "--values=-", stdin=json.dumps(tree({path: value})))
    assert (done.returncode != 0, words in done.stderr) == (True, True)


@pytest.mark.parametrize("lifetime", ["59m", "3599s"])
def test_a_lifetime_that_cert_manager_rejects_is_an_error_only_with_cert_manager(lifetime: str) -> None:
    certificates = {"leafLifetime": lifetime, "source": "certManager", "issuerRef": {"name": "a"}}
    assert "certificates.leafLifetime" in errors({"certificates": certificates})[0]
    assert errors({"certificates": {**certificates, "leafLifetime": "3600s"}}) == []
    assert errors({"certificates": {"leafLifetime": lifetime}}) == []


@pytest.mark.parametrize("lifetime", ["3s", "9s", "10s", "1m", "799999h", "9999999m", "999999999s"])
def test_the_webhook_accepts_every_lifetime_that_the_schema_accepts(lifetime: str) -> None:
    certificates = {"source": "selfSigned", "secret": "ca", "caLifetime": lifetime}
    certificates |= {"leafLifetime": "3s", "trustDelay": "0.5s"}
    assert errors({"certificates": {"caLifetime": lifetime, "leafLifetime": lifetime}}) == []
    assert Installation.parse({**render().installation, "certificates": certificates})

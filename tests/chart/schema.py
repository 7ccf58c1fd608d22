"""The schema of the chart's values: generated from the webhook's types for what it reads, written here for the rest.

It is JSON Schema of draft-07, which Helm 3 and Helm 4 read.
"""

from typing import Any

import msgspec

from webhook.installation import ClientAuthentication, Service, Tls
from webhook.policy.rules import RULES
from webhook.settings import Settings

Schema = dict[str, Any]

_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_LONGEST = 253
_HOURS_AND_MINUTES = r"[1-9][0-9]{0,6}m|([1-9][0-9]{0,4}|[1-7][0-9]{5})h"


def schema() -> Schema:
    """Return the schema of values.yaml."""
    parts = _of_the_webhook()
    values = _values(parts)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart migratability-webhook",
        **_closed(**values),
        "properties": {"global": {"type": "object", "description": "Helm passes it to a subchart."}, **values},
        "definitions": {
            **{name: parts[name] for name in ("Settings", "Exemptions", "KubeVirt", "Trident", "Tls")},
            "port": parts["Service"]["properties"]["port"],
            "labels": {"type": "object", "propertyNames": _ref("labelKey"), "additionalProperties": _ref("labelValue")},
            "labelKey": _text(rf"({_NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", 317),
            "labelValue": _text("([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", 63),
            "duration": {"description": "At most 100 years.", **_text(f"([1-9][0-9]{{0,8}}s|{_HOURS_AND_MINUTES})")},
            "lifetime": {
                "description": "At least 3 seconds, since certificates count whole ones; at most 100 years.",
                **_text(f"(([3-9]|[1-9][0-9]{{1,8}})s|{_HOURS_AND_MINUTES})"),
            },
        },
    }


def _of_the_webhook() -> dict[str, Schema]:
    """The schemas of the webhook's types, where all values are required and no rule is unknown."""
    types = (Settings, Service, Tls, ClientAuthentication)
    _, parts = msgspec.json.schema_components(types, ref_template="#/definitions/{name}")
    action = parts["Settings"]["properties"]["mode"]["enum"]
    rules = parts["Settings"]["properties"]["rules"]
    rules.update(additionalProperties=False, properties={rule.name: {"enum": action} for rule in RULES})
    for part in parts.values():
        part["required"] = list(part["properties"])
    return {name: _adapted(part) for name, part in parts.items()}


def _adapted(tree: Any) -> Any:
    """The same with a bare off, which YAML reads as false, and with $ for Python's \\Z."""
    if isinstance(tree, dict):
        return {key: _adapted(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [*tree, False] if "off" in tree else [_adapted(value) for value in tree]
    return tree.replace(r"\Z", "$") if isinstance(tree, str) else tree


def _values(parts: dict[str, Schema]) -> dict[str, Schema]:
    name, no_name_or_one = _text(_NAME, _LONGEST), _text(f"({_NAME})?", _LONGEST)
    anything, flag, some_text = {"type": "object"}, {"type": "boolean"}, {"type": "string", "minLength": 1}
    labels, label_value, port = _ref("labels"), _ref("labelValue"), _ref("port")
    labelled = _closed(enabled=flag, labels=labels)
    operators = {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}
    expression = {
        **_optional(key=_ref("labelKey"), operator=operators, values=_list(label_value)),
        "required": ["key", "operator"],
        "if": {"properties": {"operator": {"enum": ["In", "NotIn"]}}},
        "then": {"required": ["values"], "properties": {"values": {"minItems": 1}}},
        "else": {"properties": {"values": {"maxItems": 0}}},
    }
    certificates = _closed(
        source={"enum": ["selfSigned", "certManager", "serviceCA", "existingSecret"]},
        caLifetime=_ref("lifetime"),
        leafLifetime=_ref("lifetime"),
        trustDelay=_ref("duration"),
        issuerRef=_closed(name=no_name_or_one, kind=some_text, group=some_text),
        existingSecret=no_name_or_one,
    )
    hours = "([1-9][0-9]*h|([6-9][0-9]|[1-9][0-9]{2,})m|(3[6-9][0-9]{2}|[4-9][0-9]{3}|[1-9][0-9]{4,})s)"
    of_hours = {"description": "cert-manager takes none below an hour.", **_text(hours)}
    issuer = {"properties": {"name": {"minLength": 1}}}
    return {
        "image": _closed(
            repository=_text("[a-z0-9][a-zA-Z0-9._:/-]*"),
            tag=_text("([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"),
            digest=_text("(sha256:[a-f0-9]{64})?"),
            pullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
        ),
        "imagePullSecrets": _list(_closed(name=name)),
        "replicaCount": {"type": "integer", "minimum": 1},
        "settings": _ref("Settings"),
        "namespaceSelector": _optional(matchLabels=labels, matchExpressions=_list(expression)),
        "certificates": {
            **certificates,
            "allOf": [
                _with_source("certManager", {"issuerRef": issuer, "leafLifetime": of_hours}),
                _with_source("existingSecret", {"existingSecret": {"minLength": 1}}),
            ],
        },
        "tls": _ref("Tls"),
        "clientAuthentication": _closed(
            configMap=no_name_or_one, names=parts["ClientAuthentication"]["properties"]["names"]
        ),
        "service": _closed(port=port),
        "resources": _optional(requests=anything, limits=anything),
        "nodeSelector": labels,
        "tolerations": _list(anything),
        "affinity": _optional(nodeAffinity=anything, podAffinity=anything, podAntiAffinity=anything),
        "topologySpreadConstraints": _list({**anything, "required": ["topologyKey", "maxSkew", "whenUnsatisfiable"]}),
        "priorityClassName": no_name_or_one,
        "podAnnotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "podLabels": labels,
        "commonLabels": labels,
        "podDisruptionBudget": _closed(
            enabled=flag,
            maxUnavailable={"anyOf": [{"type": "integer", "minimum": 1}, _text("([1-9]|[1-9][0-9]|100)%")]},
        ),
        "networkPolicy": _closed(enabled=flag, apiServerPorts={**_list(port), "minItems": 1}),
        "serviceMonitor": labelled,
        "prometheusRule": labelled,
        "dashboard": labelled,
        "exemptRole": _closed(aggregateToAdmin=flag),
        "test": _closed(namespace=_text("[a-z0-9]([-a-z0-9]*[a-z0-9])?", 63)),
    }


def _with_source(source: str, properties: Schema) -> Schema:
    return {
        "if": {"properties": {"source": {"const": source}}, "required": ["source"]},
        "then": {"properties": properties},
    }


def _optional(**properties: Schema) -> Schema:
    """An object that may have these properties and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _closed(**properties: Schema) -> Schema:
    """An object that has these properties and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _list(entries: Schema) -> Schema:
    return {"type": "array", "items": entries}


def _text(pattern: str, longest: int | None = None) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$", **({"maxLength": longest} if longest else {})}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}

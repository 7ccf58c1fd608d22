"""The schemas of Kubernetes' own kinds, by version."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource


def errors(obj: dict[str, Any], version: str) -> Iterator[str]:
    """Yield what a version of Kubernetes would find wrong with an object, unknown fields included."""
    for error in _validator(obj["kind"].lower(), obj["apiVersion"], version).iter_errors(obj):
        yield f"{obj['kind']} {obj['metadata']['name']}: {error.json_path}: {error.message}"


@cache
def _validator(kind: str, api_version: str, version: str) -> jsonschema.Draft202012Validator:
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    group_version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = schema_contents(f"{folder}/{kind}-{group_version}.json", version)
    return jsonschema.Draft202012Validator(schema, registry=_definitions(folder, version))


@cache
def _definitions(folder: str, version: str) -> "Registry[Any]":
    return Resource.from_contents(schema_contents(f"{folder}/_definitions.json", version)) @ Registry()

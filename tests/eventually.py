"""Waiting for what no event reports, and kinds that an API server is to know."""

import time
from collections.abc import Callable
from typing import Any

from tests.build import Object

DEADLINE = 240.0
"""For how many seconds a test waits."""


def definition(group: str, version: str, plural: str, kind: str, scope: str = "Cluster") -> Object:
    """Return the CustomResourceDefinition of a kind whose objects may hold anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": scope, "versions": versions},
    }


def eventually(what: str, condition: Callable[[], Any]) -> Any:
    """Poll what no event reports; return what the condition gives once it is true, fail after the deadline."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still not so: {what}"
        time.sleep(0.05)  # nothing can be awaited: the processes behind it are not ours, and send no event
    return found

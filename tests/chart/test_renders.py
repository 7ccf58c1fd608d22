"""Every set of values renders objects that Kubernetes accepts."""

import json
import re
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from tests.chart.helm import CI, KUBERNETES, NAMESPACE, RELEASE, Object, printed, render, render_ci
from tests.chart.test_values import tree
from tests.documentation import CHART

OF_OTHERS = {"Certificate": "cert-manager.io/v1"} | dict.fromkeys(
    ("PrometheusRule", "ServiceMonitor"), "monitoring.coreos.com/v1"
)
"""Kinds that Kubernetes does not have, and their versions."""
CREATED_BY_THE_WEBHOOK = {"Secret", "Lease", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
OF_CONTROLLERS = r'"(caBundle|uid|resourceVersion|status|nodePort|clusterIP|ownerReferences)":'


@cache
def definitions(folder: str, version: str) -> "Registry[Any]":
    return Resource.from_contents(schema_contents(f"{folder}/_definitions.json", version)) @ Registry()


def errors(obj: Object, version: str) -> list[str]:
    """Return what a version of Kubernetes finds wrong with an object, unknown fields included."""
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    group_version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", obj["apiVersion"])
    schema = schema_contents(f"{folder}/{obj['kind'].lower()}-{group_version}.json", version)
    validator = jsonschema.Draft202012Validator(schema, registry=definitions(folder, version))
    return [f"{obj['kind']} {obj['metadata']['name']}: {error.message}" for error in validator.iter_errors(obj)]


def leaves_of(tree: object) -> list[object]:
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return [tree] if branches is None else [leaf for branch in branches for leaf in leaves_of(branch)]


@pytest.mark.parametrize("name", CI)
def test_helm_lint_finds_nothing(name: str) -> None:
    assert "0 chart(s) failed" in printed("lint", str(CHART), "--strict", "--values", str(CI[name]))


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_kubernetes_from_1_30_to_1_37_gets_the_same_valid_objects(version: str) -> None:
    objects = {json.dumps(obj): obj for name in CI for obj in render_ci(name).objects if obj["kind"] not in OF_OTHERS}
    assert [error for obj in objects.values() for error in errors(obj, version)] == []
    assert errors({**render().get("Service"), "spce": {}}, version), "an unknown field is an error"
    assert render(kubernetes=version).text == render().text


@pytest.mark.parametrize("name", CI)
def test_objects_are_unique_labelled_in_their_namespace_and_leave_out_what_controllers_write(name: str) -> None:
    objects = render_ci(name).objects
    places = [(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in objects]
    assert len(places) == len(set(places))
    for kind, namespace, called in places:
        of_the_test = kind in ("Role", "RoleBinding") and called == f"{RELEASE}-test"
        wide = kind in ("ClusterRole", "ClusterRoleBinding")
        assert namespace in (("default", "staging") if of_the_test else (None,) if wide else (NAMESPACE,))
    for obj in objects:
        assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= set(obj["metadata"]["labels"])
        assert obj["kind"] not in CREATED_BY_THE_WEBHOOK
        assert obj["apiVersion"] == OF_OTHERS.get(obj["kind"], obj["apiVersion"])
        assert not re.search(OF_CONTROLLERS, json.dumps(obj))


@pytest.mark.parametrize(
    ("release", "name"),
    [(RELEASE, RELEASE), (f"my-{RELEASE}", f"my-{RELEASE}"), ("vms", f"vms-{RELEASE}"), ("a" * 53, "a" * 50)],
)
def test_names_follow_the_release_and_leave_room_for_suffixes(release: str, name: str) -> None:
    rendered = render(release=release)
    assert rendered.get("Deployment", name=name)
    assert all(len(obj["metadata"]["name"]) <= 63 or "Role" in obj["kind"] for obj in rendered.objects)


def test_a_name_of_digits_is_rendered_as_a_name() -> None:
    digits = "2024"
    namespaces = ("settings.kubevirt.namespace", "settings.trident.namespace", "test.namespace")
    names = ("image.tag", "certificates.existingSecret", "clientAuthentication.configMap", "priorityClassName")
    labels = ("podLabels.a", "commonLabels.b", "nodeSelector.c", "namespaceSelector.matchLabels.d")
    lists = {"clientAuthentication.names": [digits], "imagePullSecrets": [{"name": digits}]}
    flat = dict.fromkeys((*namespaces, *names, *labels), digits)
    values = tree({**flat, **lists, "certificates.source": "existingSecret"})
    rendered = render(values, namespace=digits, release=digits)
    config = rendered.get("ConfigMap", name=f"{digits}-{RELEASE}")["data"]
    everything = [*rendered.objects, *map(yaml.safe_load, (config["installation.yaml"], config["settings.yaml"]))]
    assert digits in leaves_of(everything)
    assert int(digits) not in leaves_of(everything)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {},
            [
                f"helm test {RELEASE} --namespace {NAMESPACE}",
                "denied from now on",
                "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration migratability",
                "settings.webhookConfigurations=off",
                "KubeVirt is not installed yet",
            ],
        ),
        ({"settings": {"mode": "warn"}}, ["Nothing is denied yet"]),
        ({"settings": {"mode": "off"}}, ["Nothing is checked, because settings.mode is off"]),
        ({"settings": {"webhookConfigurations": "off"}}, ["no webhook configurations"]),
        ({"settings": {"webhookConfigurations": False}}, ["no webhook configurations"]),
        ({"replicaCount": 1}, ["There is one replica"]),
        ({"certificates": {"source": "certManager", "issuerRef": {"name": "a"}}}, ["keeps the Secret"]),
        ({"prometheusRule": {"enabled": True}}, ["MigratabilityDown is not installed, because serviceMonitor.enabled"]),
    ],
)
def test_the_notes_say_what_to_do_next_with_these_values(values: Object, words: list[str]) -> None:
    arguments = ("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", "--values", "-")
    notes = printed(*arguments, stdin=json.dumps(values)).partition("\nNOTES:\n")[2]
    assert [missing for missing in words if missing not in notes] == []


@pytest.mark.cluster
@pytest.mark.parametrize("name", CI)
def test_helm_3_renders_the_same_objects(name: str) -> None:
    with_helm_3 = render(yaml.safe_load(CI[name].read_text()), program="helm3")
    assert sorted(map(json.dumps, with_helm_3.objects)) == sorted(map(json.dumps, render_ci(name).objects))

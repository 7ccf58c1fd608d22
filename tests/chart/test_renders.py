"""Every set of values gives objects that Kubernetes takes."""

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.chart.helm import CI, KUBERNETES, NAMESPACE, RELEASE, Object, lint, notes, render, render_ci
from tests.chart.kubernetes_schemas import errors

OF_OTHERS = {"Certificate": "cert-manager.io/v1"} | dict.fromkeys(
    ("PrometheusRule", "ServiceMonitor"), "monitoring.coreos.com/v1"
)
"""Kinds that Kubernetes does not know, and their versions."""
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding"}
NEVER_OURS = ("caBundle", "uid", "resourceVersion", "status", "nodePort", "clusterIP", "ownerReferences")
"""Fields that controllers own."""


def keys_of(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        yield from tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from keys_of(branch)


def leaves_of(tree: object) -> list[object]:
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return [tree] if branches is None else [leaf for branch in branches for leaf in leaves_of(branch)]


@pytest.mark.parametrize("name", CI)
def test_helm_finds_nothing_to_complain_about(name: str) -> None:
    assert "0 chart(s) failed" in lint(CI[name])


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_kubernetes_from_1_30_to_1_37_takes_every_object_of_every_set_of_values(version: str) -> None:
    objects = {json.dumps(obj): obj for name in CI for obj in render_ci(name).objects if obj["kind"] not in OF_OTHERS}

    assert [error for obj in objects.values() for error in errors(obj, version)] == []


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_chart_is_the_same_for_every_kubernetes(version: str) -> None:
    assert render(kube_version=f"{version}.0").text == render().text


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    service = {**render().get("Service"), "spce": {}}

    assert list(errors(service, "1.37"))


@pytest.mark.parametrize("name", CI)
def test_objects_of_other_projects_have_the_version_that_these_serve(name: str) -> None:
    found = {obj["kind"]: obj["apiVersion"] for obj in render_ci(name).objects if obj["kind"] in OF_OTHERS}

    assert found.items() <= OF_OTHERS.items()


@pytest.mark.parametrize("name", CI)
def test_no_field_is_rendered_that_a_controller_owns(name: str) -> None:
    assert not {key for obj in render_ci(name).objects for key in keys_of(obj)} & set(NEVER_OURS)


@pytest.mark.parametrize("name", CI)
def test_what_the_webhook_makes_itself_is_not_rendered(name: str) -> None:
    kinds = {obj["kind"] for obj in render_ci(name).objects}

    assert not kinds & {"Secret", "Lease", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}


@pytest.mark.parametrize("name", CI)
def test_no_object_is_rendered_twice(name: str) -> None:
    places = [
        (obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in render_ci(name).objects
    ]

    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", CI)
def test_everything_says_in_which_namespace_it_is(name: str) -> None:
    rendered = render_ci(name)
    elsewhere = {(obj["kind"], namespace_of(obj)) for obj in rendered.objects if namespace_of(obj) != NAMESPACE}

    of_the_test = {("Role", "default"), ("RoleBinding", "default"), ("Role", "staging"), ("RoleBinding", "staging")}
    assert elsewhere - of_the_test <= {(kind, None) for kind in CLUSTER_WIDE}


@pytest.mark.parametrize("name", CI)
def test_everything_carries_the_common_labels(name: str) -> None:
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}

    assert all(wanted <= set(obj["metadata"]["labels"]) for obj in render_ci(name).objects)


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("migratability-webhook", "migratability-webhook"),
        ("my-migratability-webhook", "my-migratability-webhook"),
        ("vms", "vms-migratability-webhook"),
        ("a" * 53, "a" * 50),
    ],
)
def test_names_follow_the_release_and_leave_room_for_suffixes(release: str, name: str) -> None:
    rendered = render(release=release)

    assert rendered.get("Deployment", name=name)
    assert len(rendered.get("Job", "-unregister", name=name)["metadata"]["name"]) <= 63


def test_a_name_of_digits_is_rendered_as_a_name() -> None:
    digits = "2024"
    values = {
        "settings": {"kubevirt": {"namespace": digits}, "trident": {"namespace": digits}},
        "image": {"tag": digits},
        "certificates": {"source": "existingSecret", "existingSecret": digits},
        "clientAuthentication": {"configMap": digits, "names": [digits]},
        "imagePullSecrets": [{"name": digits}],
        "priorityClassName": digits,
        "podLabels": {"a": digits},
        "commonLabels": {"b": digits},
        "nodeSelector": {"c": digits},
        "namespaceSelector": {"matchLabels": {"d": digits}},
        "test": {"namespace": digits},
    }
    rendered = render(values, namespace=digits, release=digits)
    name = f"{digits}-{RELEASE}"
    config = rendered.get("ConfigMap", name=name)["data"]
    everything = [*rendered.objects, *map(yaml.safe_load, (config["installation.yaml"], config["settings.yaml"]))]

    assert digits in leaves_of(everything)
    assert int(digits) not in leaves_of(everything)


def test_the_owner_of_the_webhook_configurations_gives_no_right() -> None:
    assert render().get("ClusterRole", "-registrations")["rules"] == []


def namespace_of(obj: Object) -> str | None:
    found: str | None = obj["metadata"].get("namespace")
    return found


def test_the_notes_say_what_to_do_next() -> None:
    said = notes()

    assert f"helm test {RELEASE} --namespace {NAMESPACE}" in said
    assert "denied from now on" in said
    assert "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration migratability" in said
    assert "settings.webhookConfigurations=off" in said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"settings": {"mode": "warn"}}, "Nothing is denied yet"),
        ({"settings": {"mode": "off"}}, "Nothing is evaluated"),
        ({"settings": {"webhookConfigurations": "off"}}, "registered nowhere"),
        ({"settings": {"webhookConfigurations": False}}, "registered nowhere"),
        ({"replicaCount": 1}, "One replica"),
        ({"certificates": {"source": "certManager", "issuerRef": {"name": "a"}}}, "keeps the Secret"),
        ({"prometheusRule": {"enabled": True}}, "MigratabilityDown is left out, since serviceMonitor.enabled is off"),
        ({}, "no KubeVirt yet"),
    ],
)
def test_the_notes_know_the_values(values: Object, words: str) -> None:
    assert words in notes(values)


@pytest.mark.cluster
@pytest.mark.parametrize("name", CI)
def test_helm_3_renders_the_same_objects(name: str) -> None:
    with_helm_3 = render(yaml.safe_load(CI[name].read_text()), program="helm3")

    assert sorted(map(json.dumps, with_helm_3.objects)) == sorted(map(json.dumps, render_ci(name).objects))

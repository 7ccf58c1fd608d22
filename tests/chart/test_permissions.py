"""The webhook may do what it needs, and nothing else."""

import pytest

from tests.chart.helm import CI, NAMESPACE, RELEASE, Object, Rendered, render, render_ci
from webhook.cluster.interface import Right
from webhook.doctor.rights import as_leader, to_act, to_read
from webhook.installation import Installation
from webhook.names import CONFIGURATION, VERB

ADMISSION, RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"


def rights(*roles: Object) -> set[Right]:
    return {
        Right(verb, group, resource, role["metadata"].get("namespace", ""), name)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


def on(group: str, resource: str, names: str, verbs: str, namespace: str = "") -> set[Right]:
    return {Right(verb, group, resource, namespace, name) for name in names.split(" ") for verb in verbs.split()}


def roles(rendered: Rendered) -> list[Object]:
    return [obj for obj in rendered.objects if obj["kind"] in ("Role", "ClusterRole")]


OF_OTHERS: dict[tuple[str, str], set[Right]] = {
    ("ClusterRole", "-webhook-configurations"): set(),
    ("ClusterRole", "-cleanup"): {
        *on(RBAC, "clusterroles", f"{RELEASE}-webhook-configurations", "get delete"),
        *on(ADMISSION, "validatingwebhookconfigurations", f"{CONFIGURATION} {CONFIGURATION}-probe", "get delete"),
        *on(ADMISSION, "mutatingwebhookconfigurations", CONFIGURATION, "get delete"),
    },
    ("Role", "-cleanup"): {
        *on("coordination.k8s.io", "leases", RELEASE, "get delete", NAMESPACE),
        *on("", "secrets", f"{RELEASE}-ca", "get delete", NAMESPACE),
    },
    ("Role", "-test"): on("kubevirt.io", "virtualmachines", "", "create", "default"),
    ("Role", "-test-service"): on("", "services", RELEASE, "get", NAMESPACE),
    ("ClusterRole", "-test-versions"): {
        *on("cdi.kubevirt.io", "cdis", "", "list"),
        *on("trident.netapp.io", "tridentversions", "", "list"),
    },
    ("ClusterRole", "-exempt"): on("kubevirt.io", "virtualmachines", "", VERB),
    ("ClusterRole", "-exempt-namespaces"): on("", "namespaces", "", VERB),
}
"""What the roles grant that are not the webhook's own."""
OWN = [("ClusterRole", ""), ("ClusterRole", "-reads"), ("Role", "")]


@pytest.mark.parametrize("name", CI)
def test_the_webhook_is_granted_exactly_the_rights_that_the_doctor_checks(name: str) -> None:
    rendered = render_ci(name)
    needed = {*to_read(), *to_act(), *as_leader(Installation.parse(rendered.installation))}
    assert rights(*(rendered.get(*role) for role in OWN)) == needed


def test_each_other_role_grants_what_is_needed_and_there_are_no_more() -> None:
    found = {(role["kind"], role["metadata"]["name"].removeprefix(RELEASE)): rights(role) for role in roles(render())}
    assert {role: granted for role, granted in found.items() if role not in OWN} == OF_OTHERS


def test_the_right_to_exempt_is_bound_to_nobody_and_given_to_namespace_admins_only_on_request() -> None:
    bound = {obj["roleRef"]["name"] for obj in render().objects if "roleRef" in obj}
    assert not bound & {f"{RELEASE}-exempt", f"{RELEASE}-exempt-namespaces"}

    def aggregated(rendered: Rendered) -> list[str]:
        return [role["metadata"]["name"] for role in roles(rendered) if RBAC in str(role["metadata"]["labels"])]

    assert aggregated(render()) == []
    assert aggregated(render({"exemptRole": {"aggregateToAdmin": True}})) == [f"{RELEASE}-exempt"]


@pytest.mark.parametrize("name", CI)
def test_no_role_has_a_wildcard_and_secrets_are_read_only_with_the_self_signed_ca(name: str) -> None:
    granted = rights(*roles(render_ci(name)))
    assert not [right for right in granted if "*" in (right.group, right.resource, right.name, right.verb)]
    self_signed = render_ci(name).installation["certificates"]["source"] == "selfSigned"
    assert any(right.resource == "secrets" for right in granted) == self_signed


@pytest.mark.parametrize("name", CI)
def test_bindings_and_pods_use_roles_and_accounts_of_this_release(name: str) -> None:
    rendered = render_ci(name)
    there = {(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in rendered.objects}
    for binding in (obj for obj in rendered.objects if "roleRef" in obj):
        place, role = binding["metadata"].get("namespace"), binding["roleRef"]
        assert (role["kind"], place if role["kind"] == "Role" else None, role["name"]) in there
        (subject,) = binding["subjects"]
        assert (subject["kind"], subject["namespace"], subject["name"]) in there
    for pod in rendered.pods.values():
        assert ("ServiceAccount", NAMESPACE, pod["spec"]["serviceAccountName"]) in there

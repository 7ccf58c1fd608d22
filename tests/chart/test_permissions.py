"""The webhook may do what it needs, and nothing else."""

import pytest

from tests.chart.helm import CI, NAMESPACE, RELEASE, Object, Rendered, render, render_ci
from webhook.cluster.interface import Right as Asked
from webhook.cluster.resources import RESOURCES
from webhook.doctor.rights import as_leader, to_act, to_read
from webhook.installation import Installation
from webhook.names import CONFIGURATION, VERB

Right = tuple[str, str, str, str]
"""Group, resource, name or "", verb."""

ADMISSION, RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
VALIDATING, MUTATING = "validatingwebhookconfigurations", "mutatingwebhookconfigurations"
PROBE, OWNER = f"{CONFIGURATION}-probe", f"{RELEASE}-webhook-configurations"
READ = ("get", "list", "watch")
KEEP = ("get", "create", "update", "patch", "delete")
REMOVE = ("get", "delete")


def rights(role: Object) -> set[Right]:
    return {
        (group, resource, name, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


def on(group: str, resource: str, name: str, *verbs: str) -> set[Right]:
    return {(group, resource, name, verb) for verb in verbs}


def roles(rendered: Rendered) -> list[Object]:
    return [obj for obj in rendered.objects if obj["kind"] in ("Role", "ClusterRole")]


PERMISSIONS: dict[tuple[str, str], set[Right]] = {
    ("ClusterRole", "-reads"): {
        (resource.group, resource.plural, "", verb)
        for resource in RESOURCES
        for verb in (READ if resource.watched else ("get",))
    },
    ("ClusterRole", ""): {
        *on("kubevirt.io", "virtualmachines", "", "patch"),
        *on("kubevirt.io", "virtualmachineinstancereplicasets", "", "patch"),
        *on("authorization.k8s.io", "subjectaccessreviews", "", "create"),
        *on("", "events", "", "create"),
        *on(ADMISSION, VALIDATING, CONFIGURATION, *KEEP, *READ),
        *on(ADMISSION, VALIDATING, PROBE, *KEEP),
        *on(ADMISSION, MUTATING, CONFIGURATION, *KEEP, *READ),
        *on(RBAC, "clusterroles", OWNER, "get"),
    },
    ("Role", ""): {
        *on("coordination.k8s.io", "leases", "", "create"),
        *on("coordination.k8s.io", "leases", RELEASE, "get", "update", "delete"),
        *on("", "secrets", "", "create"),
        *on("", "secrets", f"{RELEASE}-ca", *READ, "update", "delete"),
        *on("", "pods", "", "list"),
    },
    ("ClusterRole", "-webhook-configurations"): set(),
    ("ClusterRole", "-cleanup"): {
        *on(RBAC, "clusterroles", OWNER, *REMOVE),
        *on(ADMISSION, VALIDATING, CONFIGURATION, *REMOVE),
        *on(ADMISSION, VALIDATING, PROBE, *REMOVE),
        *on(ADMISSION, MUTATING, CONFIGURATION, *REMOVE),
    },
    ("Role", "-cleanup"): {
        *on("coordination.k8s.io", "leases", RELEASE, *REMOVE),
        *on("", "secrets", f"{RELEASE}-ca", *REMOVE),
    },
    ("Role", "-test"): on("kubevirt.io", "virtualmachines", "", "create"),
    ("Role", "-test-service"): on("", "services", RELEASE, "get"),
    ("ClusterRole", "-test-versions"): {
        *on("cdi.kubevirt.io", "cdis", "", "list"),
        *on("trident.netapp.io", "tridentversions", "", "list"),
    },
    ("ClusterRole", "-exempt"): on("kubevirt.io", "virtualmachines", "", VERB),
    ("ClusterRole", "-exempt-namespaces"): on("", "namespaces", "", VERB),
}


def test_each_role_grants_what_is_needed_and_there_are_no_others() -> None:
    found = {(role["kind"], role["metadata"]["name"].removeprefix(RELEASE)): rights(role) for role in roles(render())}
    assert found == PERMISSIONS


def test_the_roles_of_the_test_exist_only_while_it_runs_and_in_its_namespace() -> None:
    rendered = render()
    of_the_test = [role for role in roles(rendered) if "-test" in role["metadata"]["name"]]
    assert all(role["metadata"]["annotations"]["helm.sh/hook"] == "test" for role in of_the_test)
    assert rendered.get("Role", "-test")["metadata"]["namespace"] == "default"
    assert rendered.get("RoleBinding", "-test")["metadata"]["namespace"] == "default"


def test_the_right_to_exempt_is_bound_to_nobody_and_given_to_namespace_admins_only_on_request() -> None:
    rendered, everything = render(), render({"exemptRole": {"aggregateToAdmin": True}})
    bound = {obj["roleRef"]["name"] for obj in rendered.objects if "roleRef" in obj}
    assert not bound & {f"{RELEASE}-exempt", f"{RELEASE}-exempt-namespaces"}
    labels = rendered.get("ClusterRole", "-exempt")["metadata"]["labels"]
    assert not any(key.startswith(f"{RBAC}/") for key in labels)
    aggregated = [role for role in roles(everything) if f"{RBAC}/aggregate-to-admin" in role["metadata"]["labels"]]
    assert [role["metadata"]["name"] for role in aggregated] == [f"{RELEASE}-exempt"]


@pytest.mark.parametrize("name", CI)
def test_no_role_has_a_wildcard_and_secrets_are_read_only_with_the_self_signed_ca(name: str) -> None:
    granted = [right for role in roles(render_ci(name)) for right in rights(role)]
    assert not [right for right in granted if "*" in right]
    self_signed = render_ci(name).installation["certificates"]["source"] == "selfSigned"
    assert any(resource == "secrets" for _, resource, *_ in granted) == self_signed


@pytest.mark.parametrize("name", CI)
def test_the_doctor_checks_exactly_the_rights_that_the_chart_grants_the_webhook(name: str) -> None:
    rendered = render_ci(name)
    granted = {
        Asked(verb, group, resource, role["metadata"].get("namespace", ""), called)
        for role in (rendered.get("ClusterRole"), rendered.get("ClusterRole", "-reads"), rendered.get("Role"))
        for group, resource, called, verb in rights(role)
    }
    assert {*to_read(), *to_act(), *as_leader(Installation.parse(rendered.installation))} == granted


@pytest.mark.parametrize("name", CI)
def test_bindings_and_pods_use_roles_and_accounts_of_this_release(name: str) -> None:
    rendered = render_ci(name)
    there = {(obj["kind"], obj["metadata"]["name"]) for obj in rendered.objects}
    for binding in (obj for obj in rendered.objects if "roleRef" in obj):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in there
        (subject,) = binding["subjects"]
        assert (subject["kind"], subject["name"]) in there
        assert subject["namespace"] == NAMESPACE
    job = rendered.get("Job", "-cleanup")["spec"]["template"]["spec"]
    for spec in (rendered.pod, rendered.get("Pod", "-test")["spec"], job):
        assert ("ServiceAccount", spec["serviceAccountName"]) in there

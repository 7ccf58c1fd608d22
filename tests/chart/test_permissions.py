"""The webhook may do what it needs, and nothing else."""

from collections.abc import Iterator

import pytest

from tests.chart.helm import CI, NAMESPACE, RELEASE, Object, Rendered, render, render_ci
from webhook.cluster.interface import Right as Asked
from webhook.cluster.resources import RESOURCES
from webhook.doctor.rights import as_leader, to_act, to_read
from webhook.installation import Installation
from webhook.names import CONFIGURATION, VERB

Right = tuple[str, str, str, str]
"""Group, resource, name or "", verb."""


def rights(role: Object) -> set[Right]:
    return set(_rights(role))


def _rights(role: Object) -> Iterator[Right]:
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [""]):
                    for verb in rule["verbs"]:
                        yield group, resource, name, verb


def on(group: str, resource: str, name: str, *verbs: str) -> set[Right]:
    return {(group, resource, name, verb) for verb in verbs}


def roles(rendered: Rendered) -> list[Object]:
    return [obj for obj in rendered.objects if obj["kind"] in ("Role", "ClusterRole")]


ADMISSION, RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
VALIDATING, MUTATING = "validatingwebhookconfigurations", "mutatingwebhookconfigurations"
PROBE = f"{CONFIGURATION}-probe"


def test_it_reads_what_a_verdict_rests_on_and_nothing_else() -> None:
    needed = {
        (resource.group, resource.plural, "", verb)
        for resource in RESOURCES
        for verb in (("get", "list", "watch") if resource.watched else ("get",))
    }

    assert rights(render().get("ClusterRole", "-reads")) == needed


def test_in_the_cluster_it_keeps_its_webhook_configurations_by_name_and_clears_unverified_annotations() -> None:
    keep = ("get", "create", "update", "patch", "delete")
    watch = ("list", "watch")

    assert rights(render().get("ClusterRole")) == {
        *on("kubevirt.io", "virtualmachines", "", "patch"),
        *on("kubevirt.io", "virtualmachineinstancereplicasets", "", "patch"),
        *on("authorization.k8s.io", "subjectaccessreviews", "", "create"),
        *on("", "events", "", "create"),
        *on(ADMISSION, VALIDATING, CONFIGURATION, *keep, *watch),
        *on(ADMISSION, VALIDATING, PROBE, *keep),
        *on(ADMISSION, MUTATING, CONFIGURATION, *keep, *watch),
        *on(RBAC, "clusterroles", f"{RELEASE}-registrations", "get"),
    }


def test_in_its_namespace_it_keeps_a_lease_and_its_ca() -> None:
    assert rights(render().get("Role")) == {
        *on("coordination.k8s.io", "leases", "", "create"),
        *on("coordination.k8s.io", "leases", RELEASE, "get", "update", "delete"),
        *on("", "secrets", "", "create"),
        *on("", "secrets", f"{RELEASE}-ca", "get", "list", "watch", "update", "delete"),
        *on("", "pods", "", "list"),
    }


@pytest.mark.parametrize("name", ["cert-manager", "openshift", "existing-secret"])
def test_no_secret_can_be_read_where_the_kubelet_mounts_it(name: str) -> None:
    assert not [right for role in roles(render_ci(name)) for right in rights(role) if right[1] == "secrets"]


def test_the_job_before_an_uninstall_deletes_what_the_webhook_made() -> None:
    rendered = render()

    assert rights(rendered.get("ClusterRole", "-unregister")) == {
        *on(RBAC, "clusterroles", f"{RELEASE}-registrations", "get", "delete"),
        *on(ADMISSION, VALIDATING, CONFIGURATION, "get", "delete"),
        *on(ADMISSION, VALIDATING, PROBE, "get", "delete"),
        *on(ADMISSION, MUTATING, CONFIGURATION, "get", "delete"),
    }
    assert rights(rendered.get("Role", "-unregister")) == {
        *on("coordination.k8s.io", "leases", RELEASE, "get", "delete"),
        *on("", "secrets", f"{RELEASE}-ca", "get", "delete"),
    }


def test_vms_may_be_created_by_the_test_alone_and_in_one_namespace() -> None:
    rendered = render()
    role = rendered.get("Role", "-test")

    assert rights(role) == on("kubevirt.io", "virtualmachines", "", "create")
    assert role["metadata"]["namespace"] == rendered.get("RoleBinding", "-test")["metadata"]["namespace"] == "default"
    assert "helm.sh/hook" in role["metadata"]["annotations"]


def test_the_service_may_be_read_by_the_test_alone() -> None:
    role = render().get("Role", "-test-service")

    assert rights(role) == on("", "services", RELEASE, "get")
    assert "helm.sh/hook" in role["metadata"]["annotations"]


def test_versions_of_cdi_and_trident_may_be_listed_by_the_test_alone() -> None:
    role = render().get("ClusterRole", "-test-versions")

    assert rights(role) == {
        *on("cdi.kubevirt.io", "cdis", "", "list"),
        *on("trident.netapp.io", "tridentversions", "", "list"),
    }
    assert "helm.sh/hook" in role["metadata"]["annotations"]


@pytest.mark.parametrize("name", CI)
def test_the_doctor_asks_for_exactly_the_rights_that_the_chart_gives_the_webhook(name: str) -> None:
    rendered = render_ci(name)
    needed = {*to_read(), *to_act(), *as_leader(Installation.parse(rendered.installation))}
    given = {
        Asked(verb, group, resource, role["metadata"].get("namespace", ""), called)
        for role in (rendered.get("ClusterRole"), rendered.get("ClusterRole", "-reads"), rendered.get("Role"))
        for group, resource, called, verb in rights(role)
    }

    assert needed == given


def test_the_right_to_exempt_is_there_to_be_bound_and_bound_to_nobody() -> None:
    rendered = render()

    assert rights(rendered.get("ClusterRole", "-exempt")) == on("kubevirt.io", "virtualmachines", "", VERB)
    assert rights(rendered.get("ClusterRole", "-exempt-namespaces")) == on("", "namespaces", "", VERB)
    bound = {obj["roleRef"]["name"] for obj in rendered.objects if "roleRef" in obj}
    assert not bound & {f"{RELEASE}-exempt", f"{RELEASE}-exempt-namespaces"}


def test_who_administers_a_namespace_may_not_exempt_unless_told_so() -> None:
    aggregating = "rbac.authorization.k8s.io/aggregate-to-admin"

    labels = render().get("ClusterRole", "-exempt")["metadata"]["labels"]
    assert not any(key.startswith("rbac.authorization.k8s.io/") for key in labels)
    everything = render({"exemptRole": {"aggregateToAdmin": True}})
    assert [role["metadata"]["name"] for role in roles(everything) if aggregating in role["metadata"]["labels"]] == [
        f"{RELEASE}-exempt"
    ]


@pytest.mark.parametrize("name", CI)
def test_no_role_has_a_wildcard(name: str) -> None:
    assert not [right for role in roles(render_ci(name)) for right in rights(role) if "*" in right]


@pytest.mark.parametrize("name", CI)
def test_every_binding_binds_a_role_and_an_account_of_this_release(name: str) -> None:
    rendered = render_ci(name)
    there = {(obj["kind"], obj["metadata"]["name"]) for obj in rendered.objects}

    for binding in (obj for obj in rendered.objects if "roleRef" in obj):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in there
        (subject,) = binding["subjects"]
        assert (subject["kind"], subject["name"]) in there
        assert subject["namespace"] == NAMESPACE


@pytest.mark.parametrize("name", CI)
def test_every_pod_runs_as_an_account_of_this_release(name: str) -> None:
    rendered = render_ci(name)
    accounts = {obj["metadata"]["name"] for obj in rendered.objects if obj["kind"] == "ServiceAccount"}

    assert rendered.pod["serviceAccountName"] in accounts
    assert rendered.get("Pod", "-test")["spec"]["serviceAccountName"] in accounts
    assert rendered.get("Job", "-unregister")["spec"]["template"]["spec"]["serviceAccountName"] in accounts

"""Each question that the doctor asks, and what it says of each answer."""

from typing import Any

import pytest

from tests.build import CLUSTER, NAMESPACE, RWX, Object, claim, disk, kubevirt, node, vm
from tests.doctor.fake_api import Answer, TableApi
from webhook.cluster import ClusterUnavailable, Snapshot
from webhook.cluster.api import ApiError
from webhook.controller.webhook_configurations import webhook_configurations
from webhook.doctor.components import look_at_components
from webhook.doctor.connectivity import look_at_connectivity
from webhook.doctor.finding import Finding, is_well
from webhook.doctor.service import look_at_service
from webhook.doctor.vms import look_at_vms
from webhook.doctor.webhook_configurations import look_at_configurations, service_of
from webhook.settings import Settings

VMS = f"/apis/kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachines"
SERVICE = {"namespace": "migratability", "name": "webhook", "port": 443}
PATH = "/api/v1/namespaces/migratability/services/webhook"
DENIAL = ApiError(422, 'admission webhook "x.validate.migratability.io" denied: … [hyperv-passthrough]')


def statuses(findings: list[Finding]) -> list[str]:
    """Return the statuses in order."""
    return [finding.status for finding in findings]


def patched(vm_object: Object) -> Object:
    """Return a VM with our patch."""
    spec = vm_object["spec"]["template"]["spec"]
    return {"spec": {"template": {"spec": {**spec, "evictionStrategy": "LiveMigrate"}}}}


def answering(good: Any, bad: Any) -> Answer:
    """Return an answer to a creation: one for a good VM, one for one that cannot migrate."""

    def answer(vm_object: Object) -> Any:
        found = bad if "features" in vm_object["spec"]["template"]["spec"]["domain"] else good
        return patched(vm_object) if found is patched else vm_object if found is vm else found

    return answer


VARIANTS = [
    ("all is well", patched, DENIAL, ["ok", "ok"], ""),
    ("nobody patches", vm, DENIAL, ["error", "ok"], "our patch does not come"),
    ("nobody denies", patched, patched, ["ok", "error"], "is admitted"),
    ("somebody else denies", patched, ApiError(422, "spec.domain: wrong"), ["ok", "error"], "for another reason"),
    ("we may not ask", 403, 403, ["warning", "warning"], "not proved"),
    ("KubeVirt is not there", 404, 404, ["error", "error"], "cannot be created"),
    (
        "our pods are gone",
        ApiError(500, 'failed calling webhook "virtualmachines.validate.migratability.io": denied'),
        ApiError(500, 'failed calling webhook "virtualmachines.validate.migratability.io": denied'),
        ["error", "error"],
        "failed calling webhook",
    ),
    ("the API server is gone", ClusterUnavailable("out of reach"), None, ["error"], "out of reach"),
]


@pytest.mark.parametrize(
    ("good", "bad", "said", "words"), [row[1:] for row in VARIANTS], ids=[row[0] for row in VARIANTS]
)
def test_the_way_through_the_api_server(good: Any, bad: Any, said: list[str], words: str) -> None:
    found = look_at_connectivity(TableApi({VMS: answering(good, bad)}).client, NAMESPACE, Settings())
    assert statuses(found) == said
    assert words in " ".join(finding.what for finding in found)
    assert all(finding.remedy for finding in found if finding.status != "ok")


SOFT = [{"mode": "warn"}, {"mode": "off"}, {"rules": {"hyperv-passthrough": "warn"}}, {"webhookConfigurations": "off"}]


@pytest.mark.parametrize("settings", SOFT, ids=str)
def test_where_the_settings_deny_nothing_an_admission_is_no_error(settings: Object) -> None:
    api = TableApi({VMS: answering(patched, patched)})
    first, second = look_at_connectivity(api.client, NAMESPACE, Settings.parse(settings))
    assert (first.status, second.status) == ("ok", "warning")


def test_where_the_settings_patch_nothing_no_patch_is_no_error() -> None:
    api = TableApi({VMS: answering(vm, DENIAL)})
    assert statuses(look_at_connectivity(api.client, NAMESPACE, Settings.parse({"evictionStrategy": "off"}))) == [
        "ok",
        "ok",
    ]


def configured(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return what is registered for the Service, with changes to the first validating webhook."""
    found = {obj["kind"]: obj for obj in webhook_configurations(SERVICE, "")}
    found["ValidatingWebhookConfiguration"]["webhooks"][0].update(changes)
    return found


def of_configurations(live: Any, **settings: Any) -> list[Finding]:
    """Return the findings, but those about certificates."""
    found = look_at_configurations(live, Snapshot([kubevirt()]), Settings.parse(settings), None)
    return [finding for finding in found if finding.about == "registrations"]


def test_webhook_configurations_as_this_version_makes_them_are_well() -> None:
    assert statuses(of_configurations(configured())) == ["ok", "ok"]


def test_it_is_named_where_a_webhook_configuration_was_changed() -> None:
    first, second = of_configurations(configured(timeoutSeconds=1))
    assert (first.status, second.status) == ("warning", "ok")
    assert "webhooks[virtualmachines.validate.migratability.io].timeoutSeconds" in first.what


def test_webhook_configurations_that_are_not_there_are_errors() -> None:
    assert statuses(of_configurations({})) == ["error", "error"]


def test_switched_off_they_must_not_be_there() -> None:
    assert statuses(of_configurations({}, webhookConfigurations="off")) == ["warning"]
    assert statuses(of_configurations(configured(), webhookConfigurations="off")) == ["error"]


def test_a_bundle_that_trusts_nobody_is_an_error() -> None:
    found = look_at_configurations(configured(), Snapshot([kubevirt()]), Settings(), None)
    assert [finding.status for finding in found if finding.about == "certificates"] == ["error"]


def test_the_service_is_read_from_the_webhook_configurations() -> None:
    assert service_of(configured()) == SERVICE
    assert service_of({}) is None


def pods(*ready: bool) -> Object:
    """Return pods that are ready or not."""
    return {
        "items": [
            {"status": {"conditions": [{"type": "Ready", "status": "True" if one else "False"}]}} for one in ready
        ]
    }


READY = [((), "error"), ((False,), "error"), ((True, False), "warning"), ((True, True), "ok")]


@pytest.mark.parametrize(("ready", "status"), READY, ids=str)
def test_it_counts_the_replicas_that_are_ready(ready: tuple[bool, ...], status: str) -> None:
    service = {"spec": {"clusterIP": "127.0.0.1", "selector": {"app": "x"}}}
    api = TableApi({PATH: service, "/api/v1/namespaces/migratability/pods": pods(*ready)})
    first, second = look_at_service(api.client, {**SERVICE, "port": 1}, b"")
    assert first.status == status
    assert second.status in ("warning", "error")


def test_a_service_that_may_not_be_read_is_a_warning() -> None:
    assert statuses(look_at_service(TableApi({PATH: 403}).client, SERVICE, b"")) == ["warning"]


def test_a_service_that_does_not_exist_is_an_error() -> None:
    (found,) = look_at_service(TableApi({}).client, SERVICE, b"")
    assert (found.status, found.what) == ("error", "there is no Service migratability/webhook")


TWO_NODES = [node("a"), node("b")]


def of_components(*objects: Object, answers: dict[str, Answer] | None = None, **settings: Any) -> dict[str, Finding]:
    """Return the findings by what they are about."""
    found = look_at_components(TableApi(answers or {}).client, Snapshot(objects), Settings.parse(settings))
    return {finding.about: finding for finding in found}


def test_it_names_what_is_installed_and_its_version() -> None:
    cdis = {"items": [{"status": {"observedVersion": "v1.66.0"}}]}
    found = of_components(kubevirt(version="v1.9.0"), *TWO_NODES, answers={"/apis/cdi.kubevirt.io/v1beta1/cdis": cdis})
    assert found["KubeVirt"].what == "v1.9.0 in namespace kubevirt"
    assert (found["CDI"].status, "v1.66.0" in found["CDI"].what) == ("warning", True)
    assert found["Trident"].what == "not installed"
    assert "nodes" not in found


@pytest.mark.parametrize("objects", [(), (kubevirt("a"), kubevirt("b"))], ids=["none", "two"])
def test_other_than_one_kubevirt_is_a_warning(objects: tuple[Object, ...]) -> None:
    assert of_components(*objects, *TWO_NODES)["KubeVirt"].status == "warning"


def test_with_one_node_nothing_can_migrate() -> None:
    assert "1 schedulable node: nothing can migrate" in of_components(kubevirt(), node("a"))["nodes"].what


def test_that_nothing_sets_the_eviction_strategy_is_a_warning() -> None:
    off = of_components(kubevirt(), *TWO_NODES, evictionStrategy="off")["evictionStrategy"]
    assert (off.status, "unset, which is None" in off.what) == ("warning", True)
    assert of_components(kubevirt(), *TWO_NODES)["evictionStrategy"].status == "ok"


def of_vms(*vms: Object, selector: Object | None = None, **answers: Answer) -> Finding:
    """Return the finding about these VMs."""
    api = TableApi({"/apis/kubevirt.io/v1/virtualmachines": {"items": list(vms)}, **answers})
    cluster = Snapshot([*CLUSTER, claim("later", RWX)])
    (found,) = look_at_vms(api.client, cluster, Settings(), selector or {})
    return found


def test_it_counts_the_vms_that_would_be_denied_and_names_some() -> None:
    found = of_vms(vm(disk("good")), *(vm(disk("once"), name=f"m{number}") for number in range(12)))
    assert found.status == "warning"
    assert found.what.startswith("12 of 13 VirtualMachines would be denied in mode deny (shared-access 12): vms/m0, ")
    assert found.what.endswith("vms/m9 and 2 more")


def test_where_none_violates_a_rule_it_says_so() -> None:
    assert of_vms(vm(disk("good"))) == Finding("ok", "machines", "none of the 1 VirtualMachines violates a rule")


def test_vms_that_may_not_be_listed_are_a_warning() -> None:
    (found,) = look_at_vms(TableApi({}).client, Snapshot(CLUSTER), Settings(), {})
    assert (found.status, "not counted" in found.what) == ("warning", True)


SELECTOR = {
    "matchLabels": {"migratability": "on"},
    "matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "migratability"]},
        {"key": "team", "operator": "In", "values": ["a", "b"]},
        {"key": "stage", "operator": "Exists"},
        {"key": "legacy", "operator": "DoesNotExist"},
    ],
}
AS_QUERY = "migratability=on,kubernetes.io/metadata.name notin (kube-system,migratability),team in (a,b),stage,!legacy"


def test_vms_in_namespaces_that_the_webhook_configurations_do_not_select_are_not_counted() -> None:
    asked: list[Object] = []

    def namespaces(query: Object) -> Object:
        asked.append(query)
        return {"items": [{"metadata": {"name": "vms"}}]}

    bad = vm(disk("once"))
    elsewhere = {**bad, "metadata": {**bad["metadata"], "namespace": "elsewhere"}}
    found = of_vms(bad, elsewhere, vm(disk("good")), selector=SELECTOR, **{"/api/v1/namespaces": namespaces})
    assert found.what.startswith("1 of 2 VirtualMachines in the selected namespaces would be denied")
    assert [query["labelSelector"] for query in asked] == [AS_QUERY]


def test_where_the_namespaces_may_not_be_listed_no_vm_is_counted() -> None:
    assert "not counted" in of_vms(vm(disk("once")), selector=SELECTOR, **{"/api/v1/namespaces": 403}).what


def test_warnings_leave_it_well_and_errors_do_not() -> None:
    assert is_well([Finding("ok", "a", "b"), Finding("warning", "a", "b")])
    assert not is_well([Finding("ok", "a", "b"), Finding("error", "a", "b")])

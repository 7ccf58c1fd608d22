"""Each question that the doctor asks, and the finding for each answer."""

from typing import Any

import pytest

from tests.build import CLUSTER, NAMESPACE, Object, disk, kubevirt, node, vm
from tests.doctor.fake_api import Answer, TableApi
from webhook.cluster import ClusterUnavailable, Snapshot
from webhook.cluster.api import ApiError
from webhook.controller.webhook_configurations import webhook_configurations
from webhook.doctor.components import look_at_components
from webhook.doctor.connectivity import look_at_connectivity
from webhook.doctor.finding import Finding
from webhook.doctor.service import look_at_service
from webhook.doctor.vms import look_at_vms
from webhook.doctor.webhook_configurations import ABOUT, look_at_configurations, service_of
from webhook.settings import Settings

VMS = f"/apis/kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachines"
SERVICE = {"namespace": "migratability", "name": "webhook", "port": 443}
PATH = "/api/v1/namespaces/migratability/services/webhook"
UNPATCHED, PATCHED = ({"spec": {"template": {"spec": spec}}} for spec in ({}, {"evictionStrategy": "LiveMigrate"}))
DENIAL = ApiError(422, 'admission webhook "x.validate.migratability.io" denied: … [hyperv-passthrough]')
FAILED = ApiError(500, 'failed calling webhook "virtualmachines.validate.migratability.io": denied')
RULE_OFF = {"rules": {"hyperv-passthrough": "warn"}}


def statuses(findings: list[Finding]) -> list[str]:
    return [finding.status for finding in findings]


CONNECTIVITY: dict[str, tuple[Any, Any, Object, list[str], str]] = {
    "all is well": (PATCHED, DENIAL, {}, ["ok", "ok"], ""),
    "no patch": (UNPATCHED, DENIAL, {}, ["error", "ok"], "but not patched"),
    "no patch, switched off": (UNPATCHED, DENIAL, {"evictionStrategy": "off"}, ["ok", "ok"], "without a patch"),
    "no denial": (PATCHED, PATCHED, {}, ["ok", "error"], "is admitted in namespace"),
    "no denial in mode warn": (PATCHED, PATCHED, {"mode": "warn"}, ["ok", "warning"], "not tested"),
    "no denial in mode off": (PATCHED, PATCHED, {"mode": "off"}, ["ok", "warning"], "not tested"),
    "no denial by a rule that warns": (PATCHED, PATCHED, RULE_OFF, ["ok", "warning"], "not tested"),
    "no denial, switched off": (PATCHED, PATCHED, {"webhookConfigurations": "off"}, ["ok", "warning"], "not tested"),
    "denied by another": (PATCHED, ApiError(422, "spec.domain: wrong"), {}, ["ok", "error"], "for another reason"),
    "we may not ask": (403, 403, {}, ["warning", "warning"], "not tested"),
    "KubeVirt is not installed": (404, 404, {}, ["error", "error"], "cannot be created"),
    "our pods do not answer": (FAILED, FAILED, {}, ["error", "error"], "failed calling webhook"),
    "API server does not answer": (ClusterUnavailable("out of reach"), None, {}, ["error"], "out of reach"),
}


@pytest.mark.parametrize(("good", "bad", "settings", "expected", "words"), CONNECTIVITY.values(), ids=CONNECTIVITY)
def test_connectivity(good: Any, bad: Any, settings: Object, expected: list[str], words: str) -> None:
    def answer(created: Object) -> Any:
        return bad if "features" in created["spec"]["template"]["spec"]["domain"] else good

    found = look_at_connectivity(TableApi({VMS: answer}).client, NAMESPACE, Settings.parse(settings))
    assert statuses(found) == expected
    assert words in " ".join(finding.what for finding in found)
    assert all(finding.remedy for finding in found if finding.status != "ok")


def configured(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return the webhook configurations for the Service, with changes to the first validating webhook."""
    found = {obj["kind"]: obj for obj in webhook_configurations(SERVICE, "")}
    found["ValidatingWebhookConfiguration"]["webhooks"][0].update(changes)
    return found


CONFIGURATIONS: dict[str, tuple[Any, Object, list[str]]] = {
    "as this version creates them": (configured(), {}, ["ok", "ok"]),
    "changed": (configured(timeoutSeconds=1), {}, ["warning", "ok"]),
    "missing": ({}, {}, ["error", "error"]),
    "switched off": ({}, {"webhookConfigurations": "off"}, ["warning"]),
    "switched off but still there": (configured(), {"webhookConfigurations": "off"}, ["error"]),
}


@pytest.mark.parametrize(("live", "settings", "expected"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_webhook_configurations(live: Any, settings: Object, expected: list[str]) -> None:
    found = look_at_configurations(live, Snapshot([kubevirt()]), Settings.parse(settings), None)
    assert statuses([finding for finding in found if finding.about == ABOUT]) == expected
    if expected[0] == "warning" and live:
        assert "webhooks[virtualmachines.validate.migratability.io].timeoutSeconds" in found[0].what


def test_service_and_ca_are_read_from_the_webhook_configurations_and_without_a_valid_ca_it_is_an_error() -> None:
    found = look_at_configurations(configured(), Snapshot([kubevirt()]), Settings(), None)
    assert statuses([finding for finding in found if finding.about == "certificates"]) == ["error"]
    assert (service_of(configured()), service_of({})) == (SERVICE, None)


@pytest.mark.parametrize(("ready", "status"), [([], "error"), ([0], "error"), ([1, 0], "warning"), ([1, 1], "ok")])
def test_ready_replicas_are_counted(ready: list[int], status: str) -> None:
    service = {"spec": {"clusterIP": "127.0.0.1", "selector": {"app": "x"}}}
    pods = [{"status": {"conditions": [{"type": "Ready", "status": str(bool(one))}]}} for one in ready]
    api = TableApi({PATH: service, "/api/v1/namespaces/migratability/pods": {"items": pods}})
    first, second = look_at_service(api.client, {**SERVICE, "port": 1}, b"")
    assert (first.status, first.what) == (status, f"{sum(ready)} of {len(ready)} ready")
    assert second.status in ("warning", "error")


def test_unreadable_service_is_a_warning_and_a_missing_one_an_error() -> None:
    assert statuses(look_at_service(TableApi({PATH: 403}).client, SERVICE, b"")) == ["warning"]
    (found,) = look_at_service(TableApi({}).client, SERVICE, b"")
    assert (found.status, found.what) == ("error", "Service migratability/webhook does not exist")


CDIS: Answer = {"items": [{"status": {"observedVersion": "v1.66.0"}}]}
TWO_NODES, ONE_NODE = ([kubevirt(version="v1.9.0"), node("a"), node("b", unschedulable=off)] for off in (False, True))
COMPONENTS: dict[str, tuple[list[Object], str, str, str, str]] = {
    "KubeVirt": (TWO_NODES, "enforce", "ok", "KubeVirt", "v1.9.0 in namespace kubevirt"),
    "no KubeVirt": ([], "enforce", "warning", "KubeVirt", "0 KubeVirt CRs exist"),
    "two KubeVirts": ([kubevirt("a"), kubevirt("b")], "enforce", "warning", "KubeVirt", "2 KubeVirt CRs exist"),
    "one node": (ONE_NODE, "enforce", "warning", "nodes", "1 schedulable node: no VM can migrate"),
    "CDI without StorageProfiles": (TWO_NODES, "enforce", "warning", "CDI", "v1.66.0"),
    "no Trident": (TWO_NODES, "enforce", "ok", "Trident", "not installed"),
    "a strategy by our patch": (TWO_NODES, "enforce", "ok", "evictionStrategy", "unset, which is None"),
    "no strategy": (TWO_NODES, "off", "warning", "evictionStrategy", "unset, which is None"),
}


@pytest.mark.parametrize(("objects", "strategy", "status", "about", "words"), COMPONENTS.values(), ids=COMPONENTS)
def test_components(objects: list[Object], strategy: str, status: str, about: str, words: str) -> None:
    api = TableApi({"/apis/cdi.kubevirt.io/v1beta1/cdis": CDIS})
    settings = Settings.parse({"evictionStrategy": strategy})
    found = {each.about: each for each in look_at_components(api.client, Snapshot(objects), settings)}
    assert (found[about].status, words in found[about].what) == (status, True)
    assert ("nodes" in found) is (about == "nodes")


def of_vms(*vms: Object, selector: Object | None = None, **answers: Answer) -> Finding:
    api = TableApi({"/apis/kubevirt.io/v1/virtualmachines": {"items": list(vms)}, **answers})
    (found,) = look_at_vms(api.client, Snapshot(CLUSTER), Settings(), selector or {})
    return found


def test_vms_that_would_be_denied_are_counted_and_some_named() -> None:
    found = of_vms(vm(disk("good")), *(vm(disk("once"), name=f"m{number}") for number in range(12)))
    named = ", ".join(f"vms/m{number}" for number in range(10))
    what = f"12 of 13 VirtualMachines would be denied in mode deny (shared-access 12): {named} and 2 more"
    assert (found.status, found.what) == ("warning", what)
    assert of_vms(vm(disk("good"))) == Finding("ok", "VMs", "none of the 1 VirtualMachines violates a rule")


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


def test_only_vms_in_selected_namespaces_are_counted() -> None:
    def namespaces(query: Object) -> Object:
        assert query["labelSelector"] == AS_QUERY
        return {"items": [{"metadata": {"name": "vms"}}]}

    bad = vm(disk("once"))
    elsewhere = {**bad, "metadata": {**bad["metadata"], "namespace": "elsewhere"}}
    found = of_vms(bad, elsewhere, vm(disk("good")), selector=SELECTOR, **{"/api/v1/namespaces": namespaces})
    assert found.what.startswith("1 of 2 VirtualMachines in the selected namespaces would be denied")


def test_no_vm_is_counted_where_vms_or_namespaces_may_not_be_listed() -> None:
    for path, selector in (("/apis/kubevirt.io/v1/virtualmachines", None), ("/api/v1/namespaces", SELECTOR)):
        found = of_vms(vm(disk("once")), selector=selector, **{path: 403})
        assert (found.status, found.what.startswith("not counted: ")) == ("warning", True)

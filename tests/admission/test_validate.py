"""What /validate answers: which writes are evaluated, and in which words a denial reaches the user."""

import pytest

from tests.admission.client import KUBEVIRT, Broken, Webhook, causes, changed
from tests.build import CLUSTER, RWO, RWX, Object, claim, disk, review, vm, vmi, volume_request
from tests.build_paths import CONTROLLER, UID, Lagging, owned
from webhook import evaluate
from webhook.cluster import ClusterUnavailable

ROOT = "spec.template.spec.volumes"
CLAIM_NAME = "persistentVolumeClaim.claimName"
ADMITTED = {"uid": UID, "allowed": True}
SILENT = Broken(ClusterUnavailable("nobody should ask"))


def test_a_denial_has_the_status_that_kubectl_and_virtctl_show() -> None:
    vm_object = vm(disk("good"), disk("once"), disk("san-fs"))
    response = Webhook().validate(review(vm_object))
    status, details = response["status"], response["status"]["details"]
    assert (response["uid"], response["allowed"], status["code"], status["reason"]) == (UID, False, 422, "Invalid")
    assert (details["group"], details["kind"], details["name"]) == ("kubevirt.io", "VirtualMachine", "db")
    assert {cause["reason"] for cause in details["causes"]} == {"FieldValueInvalid"}
    assert causes(response) == [(f"{ROOT}[1].{CLAIM_NAME}", "shared-access"), (f"{ROOT}[2].{CLAIM_NAME}", "san-block")]
    assert status["message"] == "; ".join(f"{cause['field']}: {cause['message']}" for cause in details["causes"])
    found = evaluate(vm_object, [KUBEVIRT, *CLUSTER]).violations[0]
    assert details["causes"][0]["message"] == f"{found.message}. {found.remedy}. [shared-access]"
    assert "\n" not in status["message"]


def test_a_denied_vmi_is_called_by_its_own_kind_and_fields() -> None:
    response = Webhook().validate(review(vmi(disk("once"))))
    assert response["status"]["details"]["kind"] == "VirtualMachineInstance"
    assert causes(response) == [(f"spec.volumes[0].{CLAIM_NAME}", "shared-access")]


def test_what_only_warns_is_the_one_warning_of_an_admitted_vm() -> None:
    response = Webhook().validate(review(vm(disk("absent"), evictionStrategy="LiveMigrate")))
    (warning,) = response["warnings"]
    assert (response["allowed"], '"absent"' in warning, warning.endswith("[claim-known]")) == (True, True, True)


def test_the_audit_log_shows_which_rules_denied_and_which_warned() -> None:
    response = Webhook().validate(review(vm(disk("once"), disk("san-fs-once"), disk("absent"))))
    assert response["auditAnnotations"] == {"denied": "san-block,shared-access", "warned": "claim-known"}


OTHERS = [("virtualmachineinstancemigrations", "kubevirt.io"), ("virtualmachines", "example.org")]


@pytest.mark.parametrize(("resource", "group"), OTHERS)
def test_a_resource_that_no_rule_evaluates_is_allowed(resource: str, group: str) -> None:
    other = {"group": group, "version": "v1", "resource": resource}
    assert Webhook().validate(changed(review(vm(disk("once"))), resource=other)) == ADMITTED


def test_only_creations_and_updates_are_evaluated() -> None:
    assert Webhook().validate(review(None, vm(disk("once")), "CONNECT")) == ADMITTED


OWNED = owned(vmi(disk("once")), vm())
BEAT = {"status": {"phase": "Running"}}
UNCHANGED: dict[str, tuple[Object, Object, str, str]] = {
    "labels": (vm(disk("once")), {"metadata": {"name": "db", "labels": {"a": "b"}}}, "", "alice"),
    "runStrategy": (vm(disk("once")), vm(disk("once"), spec={"runStrategy": "Halted"}), "", "alice"),
    "a VM's status": (vm(disk("once")), vm(disk("once"), status={"ready": True}), "status", "alice"),
    "a VMI's grace period": (vmi(disk("once")), vmi(disk("once"), terminationGracePeriodSeconds=0), "", "alice"),
    "a status write that carries another template": (vm(disk("good")), vm(disk("once")), "status", "alice"),
    "a heartbeat of virt-controller": (OWNED, BEAT, "", CONTROLLER),
    "a heartbeat of virt-handler": (OWNED, BEAT, "", CONTROLLER.replace("controller", "handler")),
}


@pytest.mark.parametrize(("old", "fields", "subresource", "user"), UNCHANGED.values(), ids=UNCHANGED)
def test_an_update_that_changes_nothing_that_matters_asks_nothing_of_the_cluster(
    old: Object, fields: Object, subresource: str, user: str
) -> None:
    request = review({**old, **fields}, old, "UPDATE", subresource=subresource, user=user)
    assert Webhook(SILENT).validate(request) == ADMITTED


def test_the_request_names_the_vm_and_the_namespace_that_pvcs_are_looked_up_in() -> None:
    webhook = Webhook([claim("root", RWX, namespace="default"), claim("root", RWO, namespace="theirs")])
    vm_object = vm(disk("root"))
    del vm_object["metadata"]["namespace"]
    assert webhook.validate(changed(review(vm_object), namespace="default"))["allowed"] is True
    denied = webhook.validate(changed(review(vm_object), namespace="theirs", name="other"))
    assert (denied["allowed"], denied["status"]["details"]["name"]) == (False, "other")


def test_a_user_who_just_fixed_the_pvc_is_not_denied() -> None:
    cluster = Lagging([claim("root", RWO)], [claim("root", RWX)])
    assert Webhook(cluster).validate(review(vm(disk("root"))))["allowed"] is True


def test_mode_warn_denies_nothing() -> None:
    assert Webhook(mode="warn").validate(review(vm(disk("once"))))["allowed"] is True


def test_a_strategy_that_comes_past_our_patch_is_denied() -> None:
    response = Webhook().validate(review(vm(disk("good"), evictionStrategy="None")))
    assert causes(response) == [("spec.template.spec.evictionStrategy", "eviction-strategy")]


def test_the_status_of_a_new_vm_is_ignored() -> None:
    status = {"volumeRequests": [volume_request(disk("once"))]}
    assert Webhook().validate(review(vm(disk("good"), evictionStrategy="LiveMigrate", status=status))) == ADMITTED


def test_of_very_many_reasons_the_first_are_shown_and_the_rest_counted() -> None:
    response = Webhook().validate(review(vm(*(disk("once", name=f"d{number}") for number in range(100)))))
    reported = len(causes(response))
    assert 16 <= reported < 100
    assert response["status"]["message"].endswith(f"; and {100 - reported} more reasons")

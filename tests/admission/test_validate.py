"""What /validate answers: which writes are evaluated, and in which words a denial reaches the user."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import pytest

from tests.admission.client import KUBEVIRT, Webhook, causes, changed
from tests.build import CLUSTER, RWO, RWX, Object, claim, disk, review, vm, vmi, volume_request
from webhook import evaluate
from webhook.cluster import Cluster, ClusterUnavailable, Snapshot
from webhook.cluster.interface import Right
from webhook.cluster.resources import Resource

Fact = TypeVar("Fact")

APISERVER = "system:serviceaccount:kubevirt:kubevirt-apiserver"
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
ROOT = "spec.template.spec.volumes"
CLAIM_NAME = "persistentVolumeClaim.claimName"
UID = "11111111-2222-3333-4444-555555555555"


class Silent:
    """A cluster that cannot be asked: anyone who evaluates a VM with a PVC finds out."""

    is_live = True

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        raise ClusterUnavailable("nobody should ask")

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        raise ClusterUnavailable("nobody should ask")

    def may(self, user: Mapping[str, Any], right: Right) -> bool:
        raise ClusterUnavailable("nobody should ask")

    def within(self, seconds: float, *, confirm: bool = False) -> Cluster:
        return self


OWNER = vm(disk("once"))
OWNER["metadata"]["uid"] = "u"


def owned(obj: Object, **reference: Any) -> Object:
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "db", "uid": "u", "controller": True}
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [{**owner, **reference}]}}


def test_a_good_vm_is_admitted_and_the_uid_comes_back() -> None:
    assert Webhook().validate(review(vm(disk("good"), evictionStrategy="LiveMigrate"))) == {"uid": UID, "allowed": True}


def test_a_denial_has_the_status_that_kubectl_and_virtctl_show() -> None:
    response = Webhook().validate(review(vm(disk("good"), disk("once"), disk("san-fs"))))
    status = response["status"]
    details = status["details"]
    assert (response["uid"], response["allowed"]) == (UID, False)
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert (details["group"], details["kind"], details["name"]) == ("kubevirt.io", "VirtualMachine", "db")
    assert {cause["reason"] for cause in details["causes"]} == {"FieldValueInvalid"}
    assert causes(response) == [(f"{ROOT}[1].{CLAIM_NAME}", "shared-access"), (f"{ROOT}[2].{CLAIM_NAME}", "san-block")]


def test_the_message_says_the_same_as_the_causes() -> None:
    status = Webhook().validate(review(vm(disk("once"), disk("san-fs"))))["status"]
    said = [f"{cause['field']}: {cause['message']}" for cause in status["details"]["causes"]]
    assert status["message"] == "; ".join(said)


def test_each_cause_says_what_why_the_remedy_and_the_rule_in_one_line() -> None:
    vm_object = vm(disk("once", name="root"))
    (found,) = evaluate(vm_object, [KUBEVIRT, *CLUSTER]).violations
    (cause,) = Webhook().validate(review(vm_object))["status"]["details"]["causes"]
    assert cause["message"] == f"{found.message}. {found.remedy}. [shared-access]"
    assert found.message.startswith('volume "root": PVC "once" is ReadWriteOnce, not ReadWriteMany; ')
    assert "\n" not in cause["message"]


def test_a_denied_vmi_is_called_by_its_own_kind_and_fields() -> None:
    response = Webhook().validate(review(vmi(disk("once"))))
    assert response["status"]["details"]["kind"] == "VirtualMachineInstance"
    assert causes(response) == [(f"spec.volumes[0].{CLAIM_NAME}", "shared-access")]


def test_what_only_warns_is_a_warning_of_an_admitted_vm() -> None:
    response = Webhook().validate(review(vm(disk("absent"), evictionStrategy="LiveMigrate")))
    (warning,) = response["warnings"]
    assert response["allowed"] is True
    assert '"absent"' in warning
    assert warning.endswith("[claim-known]")


def test_the_audit_log_is_told_which_rules_denied_and_which_warned() -> None:
    response = Webhook().validate(review(vm(disk("once"), disk("san-fs-once"), disk("absent"))))
    assert response["auditAnnotations"] == {"denied": "san-block,shared-access", "warned": "claim-known"}


@pytest.mark.parametrize(
    "resource",
    [
        {"group": "kubevirt.io", "version": "v1", "resource": "virtualmachineinstancemigrations"},
        {"group": "cdi.kubevirt.io", "version": "v1beta1", "resource": "datavolumes"},
        {"group": "example.org", "version": "v1", "resource": "virtualmachines"},
        {"group": "", "version": "v1", "resource": "persistentvolumeclaims"},
    ],
    ids=lambda resource: f"{resource['resource']}.{resource['group']}",
)
def test_a_resource_that_no_rule_evaluates_is_allowed(resource: Object) -> None:
    request = changed(review(vm(disk("once"))), resource=resource)
    assert Webhook().validate(request) == {"uid": UID, "allowed": True}


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_only_creations_and_updates_are_evaluated(operation: str) -> None:
    assert Webhook().validate(review(None, vm(disk("once")), operation))["allowed"] is True


def test_a_vm_that_is_being_deleted_is_let_go() -> None:
    going, after = vm(disk("once")), vm(disk("once"), disk("san-fs"))
    for obj in (going, after):
        obj["metadata"]["deletionTimestamp"] = "2026-11-24T18:00:00Z"
    assert Webhook().validate(review(after, going, "UPDATE"))["allowed"] is True


def test_who_only_writes_that_a_vm_is_being_deleted_is_evaluated() -> None:
    after = vm(disk("once"), disk("san-fs"))
    after["metadata"]["deletionTimestamp"] = "2026-11-24T18:00:00Z"
    assert Webhook().validate(review(after, vm(disk("once")), "UPDATE"))["allowed"] is False


UNCHANGED = {
    "labels": (vm(disk("once")), {"metadata": {"name": "db", "labels": {"a": "b"}}}, ""),
    "runStrategy": (vm(disk("once")), vm(disk("once"), spec={"runStrategy": "Halted"}), ""),
    "a VM's status": (vm(disk("once")), vm(disk("once"), status={"ready": True}), "status"),
    "a VMI's heartbeat": (vmi(disk("once")), {"status": {"phase": "Running"}}, ""),
    "a VMI's grace period": (vmi(disk("once")), vmi(disk("once"), terminationGracePeriodSeconds=0), ""),
    "a status write that carries another template": (vm(disk("good")), vm(disk("once")), "status"),
}


@pytest.mark.parametrize(("old", "fields", "subresource"), UNCHANGED.values(), ids=UNCHANGED)
def test_an_update_that_changes_nothing_that_matters_is_not_even_evaluated(
    old: Object, fields: Object, subresource: str
) -> None:
    request = review({**old, **fields}, old, "UPDATE", subresource=subresource)
    assert Webhook(Silent()).validate(request) == {"uid": UID, "allowed": True}


@pytest.mark.parametrize("user", [CONTROLLER, CONTROLLER.replace("controller", "handler")])
def test_for_a_heartbeat_of_an_vmi_nobody_looks_for_its_owner(user: str) -> None:
    instance = owned(vmi(disk("once")))
    request = review({**instance, "status": {"phase": "Running"}}, instance, "UPDATE", user=user)
    assert Webhook(Silent()).validate(request) == {"uid": UID, "allowed": True}


def test_an_vmi_that_kubevirt_creates_for_its_vm_is_not_evaluated() -> None:
    request = review(owned(vmi(disk("once"))), user=CONTROLLER)
    assert Webhook([*CLUSTER, OWNER]).validate(request) == {"uid": UID, "allowed": True}


NOT_FOR_AN_OWNER = {
    "alice writes an owner": (owned(vmi(disk("once"))), "alice"),
    "kubevirt-apiserver writes an owner": (owned(vmi(disk("once"))), APISERVER),
    "no owner": (vmi(disk("once")), CONTROLLER),
    "an owner that does not control": (owned(vmi(disk("once")), controller=False), CONTROLLER),
    "a controller of another namespace": (owned(vmi(disk("once"))), CONTROLLER.replace(":kubevirt:", ":mine:")),
}


@pytest.mark.parametrize(("obj", "user"), NOT_FOR_AN_OWNER.values(), ids=NOT_FOR_AN_OWNER)
def test_whatever_kubevirt_does_not_create_for_an_owner_is_evaluated(obj: Object, user: str) -> None:
    assert Webhook().validate(review(obj, user=user))["allowed"] is False


def test_kubevirts_controller_is_known_by_the_namespace_in_the_settings() -> None:
    request = review(owned(vmi(disk("once"))), user=CONTROLLER.replace(":kubevirt:", ":cnv:"))
    webhook = Webhook([*CLUSTER, OWNER], kubevirt={"namespace": "cnv"})
    assert webhook.validate(request)["allowed"] is True


def test_a_hot_plug_request_in_the_status_is_evaluated_anyone_who_forwards_it() -> None:
    asked = vm(disk("good"), status={"volumeRequests": [volume_request(disk("good")), volume_request(disk("once"))]})
    response = Webhook().validate(review(asked, vm(disk("good")), "UPDATE", subresource="status", user=APISERVER))
    field = f"status.volumeRequests[1].addVolumeOptions.volumeSource.{CLAIM_NAME}"
    assert causes(response) == [(field, "shared-access")]


def test_a_disk_that_kubevirt_plugs_into_a_running_vmi_is_evaluated() -> None:
    request = review(vmi(disk("good"), disk("once")), vmi(disk("good")), "UPDATE", user=APISERVER)
    assert causes(Webhook().validate(request)) == [(f"spec.volumes[1].{CLAIM_NAME}", "shared-access")]


def test_an_old_violation_is_preexisting_and_only_the_new_one_denied() -> None:
    new, old = vm(disk("san-fs"), disk("once")), vm(disk("once"))
    response = Webhook().validate(review(new, old, "UPDATE"))
    assert causes(response) == [(f"{ROOT}[0].{CLAIM_NAME}", "san-block")]
    assert "once" not in response["status"]["message"]


def test_an_edit_beside_an_old_violation_passes_with_a_warning() -> None:
    request = review(vm(disk("once"), architecture="amd64"), vm(disk("once")), "UPDATE")
    response = Webhook().validate(request)
    assert response["allowed"] is True
    assert [line for line in response["warnings"] if "(pre-existing)" in line and line.endswith("[shared-access]")]


def test_a_pending_hot_plug_that_moves_into_the_template_is_no_new_violation() -> None:
    pending = vm(disk("good"), status={"volumeRequests": [volume_request(disk("once"))]})
    request = review(vm(disk("good"), disk("once")), pending, "UPDATE", user=CONTROLLER)
    assert Webhook().validate(request)["allowed"] is True


def test_the_request_names_the_namespace_that_pvcs_are_looked_up_in() -> None:
    cluster = [claim("root", RWX, namespace="default"), claim("root", RWO, namespace="theirs")]
    vm_object = vm(disk("root"))
    del vm_object["metadata"]["namespace"]
    assert Webhook(cluster).validate(changed(review(vm_object), namespace="default"))["allowed"] is True
    assert Webhook(cluster).validate(changed(review(vm_object), namespace="theirs"))["allowed"] is False


def test_the_request_names_the_vm() -> None:
    response = Webhook().validate(changed(review(vm(disk("once"))), name="other"))
    assert response["status"]["details"]["name"] == "other"


class Lagging(Snapshot):
    """A cluster whose cache lags behind: only who confirms sees what is true now."""

    def __init__(self, cached: list[Object], true: list[Object]) -> None:
        super().__init__([KUBEVIRT, *cached])
        self._true = Snapshot([KUBEVIRT, *true])

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        return self._true if confirm else self


def test_a_user_who_just_fixed_the_pvc_is_not_denied() -> None:
    cluster = Lagging(cached=[claim("root", RWO)], true=[claim("root", RWX)])
    assert Webhook(cluster).validate(review(vm(disk("root"))))["allowed"] is True


def test_no_mode_but_deny_denies() -> None:
    assert Webhook(mode="warn").validate(review(vm(disk("once"))))["allowed"] is True
    assert Webhook(mode="off").validate(review(vm(disk("once")))) == {"uid": UID, "allowed": True}


def test_a_strategy_that_the_request_brings_past_our_patch_is_denied() -> None:
    response = Webhook().validate(review(vm(disk("good"), evictionStrategy="None")))
    assert causes(response) == [("spec.template.spec.evictionStrategy", "eviction-strategy")]


def test_a_status_that_a_user_writes_into_a_new_vm_says_nothing() -> None:
    vm_object = vm(
        disk("good"), evictionStrategy="LiveMigrate", status={"volumeRequests": [volume_request(disk("once"))]}
    )
    assert Webhook().validate(review(vm_object)) == {"uid": UID, "allowed": True}


def test_of_very_many_reasons_the_first_are_told_and_the_rest_counted() -> None:
    response = Webhook().validate(review(vm(*(disk("once", name=f"d{number}") for number in range(100)))))
    reported = len(causes(response))
    assert 16 <= reported < 100
    assert response["status"]["message"].endswith(f"; and {100 - reported} more reasons")

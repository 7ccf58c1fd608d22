"""What /mutate answers: our patch, applied as kube-apiserver applies it."""

import base64
import json

import jsonpatch
import pytest

from tests.admission.client import NETWORK, Webhook
from tests.admission.test_validate import CONTROLLER, OWNER, owned
from tests.build import CLUSTER, Object, disk, kubevirt, node, review, vm, vmi, volume_request
from webhook.objects import at

VM_PATH, VMI_PATH = ("spec", "template", "spec", "evictionStrategy"), ("spec", "evictionStrategy")
HCO = (*CLUSTER, kubevirt(evictionStrategy="LiveMigrate", network=NETWORK))


def patched(webhook: Webhook, request: Object) -> Object:
    """Return the object as kube-apiserver stores it."""
    obj: Object = request["request"]["object"]
    response = webhook.mutate(request)
    assert response["allowed"] is True
    if "patch" not in response:
        assert "patchType" not in response
        return obj
    assert response["patchType"] == "JSONPatch"
    found: Object = jsonpatch.apply_patch(obj, json.loads(base64.b64decode(response["patch"])))
    return found


def test_a_new_vm_gets_live_migrate_and_nothing_else_changes() -> None:
    assert patched(Webhook(), review(vm(disk("good")))) == vm(disk("good"), evictionStrategy="LiveMigrate")


def test_a_new_vmi_gets_it_in_its_own_spec() -> None:
    assert patched(Webhook(), review(vmi(disk("good")))) == vmi(disk("good"), evictionStrategy="LiveMigrate")


@pytest.mark.parametrize("given", ["None", "LiveMigrateIfPossible"])
def test_another_strategy_becomes_live_migrate_and_the_user_is_told(given: str) -> None:
    request = review(vm(disk("good"), evictionStrategy=given))
    assert at(patched(Webhook(), request), *VM_PATH) == "LiveMigrate"
    (warning,) = Webhook().mutate(request)["warnings"]
    assert given in warning
    assert "LiveMigrate" in warning


NO_PATCH = {
    "LiveMigrate already": review(vm(disk("good"), evictionStrategy="LiveMigrate")),
    "External is a choice": review(vm(disk("good"), evictionStrategy="External")),
    "nothing that matters changes": review(vm(disk("good"), spec={"running": True}), vm(disk("good")), "UPDATE"),
    "a status write": review(
        vm(disk("good-block"), status={"volumeRequests": [volume_request(disk("good", name="more"))]}),
        vm(disk("good")),
        "UPDATE",
        subresource="status",
    ),
    "a deletion": review(None, vm(disk("good")), "DELETE"),
    "a plug into a running VMI": review(vmi(disk("good"), disk("good-block")), vmi(disk("good")), "UPDATE"),
}


@pytest.mark.parametrize("request_", NO_PATCH.values(), ids=NO_PATCH)
def test_where_nothing_is_to_be_set_the_answer_has_no_patch(request_: Object) -> None:
    response = Webhook().mutate(request_)
    assert response["allowed"] is True
    assert not {"patch", "patchType"} & response.keys()


def test_an_vmi_of_an_old_violator_gets_no_live_migrate() -> None:
    request = review(owned(vmi(disk("once"))), user=CONTROLLER)
    assert at(patched(Webhook([*CLUSTER, OWNER]), request), *VMI_PATH) is None


def test_an_vmi_of_an_old_violator_is_kept_from_the_clusters_live_migrate() -> None:
    request = review(owned(vmi(disk("once"))), user=CONTROLLER)
    assert at(patched(Webhook([*HCO, OWNER]), request), *VMI_PATH) == "LiveMigrateIfPossible"


def test_an_vmi_of_an_old_vm_that_can_migrate_gets_live_migrate() -> None:
    request = review(owned(vmi(disk("good"))), user=CONTROLLER)
    assert at(patched(Webhook(), request), *VMI_PATH) == "LiveMigrate"


def test_a_halted_vm_gets_it_with_a_change_of_its_template() -> None:
    request = review(vm(disk("good"), disk("good-block")), vm(disk("good")), "UPDATE")
    assert at(patched(Webhook(), request), *VM_PATH) == "LiveMigrate"


def test_a_running_vm_is_not_patched_but_told_of_its_next_start() -> None:
    running = {"created": True}
    new, old = vm(disk("good"), disk("good-block"), status=running), vm(disk("good"), status=running)
    request = review(new, old, "UPDATE")
    assert patched(Webhook(), request) == request["request"]["object"]
    (warning,) = Webhook().mutate(request)["warnings"]
    assert "next start" in warning


def test_nothing_is_set_where_one_node_alone_could_run_it() -> None:
    request = review(vm(disk("good")))
    assert patched(Webhook((*CLUSTER, node("only"))), request) == request["request"]["object"]


@pytest.mark.parametrize("settings", [{"evictionStrategy": "off"}, {"mode": "off"}], ids=str)
def test_nothing_is_set_where_the_settings_say_so(settings: dict[str, str]) -> None:
    assert Webhook(CLUSTER, **settings).mutate(review(vm(disk("good")))).keys() == {"uid", "allowed"}


def test_a_vm_that_will_be_denied_is_left_to_the_validating_side() -> None:
    assert Webhook().mutate(review(vm(disk("once"))))["allowed"] is True


def test_what_mutate_leaves_behind_validate_admits_without_a_word() -> None:
    webhook = Webhook()
    stored = patched(webhook, review(vm(disk("good"), evictionStrategy="None")))
    assert webhook.validate(review(stored)).keys() == {"uid", "allowed"}


def test_a_patch_is_counted() -> None:
    webhook = Webhook()
    webhook.mutate(review(vm(disk("good"))))
    assert webhook.requests("/mutate", "CREATE", "virtualmachines", "patched") == 1

"""What /mutate answers: our patch, applied as kube-apiserver applies it."""

import base64
import json
from collections.abc import Callable

import jsonpatch
import pytest

from tests.admission.client import Webhook
from tests.build import CLUSTER, Object, disk, kubevirt, node, review, vm, vmi, volume_request
from tests.build_paths import CONTROLLER, exempt, known_as, owned, replica_set
from webhook.objects import at

GOOD, OLD = vm(disk("good")), known_as(vm(disk("once")))
RUNNING = {"created": True}
HCO = kubevirt(evictionStrategy="LiveMigrate")


def patched(webhook: Webhook, request: Object) -> Object:
    """Return the object as kube-apiserver stores it."""
    response = webhook.mutate(request)
    assert (response["allowed"], "patchType" in response) == (True, "patch" in response)
    assert response.get("patchType", "JSONPatch") == "JSONPatch"
    patch = json.loads(base64.b64decode(response.get("patch", "W10=")))
    found: Object = jsonpatch.apply_patch(request["request"]["object"], patch)
    return found


def strategy(request: Object, *objects: Object) -> str | None:
    """Return the eviction strategy that the stored object has."""
    obj = patched(Webhook((*CLUSTER, *objects)), request)
    path = ("spec",) if obj["kind"] == "VirtualMachineInstance" else ("spec", "template", "spec")
    found: str | None = at(obj, *path, "evictionStrategy")
    return found


@pytest.mark.parametrize("make", [vm, vmi])
def test_a_new_vm_gets_live_migrate_and_nothing_else_changes(make: Callable[..., Object]) -> None:
    assert patched(Webhook(), review(make(disk("good")))) == make(disk("good"), evictionStrategy="LiveMigrate")


@pytest.mark.parametrize("given", ["None", "LiveMigrateIfPossible"])
def test_another_strategy_becomes_live_migrate_with_a_warning(given: str) -> None:
    request = review(vm(disk("good"), evictionStrategy=given))
    (warning,) = Webhook().mutate(request)["warnings"]
    assert (strategy(request), given in warning, "LiveMigrate" in warning) == ("LiveMigrate", True, True)


MORE = vm(disk("good-block"), status={"volumeRequests": [volume_request(disk("good", name="more"))]})
NO_PATCH = {
    "LiveMigrate already": review(vm(disk("good"), evictionStrategy="LiveMigrate")),
    "External is a choice": review(vm(disk("good"), evictionStrategy="External")),
    "nothing that matters changes": review(vm(disk("good"), spec={"running": True}), GOOD, "UPDATE"),
    "a status write": review(MORE, GOOD, "UPDATE", subresource="status"),
    "a deletion": review(None, GOOD, "DELETE"),
    "a plug into a running VMI": review(vmi(disk("good"), disk("good-block")), vmi(disk("good")), "UPDATE"),
}


@pytest.mark.parametrize("request_", NO_PATCH.values(), ids=NO_PATCH)
def test_where_nothing_is_to_be_set_the_response_has_no_patch(request_: Object) -> None:
    response = Webhook().mutate(request_)
    assert response["allowed"] is True
    assert not {"patch", "patchType"} & response.keys()


NAMELESS = {**vmi(disk("good")), "metadata": {"generateName": "web", "namespace": "vms"}}
STARTS: dict[str, tuple[Object, list[Object], str | None]] = {
    "a VMI of an old violator": (vmi(disk("once")), [OLD], None),
    "a VMI of an exempt violator": (vmi(disk("once")), [exempt(OLD)], None),
    "a VMI of an old violator where the cluster's default is LiveMigrate": (
        vmi(disk("once")),
        [HCO, OLD],
        "LiveMigrateIfPossible",
    ),
    "a VMI of an old VM that can migrate": (vmi(disk("good")), [known_as(GOOD)], "LiveMigrate"),
    "a VMI of a ReplicaSet": (vmi(disk("good"), name="web7k2fw"), [replica_set(disk("good"))], "LiveMigrate"),
    "a VMI of a ReplicaSet by generateName": (NAMELESS, [replica_set(disk("good"))], "LiveMigrate"),
}


@pytest.mark.parametrize(("obj", "objects", "expected"), STARTS.values(), ids=STARTS)
def test_which_strategy_a_starting_vmi_gets(obj: Object, objects: list[Object], expected: str | None) -> None:
    assert strategy(review(owned(obj, objects[-1]), user=CONTROLLER), *objects) == expected


def test_a_halted_vm_gets_it_with_a_change_of_its_template() -> None:
    assert strategy(review(vm(disk("good"), disk("good-block")), GOOD, "UPDATE")) == "LiveMigrate"


def test_a_running_vm_is_not_patched_and_a_warning_names_its_next_start() -> None:
    new, old = vm(disk("good"), disk("good-block"), status=RUNNING), vm(disk("good"), status=RUNNING)
    request = review(new, old, "UPDATE")
    (warning,) = Webhook().mutate(request)["warnings"]
    assert (patched(Webhook(), request), "next start" in warning) == (new, True)


def test_nothing_is_set_where_one_node_alone_could_run_it() -> None:
    assert patched(Webhook((*CLUSTER, node("only"))), review(GOOD)) == GOOD


@pytest.mark.parametrize("settings", [{"evictionStrategy": "off"}, {"mode": "off"}], ids=str)
def test_nothing_is_set_where_the_settings_say_so(settings: dict[str, str]) -> None:
    assert Webhook(CLUSTER, **settings).mutate(review(GOOD)).keys() == {"uid", "allowed"}


def test_a_vm_that_will_be_denied_is_left_to_the_validating_side() -> None:
    assert Webhook().mutate(review(vm(disk("once"))))["allowed"] is True


def test_what_mutate_leaves_behind_validate_admits_without_a_warning() -> None:
    webhook = Webhook()
    stored = patched(webhook, review(vm(disk("good"), evictionStrategy="None")))
    assert webhook.validate(review(stored)).keys() == {"uid", "allowed"}

"""A staged rollout, the global mode and the emergency switch by `helm upgrade`, and what the doctor finds meanwhile."""

import pytest

from tests.e2e.admission.conftest import vm
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import MUTATING, VALIDATING, VMS
from tests.eventually import eventually

pytestmark = pytest.mark.cluster
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"
SETTINGS = f"ConfigMap {NAMESPACE}/{NAME}"


def test_mode_warn_works_without_a_restart_and_the_doctor_finds_it_and_no_error(release: Release) -> None:
    pods = release.ready_pods
    release.upgrade({"settings": {"mode": "warn"}})
    eventually("the failurePolicy is Ignore", lambda: release.configured("failurePolicy") == {"Ignore"})
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    assert release.answer("good") == "LiveMigrate"
    status, found = release.doctor()
    assert status == 0, found
    assert any(state == "ok" and words.startswith(f"{SETTINGS}: mode warn, ") for state, words in found)
    rights = [words.rpartition(": all ")[0] for _, words in found if words.endswith("rights are granted")]
    assert rights == ["your own account, to read", ACCOUNT]

    release.upgrade({"settings": {"mode": "deny"}})
    eventually("the failurePolicy is Fail", lambda: release.configured("failurePolicy") == {"Fail"})
    release.await_in_force()
    assert release.ready_pods == pods


def test_the_emergency_switch_removes_the_webhook_configurations_and_restores_them(release: Release) -> None:
    pods = release.ready_pods
    release.upgrade({"settings": {"webhookConfigurations": "off"}})
    eventually("no webhook configuration", lambda: not release.read(VALIDATING) and not release.read(MUTATING))
    assert [release.answer(claim) for claim in ("once", "good")] == ["", ""]

    release.upgrade()
    release.await_in_force()
    assert release.ready_pods == pods


def test_only_vms_in_selected_namespaces_are_evaluated_and_counted_by_the_doctor(release: Release) -> None:
    release.api.create(VMS, vm("good"))
    counted = []
    release.upgrade({"namespaceSelector": {"matchLabels": {"migratability": "on"}}})
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    counted += release.doctor()[1]
    release.cluster.kubectl("label", "namespace", "vms", "migratability=on")
    release.await_in_force()
    counted += release.doctor()[1]

    release.cluster.kubectl("label", "namespace", "vms", "migratability-")
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    release.cluster.kubectl("delete", "virtualmachines", "--all", "-n", "vms")
    assert [found for found in counted if "VirtualMachines in the selected namespaces" in found[1]] == [
        ("ok", f"none of the {number} VirtualMachines in the selected namespaces violates a rule") for number in (0, 1)
    ]


def test_the_doctor_names_settings_that_do_not_parse_and_a_right_that_the_account_lacks(release: Release) -> None:
    release.cluster.kubectl("delete", "rolebinding", NAME, "-n", NAMESPACE)
    try:
        first, lacking = release.doctor()
        release.edit(f"configmap/{NAME}", {"data": {"settings.yaml": "mode: maybe"}})
        second, invalid = release.doctor()
    finally:
        release.upgrade({}, "--force-conflicts")
    assert (first, second) == (1, 1)
    errors = [words for state, words in lacking if state == "error"]
    assert f"{ACCOUNT}: list pods in namespace {NAMESPACE} is not allowed" in errors
    secret = f" secrets {NAME}-ca in namespace {NAMESPACE} is not allowed"
    (verbs,) = (words.removesuffix(secret) for words in errors if words.endswith(secret))
    assert {"get", "update", "delete"} <= set(verbs.removeprefix(f"{ACCOUNT}: ").split(" or "))
    assert all(f"in namespace {NAMESPACE} is not allowed" in words for words in errors)
    wrong = f"{SETTINGS}: settings.yaml: mode: must be one of deny, warn, off"
    assert [state for state, words in invalid if words.startswith(wrong)] == ["error"]

"""`migratability doctor` as an administrator runs it, on a release that works and on what goes wrong with it."""

import json

import pytest

from tests.documentation import CHART
from tests.e2e_chart.doctor import about, doctor
from tests.e2e_chart.site import VALUES, Site, set_options
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import VALIDATING, vm_object
from tests.workloads import eventually
from webhook.objects import at

pytestmark = pytest.mark.cluster
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"


def test_of_a_release_that_works_it_finds_the_settings_and_the_rights_of_its_account(release: Site) -> None:
    release.upgrade("settings.mode=warn")
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    status, found = doctor(release)
    assert status == 0, found
    assert about(found, "release") == [
        ("ok", f"ConfigMap {NAMESPACE}/{NAME}: mode warn, webhookConfigurations managed")
    ]
    assert [words.rpartition(": all ")[0] for _, words in about(found, "rights")] == [
        "your own account, to read",
        ACCOUNT,
    ]
    assert {state for state, _ in about(found, "webhook configurations")} <= {"ok", "warning"}
    release.upgrade()
    release.await_in_force()


def test_settings_that_do_not_parse_are_named(release: Site) -> None:
    set_settings(release, "mode: maybe")
    try:
        status, found = doctor(release)
    finally:
        release.helm("upgrade", NAME, str(CHART), "--wait", "--force-conflicts", *set_options(VALUES))
    (said,) = about(found, "settings")
    assert (status, said[0]) == (1, "error")
    assert said[1].startswith(f"ConfigMap {NAMESPACE}/{NAME}: settings.yaml: mode: must be one of deny, warn, off")
    release.await_in_force()


def test_a_right_that_the_account_lacks_is_named_though_the_administrator_has_it(release: Site) -> None:
    release.cluster.kubectl("delete", "rolebinding", NAME, "-n", NAMESPACE)
    try:
        status, found = doctor(release)
    finally:
        release.upgrade()
    missing_names = [words for state, words in about(found, "rights") if state == "error"]
    assert status == 1
    assert f"{ACCOUNT}: list pods in namespace {NAMESPACE} is not allowed" in missing_names
    assert (
        f"{ACCOUNT}: get or update or delete secrets {NAME}-ca in namespace {NAMESPACE} is not allowed" in missing_names
    )
    assert all(f"in namespace {NAMESPACE} is not allowed" in words for words in missing_names)
    release.await_in_force()


def test_vms_are_counted_where_they_are_evaluated(release: Site) -> None:
    release.api.create("/apis/kubevirt.io/v1/namespaces/vms/virtualmachines", vm_object("good"))
    release.cluster.kubectl("label", "namespace", "vms", "migratability=on")
    counted = []
    for value in ("on", "off"):
        release.upgrade(f"namespaceSelector.matchLabels.migratability={value}")
        await_selected(release, value)
        counted += about(doctor(release)[1], "VMs")
    release.cluster.kubectl("delete", "virtualmachines", "--all", "-n", "vms")
    release.cluster.kubectl("label", "namespace", "vms", "migratability-")
    release.upgrade()
    release.await_in_force()
    assert counted == [
        ("ok", f"none of the {number} VirtualMachines in the selected namespaces violates a rule") for number in (1, 0)
    ]


def set_settings(site: Site, content: str) -> None:
    """Edit the release's settings by hand."""
    patch = json.dumps({"data": {"settings.yaml": content}})
    site.cluster.kubectl("patch", "configmap", NAME, "-n", NAMESPACE, "--type=merge", "-p", patch)


def await_selected(site: Site, value: str) -> None:
    """Return when the webhook configurations choose namespaces by this value of the label."""

    def selected() -> object:
        webhooks = (site.read(VALIDATING) or {}).get("webhooks") or [{}]
        return at(webhooks[0], "namespaceSelector", "matchLabels", "migratability")

    eventually("the selector is registered", lambda: selected() == value)

"""A write is evaluated in every served version of the API and with every verb."""

import json
from collections.abc import Callable

import pytest

from tests.build import RWO, RWX, Object, claim, disk, volume_request
from tests.build_paths import clone
from tests.e2e.admission.conftest import ADMIN, NAMES, Answer, Site, pool, replica_set, started, stored, vm, vmi
from tests.e2e.admission.writes import EXEMPT
from webhook.objects import at

KUBEVIRT, POOL = ("kubevirt.io/v1", "kubevirt.io/v1alpha3"), ("pool.kubevirt.io/v1beta1", "pool.kubevirt.io/v1alpha1")
KINDS = (
    ("VM", vm, KUBEVIRT, ("template", "spec")),
    ("VMI", vmi, KUBEVIRT, ()),
    ("ReplicaSet", replica_set, KUBEVIRT, ("template", "spec")),
    ("Pool", pool, POOL, ("virtualMachineTemplate", "spec", "template", "spec")),
)
VERSIONS = [(f"{kind} {api}", make, api, path) for kind, make, versions, path in KINDS for api in versions]
BAD = {"spec": {"template": {"spec": {"volumes": [disk("once")]}}}}
GOING: Object = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}


@pytest.mark.parametrize(("make", "api", "path"), [row[1:] for row in VERSIONS], ids=[row[0] for row in VERSIONS])
def test_every_version_is_denied_patched_and_asked_for_the_right_to_exempt(
    site: Site, make: Callable[..., Object], api: str, path: tuple[str, ...]
) -> None:
    created, output = site.create(make("once", api=api))
    assert (created, "is ReadWriteOnce, not ReadWriteMany" in output) == (False, True)
    made = site.have(make("good", api=api))
    assert at(made, "spec", *path, "evictionStrategy") == "LiveMigrate"
    done, output = site.patch({**made, "apiVersion": api}, EXEMPT)
    assert (done, "may not set" in output) == (False, True)
    if make is vm:
        assert not site.patch({**made, "apiVersion": api}, BAD)[0]


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_a_clone_in_every_version_is_evaluated(site: Site, version: str) -> None:
    source = site.have(vm("once", **EXEMPT["metadata"]), ADMIN)["metadata"]["name"]
    created, output = site.create({**clone(source), "apiVersion": f"clone.kubevirt.io/{version}"})
    assert (created, "the VM it creates violates a rule" in output) == (False, True)


def unnamed(make: Callable[..., Object]) -> Object:
    """Return a bad VM to which the API server gives its name."""
    return {**make("once"), "metadata": {"namespace": "vms", "generateName": "m-"}}


APPLY = ("apply", "--server-side", "--validate=false", "-f", "-")
MIGRATED: Object = {"status": {"migratedVolumes": [{"volumeName": "once"}]}}
"""Of a VMI, which has no status subresource, so that what somebody creates there is stored."""
VERBS: dict[str, Callable[[Site], Answer]] = {
    "server-side apply": lambda site: site.kubectl(*APPLY, stdin=vm("once")),
    "replacement": lambda site: site.replace({**site.have(vm("good")), "spec": vm("once")["spec"]}),
    "dry run": lambda site: site.kubectl("create", "--dry-run=server", "-f", "-", stdin=vm("once")),
    "VM without a name": lambda site: site.create(unnamed(vm)),
    "VMI without a name": lambda site: site.create(unnamed(vmi)),
    "creation as being deleted": lambda site: site.create(vm("once", **GOING)),
    "VMI with a status": lambda site: site.create({**vmi("once"), **MIGRATED}),
    "VMI with a forged owner": lambda site: site.create(started(site.have(vm("good")), "once")),
}


@pytest.mark.parametrize("write", VERBS.values(), ids=VERBS)
def test_a_bad_vm_is_denied_by(site: Site, write: Callable[[Site], Answer]) -> None:
    done, output = write(site)
    assert (done, "[shared-access]" in output) == (False, True)


def test_an_exemption_by_server_side_apply_or_of_a_vm_that_is_being_deleted_needs_the_right(site: Site) -> None:
    made = vm("good", finalizers=["x.io/y"])
    assert site.kubectl(*APPLY, stdin=made)[0]
    applied = site.kubectl(*APPLY, stdin={**made, "metadata": {**made["metadata"], **EXEMPT["metadata"]}})
    assert site.delete(made)[0]
    answers = (applied, site.patch(made, EXEMPT))
    assert [(done, "may not set" in output) for done, output in answers] == [(False, True)] * 2


def test_neither_a_forged_deletion_nor_the_status_changes_a_label_or_a_disk(site: Site) -> None:
    made = site.have(vm("good"))
    site.patch(made, {"metadata": {**EXEMPT["metadata"], **GOING}, **BAD})
    site.patch(made, {**EXEMPT, "status": {"ready": False}}, "/status")
    found = site.get(made)
    assert "labels" not in found["metadata"]
    assert found["spec"]["template"]["spec"]["volumes"] == made["spec"]["template"]["spec"]["volumes"]


def test_a_hot_plug_of_a_pvc_for_one_node_is_denied_with_its_field_as_kubectl_shows_it(site: Site) -> None:
    made = site.have(vm("good"))
    request = {"addVolumeOptions": {**volume_request(disk("once"))["addVolumeOptions"], "disk": {"name": "once"}}}
    status = {"volumeRequests": [request]}
    field = "status.volumeRequests[0].addVolumeOptions.volumeSource.persistentVolumeClaim.claimName"
    path = f"/apis/kubevirt.io/v1/namespaces/vms/virtualmachines/{made['metadata']['name']}/status"
    denied = site.cluster.client().request("PUT", path, {**made, "status": status}).object()
    assert (denied["code"], denied["reason"]) == (422, "Invalid")
    assert 'PVC "once" is ReadWriteOnce, not ReadWriteMany' in denied["message"]
    assert [cause["field"] for cause in denied["details"]["causes"]] == [field]
    patch = json.dumps([{"op": "add", "path": "/status", "value": status}])
    which = ("virtualmachine", made["metadata"]["name"], "-n", "vms")
    done, output = site.kubectl("patch", *which, "--subresource=status", "--type=json", f"--patch={patch}")
    assert not done
    assert output.startswith(f'The VirtualMachine "{made["metadata"]["name"]}" is invalid: {field}: ')
    assert output.endswith("[shared-access]\n")


def test_a_pvc_that_is_created_or_replaced_a_moment_before_its_vm_is_seen(site: Site) -> None:
    for _ in range(3):
        name = f"fresh-{next(NAMES)}"
        site.have(stored(name, RWO), ADMIN)
        created, output = site.create(vm(name))
        assert (created, f'PVC "{name}" is ReadWriteOnce, not ReadWriteMany' in output) == (False, True)
        assert site.patch(claim(name), {"metadata": {"finalizers": None}}, user=ADMIN)[0]
        site.delete(claim(name), ADMIN)
        site.have(stored(name, RWX), ADMIN)
        assert site.create(vm(name))[0]

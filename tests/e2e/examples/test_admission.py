"""What kubectl and virtctl show of a denial, and what was written a moment before a VM."""

import itertools
from typing import Any

import pytest

from tests.build import RWO, claim, disk, volume_request
from tests.e2e.examples.conftest import Object, Site

NAMES = (f"vm-{number}" for number in itertools.count())
REQUEST = {"addVolumeOptions": {**volume_request(disk("nfs-once"))["addVolumeOptions"], "disk": {"name": "nfs-once"}}}
HOT_PLUG = {"volumeRequests": [REQUEST]}
"""What virtctl makes KubeVirt write."""
DEVICES = {"interfaces": [{"name": "default", "masquerade": {}}]}


def instance_spec(*volumes: Object) -> Object:
    disks = [{"name": volume["name"], "disk": {"bus": "virtio"}} for volume in volumes]
    domain = {"resources": {"requests": {"memory": "1Gi"}}, "devices": {**DEVICES, "disks": disks}}
    return {"domain": domain, "networks": [{"name": "default", "pod": {}}], "volumes": list(volumes)}


def vm(*volumes: Object, **metadata: Any) -> Object:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": next(NAMES), "namespace": "vms", **metadata},
        "spec": {"runStrategy": "Halted", "template": {"spec": instance_spec(*volumes)}},
    }


@pytest.fixture
def good(site: Site) -> str:
    """The name of a good VM that is there."""
    vm_object = vm(disk("nfs"))
    site.must_create(vm_object)
    return str(vm_object["metadata"]["name"])


def test_a_hot_plug_of_a_pvc_for_one_node_is_denied_and_the_message_says_why(site: Site, good: str) -> None:
    denied = answer_to_hot_plug(site, good)
    assert (denied["code"], denied["reason"]) == (422, "Invalid")
    assert 'PVC "nfs-once" is ReadWriteOnce, not ReadWriteMany' in denied["message"]
    assert [cause["field"] for cause in denied["details"]["causes"]] == [
        "status.volumeRequests[0].addVolumeOptions.volumeSource.persistentVolumeClaim.claimName"
    ]


def test_kubectl_shows_the_denial_of_a_hot_plug(site: Site, good: str) -> None:
    done, output = site.patch(good, [{"op": "add", "path": "/status", "value": HOT_PLUG}], "--subresource=status")
    assert not done
    assert output.startswith(f'The VirtualMachine "{good}" is invalid: status.volumeRequests[0].addVolumeOptions.')
    assert output.endswith("[shared-access]\n")


def answer_to_hot_plug(site: Site, name: str) -> Object:
    """The Status that the API server sends, of which kubectl shows a part."""
    api, path = site.cluster.client(), f"/apis/kubevirt.io/v1/namespaces/vms/virtualmachines/{name}"
    answer = api.request("PUT", f"{path}/status", {**api.request("GET", path).object(), "status": HOT_PLUG})
    assert answer.status == answer.object()["code"]
    return answer.object()


@pytest.mark.parametrize("_", range(5))
def test_a_pvc_made_a_moment_before_its_vm_is_seen(site: Site, _: int) -> None:
    name = next(NAMES)
    request = claim(name, RWO, storage_class="ontap-nas", resources={"requests": {"storage": "1Gi"}})
    created, output = site.create(request, vm(disk(name)))
    assert not created
    assert f'PVC "{name}" is ReadWriteOnce, not ReadWriteMany' in output


def test_a_pvc_fixed_a_moment_before_its_vm_is_seen(site: Site) -> None:
    name = next(NAMES)
    once, many = (
        claim(name, mode, storage_class="ontap-nas", resources={"requests": {"storage": "1Gi"}})
        for mode in (RWO, "ReadWriteMany")
    )
    site.must_create(once)
    assert not site.create(vm(disk(name)))[0]
    site.kubectl("patch", "pvc", name, "-n", "vms", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    assert site.kubectl("delete", "pvc", name, "-n", "vms")[0]
    site.must_create(many, vm(disk(name)))


def test_a_user_cannot_pass_a_new_vm_off_as_one_that_is_being_deleted(site: Site) -> None:
    created, output = site.create(vm(disk("nfs-once"), deletionTimestamp="2026-11-24T18:00:00Z"))
    assert not created
    assert "[shared-access]" in output

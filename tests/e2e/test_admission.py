"""What users and KubeVirt meet on a real API server: nothing bad gets in, nothing old gets stuck."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.build import RWO, claim, disk, volume_request
from tests.e2e.conftest import CONTROLLER, Object, Site
from tests.localcluster.api import Client
from tests.localcluster.installation import ACCOUNT

NAMES = (f"vm-{number}" for number in itertools.count())
REQUEST = {"addVolumeOptions": {**volume_request(disk("nfs-once"))["addVolumeOptions"], "disk": {"name": "nfs-once"}}}
HOT_PLUG = {"volumeRequests": [REQUEST]}
"""What virtctl makes KubeVirt write."""
DEVICES = {"interfaces": [{"name": "default", "masquerade": {}}]}


@pytest.fixture(autouse=True)
def _no_machine_stays(site: Site) -> Iterator[None]:
    yield
    kinds = "virtualmachines.kubevirt.io,virtualmachineinstances.kubevirt.io"
    for name in site.cluster.kubectl("get", kinds, "-n", "vms", "-o", "name").stdout.split():
        site.cluster.kubectl("patch", name, "-n", "vms", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    site.cluster.kubectl("delete", kinds, "--all", "-n", "vms")


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


def vmi(*volumes: Object, **metadata: Any) -> Object:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": next(NAMES), "namespace": "vms", **metadata},
        "spec": instance_spec(*volumes),
    }


@pytest.fixture
def good(site: Site) -> str:
    """The name of a good machine that is there."""
    machine = vm(disk("nfs"))
    site.must_create(machine)
    return str(machine["metadata"]["name"])


@pytest.fixture
def violator(site: Site) -> str:
    """The name of a machine with a ReadWriteOnce disk, made before the webhook was there."""
    machine = vm(disk("nfs-once"), finalizers=["kubevirt.io/foregroundDeleteVirtualMachine"])
    site.installation.unregister()
    while not site.create(machine)[0]:
        pass
    site.installation.register()
    return str(machine["metadata"]["name"])


def test_a_hot_plug_of_a_claim_for_one_node_is_refused_and_the_message_says_why(site: Site, good: str) -> None:
    refused = answer_to_hot_plug(site, good)
    assert (refused["code"], refused["reason"]) == (422, "Invalid")
    assert 'claim "nfs-once" is ReadWriteOnce, not ReadWriteMany' in refused["message"]
    assert [cause["field"] for cause in refused["details"]["causes"]] == [
        "status.volumeRequests[0].addVolumeOptions.volumeSource.persistentVolumeClaim.claimName"
    ]


def test_kubectl_shows_the_refusal_of_a_hot_plug(site: Site, good: str) -> None:
    done, output = site.patch(good, [{"op": "add", "path": "/status", "value": HOT_PLUG}], "--subresource=status")
    assert not done
    assert output.startswith(f'The VirtualMachine "{good}" is invalid: status.volumeRequests[0].addVolumeOptions.')
    assert output.endswith("[shared-access]\n")


def answer_to_hot_plug(site: Site, name: str) -> Object:
    """The Status that the API server sends, of which kubectl shows a part."""
    pki = site.cluster.directory / "pki"
    port = int(site.cluster.url.rpartition(":")[2])
    api = Client(port, site.cluster.ca_pem, pki / "admin.crt", pki / "admin.key")
    path = f"/apis/kubevirt.io/v1/namespaces/vms/virtualmachines/{name}"
    machine = json.loads(api.request("GET", path).body)
    answer = api.request("PUT", f"{path}/status", {**machine, "status": HOT_PLUG})
    status: Object = json.loads(answer.body)
    assert answer.status == status["code"]
    return status


def test_a_heartbeat_of_an_instance_never_reaches_the_webhook(site: Site) -> None:
    instance = vmi(disk("nfs"))
    name = instance["metadata"]["name"]
    site.must_create(instance)
    before = site.installation.calls()
    beats = [
        {"status": {"phase": "Running", "nodeName": "node1"}},
        {"metadata": {"labels": {"kubevirt.io/nodeName": "node1"}, "annotations": {"beat": "1"}}},
        {"spec": {"terminationGracePeriodSeconds": 0}},
    ]
    for beat in beats:
        assert site.patch(name, beat, resource="virtualmachineinstance") == (
            True,
            f"virtualmachineinstance.kubevirt.io/{name} patched\n",
        )
    assert site.installation.calls() == before


def test_a_machines_own_affairs_never_reach_the_webhook(site: Site, good: str) -> None:
    before = site.installation.calls()
    assert site.patch(good, {"spec": {"runStrategy": "Always"}})[0]
    assert site.patch(good, {"status": {"created": True, "ready": True}}, "--subresource=status")[0]
    assert site.kubectl("label", "vm", good, "-n", "vms", "tier=gold")[0]
    assert site.kubectl("delete", "vm", good, "-n", "vms")[0]
    assert site.installation.calls() == before


def test_an_old_violator_can_be_labelled_stopped_and_given_memory(site: Site, violator: str) -> None:
    memory = {"spec": {"template": {"spec": {"domain": {"resources": {"requests": {"memory": "2Gi"}}}}}}}
    assert site.kubectl("label", "vm", violator, "-n", "vms", "tier=gold")[0]
    assert site.patch(violator, {"spec": {"runStrategy": "Always"}})[0]
    assert site.patch(violator, {"spec": {"runStrategy": "Halted"}})[0]
    done, output = site.patch(violator, memory)
    assert (done, "Warning" in output) == (True, False), output
    done, output = site.patch(violator, {"spec": {"template": {"spec": {"architecture": "amd64"}}}})
    assert (done, "(as before) [shared-access]" in output) == (True, True), output


def test_a_second_bad_disk_of_an_old_violator_is_refused_and_nothing_else_is_named(site: Site, violator: str) -> None:
    volumes = "/spec/template/spec/volumes/-"
    done, output = site.patch(violator, [{"op": "add", "path": volumes, "value": disk("san-filesystem")}])
    warned, _, refused = output.partition("\n")
    assert not done
    assert warned.endswith("(as before) [shared-access]")
    assert 'claim "san-filesystem"' in refused
    assert 'claim "nfs-once"' not in refused


def test_an_old_violator_can_be_deleted_through_its_finalizer(site: Site, violator: str) -> None:
    assert site.kubectl("delete", "vm", violator, "-n", "vms", "--wait=false")[0]
    spoiled = {"spec": {"template": {"spec": {"volumes": [disk("san-filesystem")]}}}}
    assert site.patch(violator, spoiled)[0], "what is being deleted is let go, whatever is written into it"
    assert site.patch(violator, {"metadata": {"finalizers": None}})[0]
    assert "NotFound" in site.kubectl("get", "vm", violator, "-n", "vms")[1]


def test_kubevirt_can_start_an_old_violator_and_its_instance_blocks_no_drain(site: Site, violator: str) -> None:
    uid = site.cluster.kubectl("get", "vm", violator, "-n", "vms", "-o", "jsonpath={.metadata.uid}").stdout
    instance = vmi(disk("nfs-once"), name=violator, ownerReferences=[owner(violator, uid)])
    created, output = site.create(instance, user=CONTROLLER)
    assert created, output
    path = "jsonpath={.spec.evictionStrategy}"
    name = instance["metadata"]["name"]
    assert site.cluster.kubectl("get", "vmi", name, "-n", "vms", "-o", path).stdout != "LiveMigrate"


def owner(name: str, uid: str) -> Object:
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": name, "uid": uid, "controller": True}


@pytest.mark.parametrize("_", range(5))
def test_a_claim_made_a_moment_before_its_machine_is_seen(site: Site, _: int) -> None:
    name = next(NAMES)
    request = claim(name, RWO, storage_class="ontap-nas", resources={"requests": {"storage": "1Gi"}})
    created, output = site.create(request, vm(disk(name)))
    assert not created
    assert f'claim "{name}" is ReadWriteOnce, not ReadWriteMany' in output


def test_a_claim_mended_a_moment_before_its_machine_is_seen(site: Site) -> None:
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


def test_a_user_cannot_pass_a_new_machine_off_as_one_that_is_being_deleted(site: Site) -> None:
    created, output = site.create(vm(disk("nfs-once"), deletionTimestamp="2026-11-24T18:00:00Z"))
    assert not created
    assert "[shared-access]" in output


def test_an_older_version_of_the_api_is_judged_too(site: Site) -> None:
    created, output = site.create({**vm(disk("nfs-once")), "apiVersion": "kubevirt.io/v1alpha3"})
    assert not created
    assert "[shared-access]" in output


def test_the_webhook_may_read_what_it_judges_by_and_nothing_else(site: Site) -> None:
    def may(verb: str, resource: str) -> bool:
        return site.kubectl("auth", "can-i", verb, resource, "--all-namespaces", user=ACCOUNT)[0]

    assert may("list", "persistentvolumeclaims")
    assert may("get", "datavolumes.cdi.kubevirt.io")
    assert not any(may(verb, "persistentvolumeclaims") for verb in ("create", "update", "patch", "delete"))
    assert not any(may("get", resource) for resource in ("secrets", "configmaps", "pods"))


def test_with_the_webhook_gone_new_machines_are_refused_and_everything_else_goes_on(site: Site, good: str) -> None:
    site.installation.stop()
    try:
        created, output = site.create(vm(disk("nfs")))
        assert not created
        assert 'failed calling webhook "virtualmachines.validate.migratability.io"' in output
        assert not site.patch(good, [{"op": "add", "path": "/status", "value": HOT_PLUG}], "--subresource=status")[0]
        assert site.kubectl("label", "vm", good, "-n", "vms", "tier=gold") == (
            True,
            f"virtualmachine.kubevirt.io/{good} labeled\n",
        )
        assert site.patch(good, {"spec": {"runStrategy": "Always"}})[0]
        assert site.patch(good, {"status": {"ready": True}}, "--subresource=status")[0]
        assert site.kubectl("delete", "vm", good, "-n", "vms")[0]
    finally:
        site.installation.start()
    site.must_create(vm(disk("nfs")))

"""Who may exempt, asked of the real API server."""

import json

import pytest

from tests.build import Object
from tests.build_paths import CONTROLLER, REASON
from tests.e2e.admission.conftest import (
    ALICE,
    CAROL,
    NAMES,
    Site,
    clone,
    instance_spec,
    pool,
    replica_set,
    vm,
    vmi,
)

ANNOTATIONS: Object = {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON}
EXEMPT = {"metadata": ANNOTATIONS}
HOST_DISK = {"name": "h", "hostDisk": {"path": "/x.img", "type": "Disk"}}
ROOT = "root"


def fresh(obj: Object, **metadata: object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": next(NAMES), **metadata}}


def in_template(obj: Object) -> Object:
    spec = obj["spec"]
    if "virtualMachineTemplate" in spec:
        template = spec["virtualMachineTemplate"]
        metadata = {**template.get("metadata", {}), "annotations": REASON}
        metadata["labels"] = {**metadata.get("labels", {}), **ANNOTATIONS["labels"]}
        return {**obj, "spec": {**spec, "virtualMachineTemplate": {**template, "metadata": metadata}}}
    metadata = {**spec["template"].get("metadata", {}), "annotations": REASON}
    metadata["labels"] = {**metadata.get("labels", {}), **ANNOTATIONS["labels"]}
    return {**obj, "spec": {**spec, "template": {**spec["template"], "metadata": metadata}}}


VMS = [vm("good"), vmi("good"), replica_set("good"), pool("good")]
PLACES = [
    *((obj["kind"], {**obj, "metadata": {**obj["metadata"], **ANNOTATIONS}}) for obj in VMS),
    *((f"{obj['kind']}'s template", in_template(obj)) for obj in VMS if obj["kind"] != "VirtualMachineInstance"),
]


@pytest.mark.parametrize("obj", [row[1] for row in PLACES], ids=[row[0] for row in PLACES])
def test_a_user_without_the_right_is_denied_and_one_with_it_passes(site: Site, obj: Object) -> None:
    created, output = site.create(fresh(obj), user=ALICE)
    assert not created
    assert '"alice" may not set "exempt.migratability.io/all"' in output
    assert 'the verb "exempt" on virtualmachines.kubevirt.io in namespace vms' in output
    assert site.create(fresh(obj), user=CAROL)[0]


@pytest.mark.parametrize("obj", VMS, ids=[obj["kind"] for obj in VMS])
def test_a_label_on_what_is_there_needs_the_right(site: Site, obj: Object) -> None:
    made = site.have(fresh(obj))
    assert [site.patch(made, EXEMPT, user=user)[0] for user in (ALICE, CAROL)] == [False, True]


@pytest.mark.parametrize(("user", "answer"), [(CAROL, "yes"), (ALICE, "no")])
def test_kubectl_says_who_may_exempt(site: Site, user: str, answer: str) -> None:
    question = ("auth", "can-i", "exempt", "virtualmachines.kubevirt.io", "-n", "vms")
    assert site.kubectl(*question, user=user)[1].splitlines()[0] == answer


def test_the_right_in_one_namespace_is_none_in_another(site: Site) -> None:
    vm_object = fresh(vm("good"), namespace="kubevirt", **ANNOTATIONS)
    created, output = site.create(vm_object, user=CAROL)
    assert (created, "in namespace kubevirt" in output) == (False, True)


def test_a_group_may_have_the_right(site: Site) -> None:
    """The API server is asked with the groups of the request's user."""
    vm_object = fresh(vm("good"), **ANNOTATIONS)
    text = json.dumps(vm_object)
    done = site.cluster.kubectl("create", "-f", "-", stdin=text, user=ROOT, groups=("system:masters",), check=False)
    assert done.returncode == 0, done.stderr


def test_an_exempt_vm_gets_in_with_a_bad_disk_and_without_live_migrate(site: Site) -> None:
    created, output = site.create(vm_object := fresh(vm("once"), **ANNOTATIONS), user=CAROL)
    assert created, output
    assert "(exempt) [shared-access]" in output
    assert "offline" not in output
    assert "evictionStrategy" not in site.get(vm_object)["spec"]["template"]["spec"]


def test_an_exemption_that_comes_with_the_bad_disk_counts_at_once(site: Site) -> None:
    made = site.have(fresh(vm("good")))
    bad = {"spec": {"template": {"spec": {"volumes": instance_spec("once")["volumes"]}}}}
    assert [site.patch(made, patch, user=CAROL)[0] for patch in (bad, {**bad, **EXEMPT})] == [False, True]


def test_an_exemption_that_goes_leaves_what_is_there_alone_and_denies_what_is_new(site: Site) -> None:
    site.have(vm_object := fresh(vm("once"), **ANNOTATIONS), CAROL)
    assert site.annotation(vm_object, ALICE, all=None)[0]
    edit = {"spec": {"template": {"spec": {"architecture": "amd64"}}}}
    volumes = [*instance_spec("once")["volumes"], HOST_DISK]
    more = {"spec": {"template": {"spec": {"volumes": volumes}}}}
    assert [site.patch(vm_object, patch)[0] for patch in (edit, more)] == [True, False]


LEVELS = [
    ("a new namespace", "create", {"migratability.io/enforcement": "off"}),
    ("a label", "patch", {"migratability.io/enforcement": "off"}),
    ("an exemption", "patch", {"exempt.migratability.io/all": "true"}),
]


@pytest.mark.parametrize(("how", "labels"), [row[1:] for row in LEVELS], ids=[row[0] for row in LEVELS])
def test_a_namespaces_labels_need_a_right_of_their_own(site: Site, how: str, labels: Object) -> None:
    """Carol's right is on VMs."""
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": next(NAMES)}}
    labelled = {**space, "metadata": {**space["metadata"], "labels": labels}}
    if how == "create":
        done, output = site.create(labelled, user=CAROL)
    else:
        site.have(space)
        done, output = site.patch(space, {"metadata": {"labels": labels}}, user=CAROL)
    assert not done
    assert f'the verb "exempt" on namespaces for namespace {space["metadata"]["name"]}' in output


@pytest.mark.parametrize("subresource", ["status", "finalize"])
def test_no_subresource_of_a_namespace_is_a_way_round(site: Site, subresource: str) -> None:
    name = next(NAMES)
    site.have({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    path = f"/api/v1/namespaces/{name}"
    found = json.loads(site.cluster.kubectl("get", "--raw", path).stdout)
    found["metadata"]["labels"]["migratability.io/enforcement"] = "off"
    done, output = site.kubectl("replace", "--raw", f"{path}/{subresource}", "-f", "-", stdin=found)
    assert (done, "migratability.io/enforcement" in output) == (False, True)


def test_a_namespace_that_does_not_enforce_takes_what_others_deny(site: Site) -> None:
    name = next(NAMES)
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    level = {"labels": {"migratability.io/enforcement": "warn"}}
    site.cluster.kubectl("create", "-f", "-", stdin=json.dumps({**space, "metadata": {"name": name, **level}}))
    created, output = site.create(fresh(vm(), namespace=name) | {"spec": host_disk_spec()})
    assert (created, "[host-disk]" in output) == (True, True)


def host_disk_spec() -> Object:
    spec = instance_spec()
    spec["volumes"] = [HOST_DISK]
    return {"runStrategy": "Halted", "template": {"spec": spec}}


def test_a_clone_of_an_exempt_vm_needs_the_right(site: Site) -> None:
    source = site.have(fresh(vm("once"), **ANNOTATIONS), CAROL)["metadata"]["name"]
    answers = [site.create(fresh(clone(source), **ANNOTATIONS), user=user) for user in (ALICE, CAROL)]
    assert [done for done, _ in answers] == [False, True]
    assert "may not set" in answers[0][1]


def test_a_clone_that_says_nothing_of_its_sources_exemption_is_denied(site: Site) -> None:
    source = site.have(fresh(vm("once"), **ANNOTATIONS), CAROL)["metadata"]["name"]
    created, output = site.create(fresh(clone(source)), user=CAROL)
    assert not created
    assert "[exemption]" in output


def test_kubevirts_account_brings_no_exemption_that_nobody_asked_for(site: Site) -> None:
    vms = fresh(vm("good")), fresh(vm("good"), **ANNOTATIONS), fresh(vm("once"), **ANNOTATIONS)
    assert [site.create(vm_object, user=CONTROLLER)[0] for vm_object in vms] == [True, False, False]

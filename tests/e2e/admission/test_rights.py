"""Who may exempt, asked of the real API server."""

import json

import pytest

from tests.build import Object
from tests.build_paths import REASON, tagged
from tests.e2e.admission.conftest import ALICE, CAROL, NAMES, Site, pool, replica_set, vm, vmi
from tests.e2e.admission.writes import ENFORCEMENT, EXEMPT

LABELS = EXEMPT["metadata"]["labels"]
HALTED = vm("good")
PLACES: dict[str, tuple[Object, tuple[str, ...]]] = {
    "a VM": (HALTED, ()),
    "a VM's template": (HALTED, ("spec", "template")),
    "a VMI": (vmi("good"), ()),
    "a ReplicaSet": (replica_set("good"), ()),
    "a ReplicaSet's template": (replica_set("good"), ("spec", "template")),
    "a Pool": (pool("good"), ()),
    "a Pool's template": (pool("good"), ("spec", "virtualMachineTemplate")),
}


def fresh(obj: Object, **metadata: object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": next(NAMES), **metadata}}


def exempt(*claims: str) -> Object:
    return vm(*claims, **EXEMPT["metadata"])


@pytest.mark.parametrize(("obj", "path"), PLACES.values(), ids=PLACES)
def test_a_user_without_the_right_is_denied_and_one_with_it_passes(
    site: Site, obj: Object, path: tuple[str, ...]
) -> None:
    labelled = tagged(obj, *path, labels=LABELS, annotations=REASON)
    created, output = site.create(fresh(labelled), user=ALICE)
    assert not created
    assert '"alice" may not set, change or remove "exempt.migratability.io/all"' in output
    assert 'the verb "exempt" on virtualmachines.kubevirt.io in namespace vms' in output
    assert site.create(fresh(labelled), user=CAROL)[0]
    if not path:
        made = site.have(fresh(obj))
        assert [site.patch(made, EXEMPT, user=user)[0] for user in (ALICE, CAROL)] == [False, True]


def test_the_right_in_one_namespace_is_none_in_another_and_a_group_may_have_it(site: Site) -> None:
    elsewhere = {**exempt("good"), "metadata": {**exempt("good")["metadata"], "namespace": "kubevirt"}}
    created, output = site.create(elsewhere, user=CAROL)
    assert (created, "in namespace kubevirt" in output) == (False, True)
    groups, text = ("system:masters",), json.dumps(exempt("good"))
    done = site.cluster.kubectl("create", "-f", "-", stdin=text, user="root", groups=groups, check=False)
    assert done.returncode == 0, done.stderr


def test_an_exempt_vm_is_admitted_with_a_bad_disk_and_without_live_migrate(site: Site) -> None:
    created, output = site.create(vm_object := exempt("once"), user=CAROL)
    assert created, output
    assert "(exempt) [shared-access]" in output
    assert "offline" not in output
    assert "evictionStrategy" not in site.get(vm_object)["spec"]["template"]["spec"]


@pytest.mark.parametrize("labels", [{ENFORCEMENT: "off"}, LABELS], ids=["enforcement", "an exemption"])
def test_a_namespaces_labels_need_their_own_right_by_whatever_subresource(site: Site, labels: Object) -> None:
    """Carol's right is on VMs."""
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": next(NAMES)}}
    labelled = {**space, "metadata": {**space["metadata"], "labels": labels}}
    answers = [site.create(labelled, user=CAROL)] if ENFORCEMENT in labels else []
    site.have(space)
    answers.append(site.patch(space, {"metadata": {"labels": labels}}, user=CAROL))
    found = tagged(site.get(space), labels=labels)
    answers += [site.replace(found, subresource, user=CAROL) for subresource in ("/status", "/finalize")]
    needed = f'the verb "exempt" on namespaces for namespace {space["metadata"]["name"]}'
    assert [(done, needed in output) for done, output in answers] == [(False, True)] * len(answers)

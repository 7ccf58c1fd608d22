"""With all our processes gone, what cannot bring a violation passes, and no exemption slips in."""

import json
from collections.abc import Iterator

import pytest

from tests.build import RWO, Object, disk, volume_request
from tests.build_paths import CONTROLLER, REASON
from tests.e2e.admission.conftest import CAROL, NAMES, Site, clone, pool, replica_set, restore, started, stored, vm, vmi

OUT_OF_REACH = "failed calling webhook"
ANNOTATIONS: Object = {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON}
HOT_PLUG = {"addVolumeOptions": {**volume_request(disk("good"))["addVolumeOptions"], "disk": {"name": "good"}}}


class Outage:
    """The cluster without our process, with VMs from before."""

    def __init__(self, site: Site) -> None:
        """Make the VMs, then stop the process."""
        self.site = site
        self.vms = [site.have(vm("good", finalizers=["x.io/y"])) for _ in range(2)]
        self.unverified = site.have(vm("not-there-yet"))
        self.instance = site.have(vmi("good", finalizers=["x.io/y"]))
        self.namespace = site.have({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": next(NAMES)}})
        unverified_names = {"metadata": {"labels": {"migratability.io/enforcement": "warn"}}}
        patch = f"--patch={json.dumps(unverified_names)}"
        site.cluster.kubectl("patch", "namespace", self.namespace["metadata"]["name"], "--type=merge", patch)
        site.installation.stop()

    @property
    def vm_object(self) -> Object:
        """A VM that stays."""
        return self.vms[0]


@pytest.fixture(scope="module")
def outage(site: Site) -> Iterator[Outage]:
    found = Outage(site)
    yield found
    site.installation.start()


PASSES: list[tuple[str, Object, tuple[str, ...]]] = [
    ("a label", {"metadata": {"labels": {"x": "y"}}}, ()),
    ("an annotation", {"metadata": {"annotations": {"x": "y"}}}, ()),
    ("a start", {"spec": {"runStrategy": "Always"}}, ()),
    ("a stop", {"spec": {"runStrategy": "Halted"}}, ()),
    ("its status", {"status": {"created": True}}, ("--subresource=status",)),
    ("a finalizer", {"metadata": {"finalizers": ["x.io/y", "x.io/z"]}}, ()),
]
FAILS: list[tuple[str, Object, tuple[str, ...]]] = [
    ("its template", {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}, ()),
    ("our label", {"metadata": ANNOTATIONS}, ()),
    ("a hot-plug", {"status": {"volumeRequests": [HOT_PLUG]}}, ("--subresource=status",)),
]


@pytest.mark.parametrize(("patch", "options"), [row[1:] for row in PASSES], ids=[row[0] for row in PASSES])
def test_of_a_vm_this_passes(outage: Outage, patch: Object, options: tuple[str, ...]) -> None:
    done, output = outage.site.patch(outage.vm_object, patch, *options)
    assert done, output


@pytest.mark.parametrize(("patch", "options"), [row[1:] for row in FAILS], ids=[row[0] for row in FAILS])
def test_of_a_vm_this_is_denied(outage: Outage, patch: Object, options: tuple[str, ...]) -> None:
    done, output = outage.site.patch(outage.vm_object, patch, *options, user=CAROL)
    assert (done, OUT_OF_REACH in output) == (False, True)


def test_a_vm_is_deleted(outage: Outage) -> None:
    site, vm_object = outage.site, outage.vms[1]
    assert site.kubectl("delete", "VirtualMachine", vm_object["metadata"]["name"], "-n", "vms", "--wait=false")[0]
    assert site.patch(vm_object, {"metadata": {"finalizers": None}}, user=CONTROLLER)[0]
    assert not site.kubectl("get", "VirtualMachine", vm_object["metadata"]["name"], "-n", "vms")[0]


def test_a_verified_vm_starts(outage: Outage) -> None:
    created, output = outage.site.create(started(outage.vm_object, "good"), user=CONTROLLER)
    assert created, output


def test_a_vm_that_nobody_could_evaluate_yet_does_not_start(outage: Outage) -> None:
    created, output = outage.site.create(started(outage.unverified, "not-there-yet"), user=CONTROLLER)
    assert (created, OUT_OF_REACH in output) == (False, True)


def test_pvcs_are_made(outage: Outage) -> None:
    created, output = outage.site.kubectl("create", "-f", "-", stdin=stored("any", RWO), user=CONTROLLER)
    assert created, output


def test_a_running_vmi_beats_and_ends(outage: Outage) -> None:
    beat = {"status": {"phase": "Running"}, "metadata": {"annotations": {"x": "y"}}}
    assert outage.site.patch(outage.instance, beat, user=CONTROLLER)[0]
    name = outage.instance["metadata"]["name"]
    assert outage.site.kubectl("delete", "VirtualMachineInstance", name, "-n", "vms", "--wait=false")[0]
    assert outage.site.patch(outage.instance, {"metadata": {"finalizers": None}}, user=CONTROLLER)[0]


CREATED = [vm("good"), vmi("good"), replica_set("good"), pool("good"), restore("s", "new"), clone("m")]


@pytest.mark.parametrize("obj", CREATED, ids=[obj["kind"] for obj in CREATED])
def test_what_makes_a_vm_is_not_created(outage: Outage, obj: Object) -> None:
    created, output = outage.site.create({**obj, "metadata": {**obj["metadata"], "name": next(NAMES)}})
    assert (created, OUT_OF_REACH in output) == (False, True)


def test_nobody_says_that_an_vmi_has_an_owner_but_kubevirt(outage: Outage) -> None:
    owner = outage.vm_object["metadata"]
    reference = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": owner["name"], "uid": owner["uid"]}
    assert not outage.site.create(vmi("good", ownerReferences=[{**reference, "controller": True}]))[0]


def test_namespaces_are_made_labelled_and_deleted(outage: Outage) -> None:
    site, name = outage.site, next(NAMES)
    assert site.kubectl("create", "namespace", name)[0]
    assert site.kubectl("label", "namespace", name, "team=a")[0]
    assert site.kubectl("label", "namespace", outage.namespace["metadata"]["name"], "team=a")[0]
    assert site.kubectl("delete", "namespace", name, "--wait=false")[0]


NAMESPACE_LABELS: list[tuple[str, Object]] = [
    ("an exemption", {"exempt.migratability.io/all": "true"}),
    ("another level", {"migratability.io/enforcement": "off"}),
    ("no level", {"migratability.io/enforcement": None}),
]


@pytest.mark.parametrize("labels", [row[1] for row in NAMESPACE_LABELS], ids=[row[0] for row in NAMESPACE_LABELS])
def test_our_labels_on_a_namespace_are_denied(outage: Outage, labels: Object) -> None:
    done, output = outage.site.patch(outage.namespace, {"metadata": {"labels": labels}})
    assert (done, OUT_OF_REACH in output) == (False, True)


def test_no_namespace_is_made_with_our_labels(outage: Outage) -> None:
    level = {"migratability.io/enforcement": "off"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": next(NAMES), "labels": level}}
    assert not outage.site.create(space)[0]


def test_a_namespace_with_our_label_is_still_edited(outage: Outage) -> None:
    assert outage.site.patch(outage.namespace, {"metadata": {"annotations": {"x": "y"}}})[0]

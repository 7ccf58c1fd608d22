"""volume → PVC: what exists goes before what could become one."""

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    host_disk,
    persistent_volume,
    storage_class,
    vm,
    vmi,
    volume_request,
)
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.cluster.facts.kubernetes import BETA_CLASS_ANNOTATION
from webhook.kubevirt import read_vm
from webhook.storage import Claim, NoClaim, resolve

ROX = "ReadOnlyMany"
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def resolved(vm_object: Object, *objects: Object) -> dict[str, Claim | NoClaim]:
    cluster = Snapshot(objects)
    return resolve(read_vm(vm_object, cluster, KubeVirtFacts()), cluster, "trident")


def the_claim(vm_object: Object, *objects: Object) -> Claim:
    (found,) = resolved(vm_object, *objects).values()
    assert isinstance(found, Claim)
    return found


def templated(**storage: object) -> Object:
    templates = [data_volume_template("d", storage=storage)]
    return vm(data_volume_disk("d"), spec={"dataVolumeTemplates": templates})


def test_every_pvc_that_a_volume_uses_is_looked_up_once() -> None:
    vm_object = vm(disk("once", "a"), disk("once", "b"), disk("good"), host_disk("h"), data_volume_disk("nowhere"))
    assert sorted(resolved(vm_object, *CLUSTER)) == ["good", "nowhere", "once"]


def test_an_existing_pvc_goes_before_the_data_volume_and_the_template() -> None:
    found = the_claim(templated(accessModes=[ROX]), claim("d", RWX), data_volume("d", storage={"accessModes": [RWO]}))
    assert (found.origin, found.request.access_modes, found.declared_at) == ("PVC", (RWX,), None)


def test_a_data_volume_goes_before_the_template() -> None:
    found = the_claim(templated(accessModes=[ROX]), data_volume("d", storage={"accessModes": [RWO]}))
    assert (found.origin, found.request.access_modes) == ("DataVolume d", (RWO,))
    assert found.declared_at == 'a new DataVolume "d"'


def test_a_template_is_rendered_and_says_where_it_stands() -> None:
    found = the_claim(templated(accessModes=[ROX]))
    assert (found.origin, found.request.access_modes) == ("dataVolumeTemplate d", (ROX,))
    assert found.declared_at == "spec.dataVolumeTemplates[0].spec.storage"


def test_a_pvc_volume_may_be_made_by_a_data_volume_or_a_template() -> None:
    template = data_volume_template("d", storage={"accessModes": [RWO]})
    assert the_claim(vm(disk("d"), spec={"dataVolumeTemplates": [template]})).request.access_modes == (RWO,)
    assert the_claim(vm(disk("d")), data_volume("d", pvc={"accessModes": [RWO]})).request.access_modes == (RWO,)


def test_a_data_volume_volume_of_an_existing_pvc_needs_no_data_volume() -> None:
    assert the_claim(vmi(data_volume_disk("good")), *CLUSTER).origin == "PVC"


def test_the_pvc_of_a_volume_request_is_resolved() -> None:
    vm_object = vm(status={"volumeRequests": [volume_request(disk("once"))]})
    assert the_claim(vm_object, *CLUSTER).request.access_modes == (RWO,)


def test_a_pvc_of_another_namespace_is_not_there() -> None:
    found = resolved(vm(disk("c")), claim("c", RWX, namespace="elsewhere"))
    assert isinstance(found["c"], NoClaim)


def test_what_nobody_makes_is_missing() -> None:
    found = resolved(vm(disk("c")))["c"]
    assert isinstance(found, NoClaim)
    assert "does not exist" in found.why
    assert found.remedy == "Create the PVC or the DataVolume first, or correct its name"


def test_a_template_that_makes_no_pvc_gives_the_reason_and_where_it_stands() -> None:
    found = resolved(templated(storageClassName="san", volumeMode="Filesystem"), *CLUSTER)["d"]
    assert isinstance(found, NoClaim)
    assert '"san"' in found.why
    assert found.remedy == "Correct spec.dataVolumeTemplates[0].spec.storage"


def test_a_data_volume_that_makes_no_pvc_hides_the_template() -> None:
    found = resolved(templated(accessModes=[RWX]), data_volume("d", storage={}))["d"]
    assert isinstance(found, NoClaim)
    assert found.remedy == 'Correct DataVolume "d" and create it again'


def test_a_template_of_another_name_makes_nothing() -> None:
    template = data_volume_template("e", storage={"accessModes": [RWX]})
    found = resolved(vm(data_volume_disk("d"), spec={"dataVolumeTemplates": [template]}))["d"]
    assert isinstance(found, NoClaim)


def test_an_existing_pvc_without_a_mode_is_in_filesystem_mode() -> None:
    assert the_claim(vm(disk("c")), claim("c", RWX)).request.volume_mode == "Filesystem"


def test_the_old_annotation_goes_before_the_named_class() -> None:
    found = claim("c", RWX, storage_class="nas")
    found["metadata"]["annotations"] = {BETA_CLASS_ANNOTATION: "san"}
    assert the_claim(vm(disk("c")), found, *CLUSTER).backing.driver == "ontap-san"


def test_an_unbound_pvc_without_a_class_has_the_default_one() -> None:
    default = storage_class("std", annotations={DEFAULT: "true"}, backendType="ontap-san")
    assert the_claim(vm(disk("c")), claim("c", RWX, storage_class=None), default).backing.driver == "ontap-san"


def test_an_unbound_pvc_that_wants_no_class_has_none() -> None:
    default = storage_class("std", annotations={DEFAULT: "true"}, backendType="ontap-san")
    found = the_claim(vm(disk("c")), claim("c", RWX, storage_class=""), default)
    assert found.backing.protocol == "unknown"


def test_a_bound_pvc_is_served_by_its_volume() -> None:
    found = the_claim(vm(disk("c")), claim("c", RWX, volume="pv"), persistent_volume("pv", "block"), *CLUSTER)
    assert found.backing.protocol == "block"


def test_the_evidence_names_origin_modes_and_who_serves_it() -> None:
    evidence = the_claim(vm(disk("san-fs")), *CLUSTER).evidence
    for part in ("PVC", RWX, "Filesystem", "StorageClass san", "ontap-san"):
        assert part in evidence
    assert "\n" not in evidence

"""What passes while nobody can be asked: it brings no violation, whatever the cluster is like."""

import copy
from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from tests.build import Object, disk
from tests.test_properties import choices, clusters, machines, thorough, volumes_of
from webhook import Settings, evaluate


def names_of(machine: Object) -> set[str]:
    found = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes_of(machine)]
    return {*filter(None, found), *(volume.get("dataVolume", {}).get("name") for volume in volumes_of(machine))}


@st.composite
def harmless(draw: st.DrawFn, machine: Object) -> Object:
    """Return the machine with fewer volumes, in any order, and what is theirs alone; of another size."""
    changed = copy.deepcopy(machine)
    volumes = volumes_of(changed)
    kept = draw(st.lists(st.sampled_from(range(len(volumes))), unique=True)) if volumes else []
    volumes[:] = [volumes[index] for index in kept]
    spec = changed["spec"] if machine["kind"] == "VirtualMachineInstance" else changed["spec"]["template"]["spec"]
    domain = spec.setdefault("domain", {})
    domain.update(memory={"guest": draw(st.sampled_from(["1Gi", "2Gi"]))}, resources={"requests": {"memory": "1Gi"}})
    domain.setdefault("cpu", {})["cores"] = draw(st.integers(1, 4))
    templates = changed["spec"].get("dataVolumeTemplates")
    if templates and not machine["status"].get("volumeRequests") and draw(st.booleans()):
        named = names_of(changed)
        changed["spec"]["dataVolumeTemplates"] = [each for each in templates if each["metadata"]["name"] in named]
    return changed


@thorough
@given(data=st.data(), machine=machines(), cluster=clusters(), chosen=choices)
def test_a_harmless_update_is_admitted_for_no_other_reasons_and_its_marks_are_there(
    data: st.DataObject, machine: Object, cluster: list[Object], chosen: Settings
) -> None:
    old: Object = jsonpatch.apply_patch(machine, evaluate(machine, cluster, settings=chosen).patch)
    new = data.draw(harmless(old))
    verdict = evaluate(new, cluster, old=old, settings=chosen, operation="UPDATE", final=True)
    assert verdict.allowed
    assert all(violation.tolerated for violation in verdict.violations)
    assert verdict.missing_names == []


@thorough
@given(data=st.data(), machine=machines().filter(volumes_of), cluster=clusters(), chosen=choices)
def test_a_volume_goes_back_to_the_claim_that_it_migrates_from(
    data: st.DataObject, machine: Object, cluster: list[Object], chosen: Settings
) -> None:
    place = data.draw(st.sampled_from(range(len(volumes_of(machine)))))
    source: Any = data.draw(st.sampled_from(["once", "good", "san-fs"]))
    moved = volumes_of(machine)[place]["name"]
    moves = [{"volumeName": moved, "sourcePVCInfo": {"claimName": source}}]
    if machine["kind"] == "VirtualMachineInstance":
        machine["status"] = {"migratedVolumes": moves}
    else:
        machine["status"]["volumeUpdateState"] = {"volumeMigrationState": {"migratedVolumes": moves}}
    old: Object = jsonpatch.apply_patch(machine, evaluate(machine, cluster, settings=chosen).patch)
    new = copy.deepcopy(old)
    volumes_of(new)[place] = disk(source, moved)
    verdict = evaluate(new, cluster, old=old, settings=chosen, operation="UPDATE", final=True)
    assert verdict.allowed
    assert all(violation.tolerated for violation in verdict.violations)

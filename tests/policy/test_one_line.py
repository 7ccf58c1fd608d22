"""Whatever the cluster holds under odd names, every line about it stays one line, printable and bounded."""

import json
from itertools import chain
from pathlib import Path

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    backend,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
)
from tests.build_facts import cloned_from
from tests.policy.samples import NASTY, interface
from webhook import Verdict, evaluate
from webhook.cli.main import main

Sample = tuple[Object, ...]


def samples(word: str) -> dict[str, Sample]:
    """Return, by what is named so, a VM and the objects that it needs to be told about the word."""
    on_volume = claim("c", RWO, volume="pv")
    imported = claim("c", RWX, storage_class="any")
    imported["metadata"]["annotations"] = {"trident.netapp.io/importBackendUUID": "u"}
    shared = claim("c", RWO, storage_class="any")
    shared["metadata"]["annotations"] = {"trident.netapp.io/shareFromPVC": word}
    vm_object = vm(disk("c"))
    return {
        "access mode": (vm_object, claim("c", word)),
        "several access modes": (vm_object, claim("c", *[word] * 7)),
        "volume mode": (vm_object, claim("c", RWO, mode=word)),
        "volume mode of a template": (
            templated_vm("d", spec={"storage": {"storageClassName": "nas", "volumeMode": word}}),
        ),
        "missing class": (vm_object, claim("c", RWO, storage_class=word)),
        "missing class of a template": (templated_vm("d", spec={"storage": {"storageClassName": word}}),),
        "class": (vm_object, storage_class(word, backendType="ontap-san"), claim("c", RWX, storage_class=word)),
        "class of a template": (
            templated_vm("d", spec={"storage": {"storageClassName": word, "volumeMode": "Filesystem"}}),
            storage_class(word, backendType="ontap-san"),
        ),
        "provisioner": (vm_object, storage_class("s", provisioner=word), claim("c", RWO, storage_class="s")),
        "sanType": (vm_object, storage_class("s", sanType=word), claim("c", RWO, storage_class="s")),
        "nasType": (vm_object, storage_class("s", nasType=word), claim("c", RWO, storage_class="s")),
        "volume": (vm_object, persistent_volume(word, "block"), claim("c", RWX, volume=word)),
        "driver of a volume": (vm_object, persistent_volume("pv", driver=word), on_volume),
        "protocol of a volume": (vm_object, persistent_volume("pv", word), on_volume),
        "driver of a backend": (
            vm_object,
            persistent_volume("pv", "block", backend="u"),
            backend("u", word),
            claim("c", RWX, volume="pv"),
        ),
        "missing backend": (vm_object, persistent_volume("pv", "block", backend=word), on_volume),
        "backend": (
            vm_object,
            persistent_volume("pv", "block", backend="u"),
            backend("u", "ontap-san", word),
            claim("c", RWX, volume="pv"),
        ),
        "backends of a class": (
            vm_object,
            storage_class("any"),
            *(backend(f"u{index}", "ontap-san", f"{word}{index}") for index in range(9)),
            claim("c", RWX, storage_class="any"),
        ),
        "backend of an import": (vm_object, storage_class("any"), backend("u", "ontap-san", word), imported),
        "PVC that is shared": (vm_object, storage_class("any"), shared),
        "PVC that is cloned": (
            vm_object,
            storage_class("any"),
            persistent_volume(word, "block"),
            claim(word, RWO, volume=word),
            claim("c", RWX, storage_class="any", **cloned_from("PersistentVolumeClaim", word)),
        ),
        "DataVolume": (vm(data_volume_disk(word)), data_volume(word, storage={"accessModes": [RWO]})),
        "template": (templated_vm(word, spec={"storage": {"accessModes": [RWO]}}),),
        "machine": ({**vm_object, "metadata": {"name": word, "namespace": word}}, claim("c", RWO, namespace=word)),
        "source of a volume": (vm({"name": "v", word: {}}),),
        "interface": (vm(**interface(word, binding={"name": word})),),
        "instancetype": (vm(spec={"instancetype": {"name": word}}),),
        "kind of instancetype": (vm(spec={"instancetype": {"name": "x", "kind": word}}),),
        "revision": (vm(spec={"preference": {"revisionName": word}}),),
        "volume to infer from": (vm(spec={"instancetype": {"inferFromVolume": word}}),),
        "architecture": (vm(architecture=word, domain={"features": {"hyperv": {"reenlightenment": {}}}}),),
        "GPU": (vm(domain={"devices": {"gpus": [{"name": word, "deviceName": word}]}}),),
    }


def evaluated(sample: Sample) -> Verdict:
    vm_object, *objects = sample
    return evaluate(vm_object, [*CLUSTER, *objects], final=True)


@pytest.mark.parametrize("what", samples("x"))
def test_every_line_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "all.json"
    for word in NASTY.values():
        sample = samples(word)[what]
        path.write_text(json.dumps({"kind": "List", "items": [*CLUSTER, *sample]}), encoding="utf-8")
        main(["check", str(path), "--verbose", "--explain"])
        out, err = capsys.readouterr()
        verdict = evaluated(sample)
        of_violations = [(found.cause, found.evidence or "", found.field) for found in verdict.violations]
        lines = [*chain(*of_violations), *verdict.warnings, *out.split("\n")]
        assert ([line for line in lines if not line.isprintable()], err) == ([], "")


@pytest.mark.parametrize("word", ["x" * 1_500_000, "word " * 300_000], ids=["one word", "many words"])
@pytest.mark.parametrize("what", samples("x"))
def test_every_line_is_bounded(what: str, word: str) -> None:
    verdict = evaluated(samples(word)[what])
    assert all(len(line) <= 256 for line in verdict.warnings)
    for violation in verdict.violations:
        assert len(violation.cause) < 2500
        assert len(violation.evidence or "") < 2500


def test_each_sample_tells_about_its_word() -> None:
    """Else the tests above prove nothing."""
    silent = []
    for what, sample in samples("tell-tale").items():
        verdict = evaluated(sample)
        reported = [*verdict.warnings, *(f"{found.cause} {found.evidence}" for found in verdict.violations)]
        if not any("tell-tale" in line for line in reported):
            silent.append(what)
    assert silent == ["machine", "source of a volume", "kind of instancetype"]

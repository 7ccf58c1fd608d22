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
from tests.build_paths import tagged
from tests.policy.samples import NAMELESS, NASTY, SAMPLES, breaking, devices, interface, verdict
from webhook.cli.main import main

Sample = tuple[Object, ...]


def samples(word: str) -> dict[str, Sample]:
    """Return, by what is named so, a VM and the objects that it needs for a line about the word."""
    of_pvc, any_class, of_any = vm(disk("c")), storage_class("any"), claim("c", RWX, storage_class="any")
    bound, bound_once = claim("c", RWX, volume="pv"), claim("c", RWO, volume="pv")
    of_class, block = claim("c", RWO, storage_class="s"), persistent_volume("pv", "block", backend="u")
    imported = tagged(of_any, annotations={"trident.netapp.io/importBackendUUID": "u"})
    shared = tagged(claim("c", RWO, storage_class="any"), annotations={"trident.netapp.io/shareFromPVC": word})
    cloned = claim("c", RWX, storage_class="any", **cloned_from("PersistentVolumeClaim", word))
    backends = (backend(f"u{index}", "ontap-san", f"{word}{index}") for index in range(9))
    on_san = storage_class(word, backendType="ontap-san")
    of_rules = {rule: breaking(rule, word) for rule in SAMPLES if rule not in NAMELESS}
    return {
        "access mode": (of_pvc, claim("c", word)),
        "several access modes": (of_pvc, claim("c", *[word] * 7)),
        "volume mode": (of_pvc, claim("c", RWO, mode=word)),
        "volume mode of a template": (of_storage("d", storageClassName="nas", volumeMode=word),),
        "missing class": (of_pvc, claim("c", RWO, storage_class=word)),
        "missing class of a template": (of_storage("d", storageClassName=word),),
        "class": (of_pvc, on_san, claim("c", RWX, storage_class=word)),
        "class of a template": (of_storage("d", storageClassName=word, volumeMode="Filesystem"), on_san),
        "provisioner": (of_pvc, storage_class("s", provisioner=word), of_class),
        "sanType": (of_pvc, storage_class("s", sanType=word), of_class),
        "nasType": (of_pvc, storage_class("s", nasType=word), of_class),
        "volume": (of_pvc, persistent_volume(word, "block"), claim("c", RWX, volume=word)),
        "driver of a volume": (of_pvc, persistent_volume("pv", driver=word), bound_once),
        "protocol of a volume": (of_pvc, persistent_volume("pv", word), bound_once),
        "driver of a backend": (of_pvc, block, backend("u", word), bound),
        "missing backend": (of_pvc, persistent_volume("pv", "block", backend=word), bound_once),
        "backend": (of_pvc, block, backend("u", "ontap-san", word), bound),
        "backends of a class": (of_pvc, any_class, *backends, of_any),
        "backend of an import": (of_pvc, any_class, backend("u", "ontap-san", word), imported),
        "PVC that is shared": (of_pvc, any_class, shared),
        "PVC that is cloned": (
            *(of_pvc, any_class, persistent_volume(word, "block")),
            *(claim(word, RWO, volume=word), cloned),
        ),
        "DataVolume": (vm(data_volume_disk(word)), data_volume(word, storage={"accessModes": [RWO]})),
        "template": (of_storage(word, accessModes=[RWO]),),
        "VM": ({**of_pvc, "metadata": {"name": word, "namespace": word}}, claim("c", RWO, namespace=word)),
        "source of a volume": (vm({"name": "v", word: {}}),),
        "interface": (vm(**interface(word, binding={"name": word})),),
        "instancetype": (vm(spec={"instancetype": {"name": word}}),),
        "kind of instancetype": (vm(spec={"instancetype": {"name": "x", "kind": word}}),),
        "revision": (vm(spec={"preference": {"revisionName": word}}),),
        "volume to infer from": (vm(spec={"instancetype": {"inferFromVolume": word}}),),
        "GPU": (vm(domain=devices(gpus=[{"name": word, "deviceName": word}])),),
        **{rule: (violating, *objects) for rule, (violating, objects) in of_rules.items()},
    }


def of_storage(name: str, **storage: object) -> Object:
    return templated_vm(name, spec={"storage": storage})


@pytest.mark.parametrize("what", samples("x"))
def test_every_line_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "all.json"
    for word in NASTY.values():
        sample = samples(word)[what]
        path.write_text(json.dumps({"kind": "List", "items": [*CLUSTER, *sample]}), encoding="utf-8")
        main(["check", str(path), "--verbose", "--explain"])
        out, err = capsys.readouterr()
        found = verdict(*sample, final=True, mode="warn")
        of_violations = [(one.cause, one.evidence or "", one.field) for one in found.violations]
        lines = [*chain(*of_violations), *found.warnings, *out.split("\n")]
        assert ([line for line in lines if not (line.isprintable() and line.isascii())], err) == ([], "")


@pytest.mark.parametrize("word", ["x" * 1_500_000, "word " * 300_000], ids=["one word", "many words"])
@pytest.mark.parametrize("what", samples("x"))
def test_every_line_is_bounded(what: str, word: str) -> None:
    found = verdict(*samples(word)[what], final=True, mode="warn")
    assert all(len(line) <= 256 for line in found.warnings)
    assert all(max(len(one.cause), len(one.evidence or "")) < 1500 for one in found.violations)


def test_each_sample_has_a_line_about_its_word() -> None:
    """Else the tests above prove nothing."""
    silent = []
    for what, sample in samples("tell-tale").items():
        found = verdict(*sample, final=True)
        lines = [*found.warnings, *(f"{one.cause} {one.evidence}" for one in found.violations)]
        if "tell-tale" not in " ".join(lines):
            silent.append(what)
    assert silent == ["VM", "source of a volume", "kind of instancetype"]

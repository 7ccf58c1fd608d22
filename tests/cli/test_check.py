"""migratability check: exit statuses, input in every shape, output."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.build import CLUSTER, RWX, Object, claim, disk, vm, vmi
from tests.cli.conftest import Write
from webhook import evaluate
from webhook.cli.main import main

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")


def as_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    main(["check", *arguments, "-o", "json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def names(verdicts: list[dict[str, Any]]) -> list[str]:
    return [verdict["name"] for verdict in verdicts]


def test_the_status_is_0_where_all_are_admitted(write: Write, cluster: list[str]) -> None:
    assert main(["check", *cluster, write("a.yaml", GOOD, vmi(disk("good-block")))]) == 0


def test_the_status_is_0_where_a_vm_only_warns(write: Write, cluster: list[str]) -> None:
    assert main(["check", *cluster, write("a.yaml", vm(disk("nowhere")))]) == 0


@pytest.mark.parametrize("vms", [(BAD,), (GOOD, BAD), (BAD, GOOD)], ids=["bad", "good, bad", "bad, good"])
def test_the_status_is_1_where_one_is_denied(vms: tuple[Object, ...], write: Write, cluster: list[str]) -> None:
    assert main(["check", *cluster, *(write(f"{obj['metadata']['name']}.yaml", obj) for obj in vms)]) == 1


@pytest.mark.parametrize("text", ["a: [", "a: b\n"], ids=["broken", "no kind"])
@pytest.mark.parametrize("vm_object", [GOOD, BAD], ids=["admitted", "refused"])
def test_the_status_of_bad_input_wins_and_the_rest_is_evaluated(
    text: str, vm_object: Object, write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["check", *cluster, write("broken.yaml", text=text), write("fine.yaml", vm_object)])
    assert status == 2
    out, err = capsys.readouterr()
    assert vm_object["metadata"]["name"] in out
    assert "broken.yaml" in err


def test_a_missing_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "gone.yaml")]) == 2
    assert "gone.yaml" in capsys.readouterr().err


def test_a_missing_cluster_is_bad_input(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--cluster", str(tmp_path / "gone"), write("a.yaml", GOOD)]) == 2
    assert "gone" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["mode: strict\n", "mode: [", "no-such: x\n"])
def test_settings_that_cannot_be_used_are_bad_input(
    text: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", write("settings.yaml", text=text), write("a.yaml", GOOD)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "settings.yaml" in err
    assert len(err.splitlines()) == 1


def test_the_settings_count(write: Write, cluster: list[str]) -> None:
    settings = write("settings.yaml", text="rules: {shared-access: off}\n")
    assert main(["check", *cluster, "--config", settings, write("a.yaml", BAD)]) == 0


def test_an_unknown_rule_in_the_settings_is_remarked(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = write("settings.yaml", text="rules: {of-the-future: off}\n")
    assert main(["check", *cluster, "--config", settings, write("a.yaml", GOOD)]) == 0
    assert "rules.of-the-future" in capsys.readouterr().err


def test_a_dash_is_standard_input(
    cluster: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump(BAD)))
    assert main(["check", *cluster, "-"]) == 1
    assert "bad-one" in capsys.readouterr().out


def test_broken_standard_input_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a: ["))
    assert main(["check", "-"]) == 2
    assert "standard input" in capsys.readouterr().err


def test_vms_are_shown_in_the_order_of_the_input(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    several = write("z.yaml", vm(name="third"), vmi(name="first"))
    listed = write("a.json", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [vm(name="second")]}))
    assert names(as_json([*cluster, several, listed], capsys)) == ["third", "first", "second"]


def test_a_folder_is_read(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a.yaml", GOOD, *CLUSTER)
    write("b.yaml", BAD)
    assert names(as_json([str(tmp_path)], capsys)) == ["good-one", "bad-one"]


def test_pvcs_and_classes_of_any_file_join_the_cluster(write: Write, cluster: list[str]) -> None:
    vm_object = vm(disk("c"))
    last = write("last.yaml", claim("c", "ReadWriteOnce"))
    assert main(["check", *cluster, write("first.yaml", vm_object), last]) == 1
    assert main(["check", *cluster, write("first.yaml", vm_object), write("last.yaml", claim("c", RWX))]) == 0


def test_a_pvc_of_a_file_goes_before_the_clusters(write: Write, cluster: list[str]) -> None:
    assert main(["check", *cluster, write("a.yaml", BAD, claim("once", RWX))]) == 0


def test_vms_of_the_cluster_are_not_evaluated(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--cluster", write("cluster.yaml", *CLUSTER, BAD), write("a.yaml", GOOD)]) == 0
    assert "bad-one" not in capsys.readouterr().out


def test_other_kinds_are_passed_over_with_a_note(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    assert main(["check", *cluster, write("a.yaml", service, GOOD)]) == 0
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    for part in ("passed over", "Service", "web", "a.yaml"):
        assert part in line
    assert "web" not in out


def test_what_joins_the_cluster_draws_no_note(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", *cluster, write("a.yaml", *CLUSTER, GOOD)])
    assert capsys.readouterr().err == ""


def test_json_has_the_shape_of_the_contract(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = as_json([*cluster, write("a.yaml", BAD)], capsys)
    assert list(found) == ["kind", "namespace", "name", "allowed", "violations", "warnings", "patch"]
    assert found == json.loads(json.dumps(evaluate(BAD, CLUSTER).to_dict()))


def test_json_of_nothing_is_an_empty_array(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json([write("a.yaml", *CLUSTER)], capsys) == []


def test_text_says_who_is_denied_why_and_how_many(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", *cluster, write("a.yaml", GOOD, BAD)])
    lines = capsys.readouterr().out.splitlines()
    (violation,) = evaluate(BAD, CLUSTER).violations
    assert lines[0] == "VirtualMachine vms/good-one: admitted"
    assert "VirtualMachine vms/bad-one: denied" in lines
    assert f"  {violation.field}: {violation.cause}" in lines
    assert lines[-1] == "2 VMs evaluated, 1 denied"


def test_text_shows_the_warnings(write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", *cluster, write("a.yaml", vm(disk("nowhere")))])
    out = capsys.readouterr().out
    for line in evaluate(vm(disk("nowhere")), CLUSTER).warnings:
        assert f"  warning: {line}\n" in out


def test_verbose_adds_what_a_violation_rests_on(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("a.yaml", BAD)
    evidence = str(evaluate(BAD, CLUSTER).violations[0].evidence)
    main(["check", *cluster, path])
    assert evidence not in capsys.readouterr().out
    main(["check", *cluster, path, "-v"])
    assert f"found: {evidence}\n" in capsys.readouterr().out


def test_explain_shows_every_volume_and_every_rule(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    vm_object = vm(disk("once"), {"name": "ci", "cloudInitNoCloud": {}})
    main(["check", *cluster, write("a.yaml", vm_object), "--explain"])
    out = capsys.readouterr().out
    for part in ('volume "once"', "ReadWriteOnce", 'volume "ci" (cloudInitNoCloud)', "rule host-disk: not broken"):
        assert part in out
    assert "rule shared-access: deny" in out


def test_explain_tells_a_rule_that_is_off_from_one_that_is_not_broken(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = write("settings.yaml", text="rules: {shared-access: off}\n")
    main(["check", *cluster, "--config", settings, write("a.yaml", BAD), "--explain"])
    lines = capsys.readouterr().out.splitlines()
    assert "  rule shared-access: off" in lines
    assert "  rule san-block: not broken" in lines

"""migratability check: exit statuses, input in every shape, malformed input, AdmissionReviews, output."""

import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.build import CLUSTER, RWO, RWX, Object, claim, disk, review, vm, vmi, volume_request
from tests.build_paths import CONTROLLER, known_as, owned
from webhook import evaluate
from webhook.admission.change import read_change
from webhook.admission.evaluate import evaluate_change
from webhook.admission.review import parse_review
from webhook.cli.main import main
from webhook.cluster import Snapshot
from webhook.settings import Settings

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")
WARNED = vm(disk("nowhere"), name="warned-one")


class Done(NamedTuple):
    """How the command ended."""

    status: int
    out: str
    err: str

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """What ``-o json`` printed."""
        return list(json.loads(self.out))


class Check:
    """The command, on files and on a cluster of the usual classes and PVCs, or on another."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def write(self, name: str, *objects: Object, text: str | bytes | None = None) -> str:
        """Write objects as YAML documents, or a text as it stands, into a file; returns its path."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        content = yaml.safe_dump_all(objects) if text is None else text
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def __call__(self, *arguments: str, cluster: str | None = None) -> Done:
        known = cluster or self.write("of-the-cluster/cluster.yaml", *CLUSTER)
        return Done(main(["check", "--cluster", known, *arguments]), *self.capsys.readouterr())


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Give the command and an empty folder."""
    return Check(tmp_path, capsys)


STATUSES = [([GOOD, vmi(disk("good-block"))], 0), ([WARNED], 0), ([GOOD, BAD], 1), ([BAD, GOOD], 1)]


@pytest.mark.parametrize(("vms", "status"), STATUSES, ids=["allowed", "warned", "denied last", "denied first"])
def test_exit_status_is_1_where_a_vm_is_denied_else_0(vms: list[Object], status: int, check: Check) -> None:
    assert check(*(check.write(f"{number}.yaml", obj) for number, obj in enumerate(vms))).status == status


def test_missing_file_missing_cluster_and_empty_folder_are_bad_input(check: Check) -> None:
    (check.folder / "empty").mkdir()
    gone, empty, good = str(check.folder / "gone"), str(check.folder / "empty"), check.write("a.yaml", GOOD)
    for done, named in ((check(gone), gone), (check(good, cluster=gone), gone), (check(empty), "empty")):
        assert (done.status, named in done.err) == (2, True)


@pytest.mark.parametrize("text", ["mode: strict\n", "mode: [", "[" * 5000])
def test_invalid_settings_are_bad_input_on_one_line_without_verdicts(text: str, check: Check) -> None:
    done = check("--config", check.write("settings.yaml", text=text), check.write("a.yaml", GOOD))
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "settings.yaml" in line


def test_settings_are_used_and_an_unknown_rule_is_remarked(check: Check) -> None:
    settings = check.write("settings.yaml", text="rules: {shared-access: off, of-the-future: off}\n")
    done = check("--config", settings, check.write("a.yaml", BAD))
    assert (done.status, "rules.of-the-future: this version has no such rule" in done.err) == (0, True)


def test_a_dash_is_standard_input(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, status, words in ((yaml.safe_dump(BAD), 1, "bad-one"), ("a: [", 2, "standard input")):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        done = check("-")
        assert (done.status, words in done.out + done.err) == (status, True)


@pytest.mark.parametrize(("access", "status"), [(RWO, 1), (RWX, 0)])
def test_pvcs_of_any_file_join_the_cluster_and_silently(access: str, status: int, check: Check) -> None:
    done = check(check.write("first.yaml", vm(disk("c"))), check.write("last.yaml", claim("c", access)))
    assert (done.status, done.err) == (status, "")


def test_pvc_of_a_file_takes_precedence_over_the_clusters_whose_vms_are_not_checked(check: Check) -> None:
    assert check(check.write("a.yaml", BAD, claim("once", RWX))).status == 0
    done = check(check.write("a.yaml", GOOD), cluster=check.write("cluster.yaml", *CLUSTER, BAD))
    assert (done.status, "bad-one" in done.out) == (0, False)


def test_other_kinds_are_skipped_with_a_note(check: Check) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    path = check.write("a.yaml", service, GOOD)
    done = check(path)
    assert (done.status, done.err) == (0, f"migratability: skipped: Service web in {path}\n")
    assert ("web" in done.out, done.out.endswith("\n1 VM checked: 0 denied\n")) == (False, True)


def test_files_without_a_vm_are_noted_and_json_of_them_is_an_empty_array(check: Check) -> None:
    done = check(check.write("a.yaml", *CLUSTER), "-o", "json")
    assert (done.status, done.verdicts, done.err) == (0, [], "migratability: no VM in the files\n")


def test_json_has_the_shape_of_the_contract(check: Check) -> None:
    (found,) = check(check.write("a.yaml", BAD), "-o", "json").verdicts
    assert list(found) == ["kind", "namespace", "name", "allowed", "violations", "warnings", "patch"]
    assert found == json.loads(json.dumps(evaluate(BAD, CLUSTER).to_dict()))


def test_text_shows_what_is_denied_and_why_the_warnings_and_how_many_and_verbosely_the_evidence(check: Check) -> None:
    path = check.write("a.yaml", GOOD, BAD, WARNED)
    lines = check(path).out.splitlines()
    (violation,) = evaluate(BAD, CLUSTER).violations
    assert lines[0] == "VirtualMachine vms/good-one: allowed"
    assert "VirtualMachine vms/bad-one: denied" in lines
    assert f"  {violation.field}: {violation.cause}" in lines
    assert {f"  warning: {line}" for line in evaluate(WARNED, CLUSTER).warnings} <= set(lines)
    assert lines[-1] == "3 VMs checked: 1 denied"
    evidence = f"    found: {violation.evidence}"
    assert [evidence in shown for shown in (lines, check(path, "-v").out.splitlines())] == [False, True]


def test_explain_shows_every_volume_and_each_rule_as_it_is_set_or_as_not_violated(check: Check) -> None:
    path = check.write("a.yaml", vm(disk("once"), {"name": "ci", "cloudInitNoCloud": {}}))
    off = check("--config", check.write("settings.yaml", text="rules: {shared-access: off}\n"), path, "--explain").out
    for part in ('volume "once"', "ReadWriteOnce", 'volume "ci" (cloudInitNoCloud)'):
        assert part in off
    assert {"  rule shared-access: off", "  rule san-block: not violated"} <= set(off.splitlines())
    assert "rule shared-access: deny" in check(path, "--explain").out


BROKEN: dict[str, str | bytes] = {
    "no kind": "a: b\n",
    "null byte": "kind: Pod\x00\n",
    "surrogate in UTF-8": b"kind: \xed\xa0\x80\n",
    "good documents before a broken one": json.dumps(BAD) + "\n---\na: [\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_unreadable_file_is_bad_input_on_one_line_and_nothing_of_it_is_checked(text: str | bytes, check: Check) -> None:
    broken, fine = check.write("all/broken.yaml", text=text), check.write("fine.yaml", GOOD)
    done, without_cluster = check(broken, fine), check(fine, cluster=str(check.folder / "all"))
    assert (done.status, "good-one: allowed" in done.out, "bad-one" in done.out) == (2, True, False)
    assert (without_cluster.status, without_cluster.out) == (2, "")
    for (line,) in (done.err.splitlines(), without_cluster.err.splitlines()):
        assert ("broken.yaml" in line, line.isprintable()) == (True, True)


def test_unreadable_files_of_a_folder_do_not_hide_the_others(check: Check) -> None:
    check.write("all/a.yaml", GOOD)
    check.write("all/b.yaml", text="a: [")
    check.write("all/c.json", text='{"kind": ')
    check.write("all/d.yaml", BAD, claim("once", RWO))
    done = check(str(check.folder / "all"))
    assert (done.status, "good-one: allowed" in done.out, "bad-one: denied" in done.out) == (2, True, True)
    assert [name in line for name, line in zip(("b.yaml", "c.json"), done.err.splitlines(), strict=True)] == [True] * 2


@pytest.mark.parametrize("options", [[], ["-v", "--explain"], ["-o", "json"]], ids=repr)
def test_lone_surrogates_are_shown_escaped(options: list[str], check: Check) -> None:
    text = re.sub(r'"name": "([^"]*)"', r'"name": "\1\\ud800"', json.dumps(BAD))
    other = json.dumps({"apiVersion": "v1", "kind": "Pod\udfff", "metadata": {"name": "\ud800"}})
    done = check(*options, check.write("s.json", text=text), check.write("o.json", text=other))
    (done.out + done.err).encode()
    assert (done.status, "\\ud800" in done.out, "\\udfff" in done.err) == (1, True, True)


def test_review_supplies_namespace_and_name_that_the_object_lacks(check: Check) -> None:
    request = review(vm(disk("once"), name="x"))
    request["request"]["object"]["metadata"] = {}
    (found,) = check(check.write("r.yaml", request), "-o", "json").verdicts
    assert (found["namespace"], found["name"], found["allowed"]) == ("vms", "x", False)


@pytest.mark.parametrize("fields", [{"request": {}}, {"apiVersion": "admission.k8s.io/v1beta1"}], ids=repr)
def test_incomplete_review_or_one_of_another_version_is_bad_input(fields: Object, check: Check) -> None:
    done = check(check.write("r.yaml", {**review(GOOD), **fields}))
    assert (done.status, "r.yaml" in done.err) == (2, True)


def test_reviews_of_another_kind_and_of_a_deletion_are_skipped(check: Check) -> None:
    other = review(GOOD)
    other["request"]["resource"] = {"group": "", "version": "v1", "resource": "pods"}
    for found, resource in ((other, "pods"), (review(None, BAD, "DELETE"), "virtualmachines")):
        done = check(check.write("r.yaml", found))
        assert (done.status, f"skipped: review of {resource} in " in done.err) == (0, True)


OWNER = known_as(vm(disk("once")))
OWNED = owned(vmi(disk("once")), OWNER)
WORSE = vm(disk("once"), disk("san-fs"), name="bad-one")
HALTED = {**BAD, "spec": {**BAD["spec"], "runStrategy": "Halted"}}
REQUESTING = vm(disk("good"), name="good-one", status={"volumeRequests": [volume_request(disk("once", "hot"))]})
REQUESTS: dict[str, tuple[Object, int]] = {
    "creation by a user": (review(BAD), 1),
    "VMI of an owner that exists": (review(OWNED, user=CONTROLLER), 0),
    "VMI that only claims an owner": (review(OWNED, user="mallory"), 1),
    "update that adds a violation": (review(BAD, GOOD, "UPDATE"), 1),
    "update that fixes one of two": (review(BAD, WORSE, "UPDATE"), 0),
    "update of what no rule reads": (review(HALTED, BAD, "UPDATE"), 0),
    "hot-plug request": (review(REQUESTING, GOOD, "UPDATE", subresource="status"), 1),
}


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
def test_request_is_evaluated_as_the_webhook_evaluates_it(request_: Object, status: int, check: Check) -> None:
    done = check(check.write("r.yaml", request_), "-o", "json", cluster=check.write("all.yaml", *CLUSTER, OWNER))
    assert done.status == status
    change = read_change(parse_review(request_))
    assert change is not None
    verdict = evaluate_change(change, Snapshot((*CLUSTER, OWNER)), Settings(), final=False) or change.nothing_found
    assert done.verdicts == [json.loads(json.dumps(verdict.to_dict()))]


def test_reviews_and_vms_are_shown_in_the_order_of_the_input_also_inside_a_list(check: Check) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [review(BAD)]}
    done = check(check.write("z.yaml", GOOD, listed), check.write("a.yaml", vm(name="last")), "-o", "json")
    assert (done.status, [found["name"] for found in done.verdicts]) == (1, ["good-one", "bad-one", "last"])

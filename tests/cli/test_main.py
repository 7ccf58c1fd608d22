"""The command line as a whole: options, help, names."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from webhook.cli.main import main
from webhook.doctor.finding import Finding, Status

CALLS = {
    # arguments: status, words that are printed
    "--help": (0, "check, serve, doctor, cleanup"),
    "check --help": (0, "FILE, --cluster, --config, -o, -v, --explain, Exit status: 0"),
    "serve --help": (0, "--cluster, --config, --address, --port, --cert-file, --installation"),
    "cleanup --help": (0, "--installation, --timeout, Exit status: 0"),
    "doctor --help": (0, "--namespace, --config, --installation, -o, Exit status: 0"),
    "--version": (0, "migratability "),
    "check": (2, "FILE"),
    "check a -o xml": (2, "xml"),
    "check a --frobnicate": (2, "--frobnicate"),
    "evaluate": (2, "evaluate"),
    "": (2, "COMMAND"),
}


@pytest.mark.parametrize(("arguments", "status", "words"), [(call, *row) for call, row in CALLS.items()], ids=CALLS)
def test_options_are_shown_by_help_and_a_wrong_one_is_named_as_bad_input(
    arguments: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    assert caught.value.code == status
    shown = capsys.readouterr()[1 if status else 0]
    assert [word for word in words.split(", ") if word not in shown] == []


@pytest.mark.parametrize("program", ["kubectl-migratability", "migratability"])
def test_the_help_names_the_command_as_it_was_called(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [f"/bin/{program}"])
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert capsys.readouterr().out.startswith(f"usage: {program.replace('-', ' ')} ")


def test_no_command_imports_the_kubernetes_client_before_it_connects() -> None:
    """The import takes most of a second."""
    code = "import sys, webhook.cli.main; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(("finding", "status"), [("warning", 0), ("error", 1)])
def test_doctor_exits_with_1_only_where_a_finding_is_an_error(
    finding: Status, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [Finding("ok", "a", "fine"), Finding(finding, "b", "wrong", "Fix it")]
    monkeypatch.setattr("webhook.cli.doctor._connected", lambda: SimpleNamespace(stop=lambda: None))
    monkeypatch.setattr("webhook.cli.doctor.look", lambda *_: iter(found))
    assert main(["doctor"]) == status
    assert capsys.readouterr().out == f"ok       a: fine\n{finding:7}  b: wrong\n         Fix it\n"
    assert main(["doctor", "-o", "json"]) == status
    assert [entry["status"] for entry in json.loads(capsys.readouterr().out)] == ["ok", finding]


def test_doctor_needs_the_settings_of_an_installation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--installation", "x.yaml"]) == 2
    assert capsys.readouterr().err == "migratability: --installation requires --config\n"

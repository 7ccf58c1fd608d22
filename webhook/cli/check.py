"""migratability check: the webhook's verdict on manifests, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webhook.admission import review
from webhook.admission.change import Change, read_change
from webhook.admission.evaluate import evaluate_change
from webhook.cli import report
from webhook.cli.inputs import BAD_INPUT, settings_from
from webhook.cluster import Snapshot
from webhook.cluster.files import FileError, files_of, parse, read_file, read_path
from webhook.cluster.snapshot import resource_of
from webhook.engine import evaluate
from webhook.kubevirt.reader import is_vm
from webhook.objects import Object, at, text
from webhook.policy.verdict import Verdict
from webhook.settings import Settings
from webhook.wording import plain


@dataclass(slots=True)
class Input:
    """What the files hold: VMs and requests to evaluate, objects that join the cluster, and what went wrong."""

    questions: list[Object | Change] = field(default_factory=list)
    cluster: list[Object] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check manifests as the webhook would",
        description="Checks VMs as the webhook would, after its patch; restores and clones only as AdmissionReviews. "
        "Never contacts a cluster. PVCs, StorageClasses and other objects in the files are added to --cluster's.",
        epilog="Exit status: 0 all VMs allowed, 1 a VM denied, 2 bad input.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON file or folder; - is standard input")
    parser.add_argument("--cluster", type=Path, metavar="PATH", help="a file or folder with the cluster's objects")
    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the evidence for each denial")
    parser.add_argument("--explain", action="store_true", help="show what was found for every volume and rule")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; returns the exit status. Raises SettingsError and FileError for bad settings or cluster."""
    settings, remarks = settings_from(args.config)
    found = Input(cluster=list(read_path(args.cluster)) if args.cluster else [])
    for name in args.files:
        _read(name, found)
    if not found.questions:
        remarks.append("no VM in the files")
    for line in (*remarks, *found.skipped, *found.errors):
        print(f"migratability: {line}", file=sys.stderr)
    verdicts = evaluate_all(found, settings)
    if args.output == "json":
        print(json.dumps([verdict.to_dict() for verdict in verdicts], indent=2))
    else:
        report.print_text(verdicts, settings, verbose=args.verbose, explain=args.explain)
    if found.errors:
        return BAD_INPUT
    return 0 if all(verdict.allowed for verdict in verdicts) else 1


def evaluate_all(found: Input, settings: Settings) -> list[Verdict]:
    """Return the verdict on each VM and request, in their order, all in one cluster."""
    snapshot = Snapshot(found.cluster)
    return [
        evaluate_change(question, snapshot, settings, final=False) or question.nothing_found
        if isinstance(question, Change)
        else evaluate(question, snapshot, settings=settings)
        for question in found.questions
    ]


def _read(name: str, found: Input) -> None:
    """Sort the objects of a file or folder into the input; an unreadable file does not hide the others."""
    try:
        files: list[Path | None] = [None] if name == "-" else [*files_of(Path(name))]
    except FileError as error:
        found.errors.append(str(error))
        return
    for file in files:
        source = str(file or "standard input")
        try:
            for obj in read_file(file) if file else parse(sys.stdin.read(), source):
                _sort(obj, source, found)
        except (FileError, UnicodeDecodeError) as error:
            found.errors.append(str(error))


def _sort(obj: dict[str, Any], name: str, found: Input) -> None:
    if obj["kind"] == "AdmissionReview":
        try:
            request = review.parse_review(obj)
        except review.WebhookError as error:
            found.errors.append(f"{name}: {error}")
            return
        change = read_change(request)
        if change is None or change.kind == "Namespace":
            found.skipped.append(f"skipped: review of {plain(request.resource)} in {name}")
        else:
            found.questions.append(change)
    elif is_vm(obj):
        found.questions.append(obj)
    elif resource_of(obj) is not None:
        found.cluster.append(obj)
    else:
        which = " ".join(plain(word) for word in (obj["kind"], text(at(obj, "metadata", "name"))) if word)
        found.skipped.append(f"skipped: {which} in {name}")

"""migratability check: the webhook's verdict on manifests, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webhook.admission import review
from webhook.admission.scope import GROUP, KIND_OF_RESOURCE, as_machine
from webhook.cli import report
from webhook.cli.errors import BAD_INPUT, settings_from
from webhook.cluster import Snapshot
from webhook.cluster.files import FileError, parse, read_path
from webhook.cluster.snapshot import resource_of
from webhook.engine import evaluate
from webhook.machines import is_machine
from webhook.objects import Object, at
from webhook.policy import Verdict
from webhook.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """A machine to judge, as a request would bring it."""

    obj: Object
    old: Object | None = None
    operation: str = "CREATE"


@dataclass(slots=True)
class Input:
    """What the files hold: machines to judge, objects that join the cluster, and what went wrong."""

    questions: list[Question] = field(default_factory=list)
    cluster: list[Object] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="judge manifests as the webhook would",
        description="Judges the machines in manifests as the webhook would, after its own patch. Never contacts a "
        "cluster. Claims, classes and other objects that a verdict rests on join those of --cluster.",
        epilog="Exit status: 0 all admitted, 1 one refused, 2 bad input.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON file or folder; - is standard input")
    parser.add_argument("--cluster", type=Path, metavar="PATH", help="a file or folder with the cluster's objects")
    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what each violation rests on")
    parser.add_argument("--explain", action="store_true", help="show what was found for every volume and rule")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge and print; returns the exit status."""
    settings, remarks = settings_from(args.config)
    found = Input()
    if args.cluster:
        _read(str(args.cluster), found, into_cluster=True)
    for name in args.files:
        _read(name, found)
    for line in (*remarks, *found.passed_over, *found.errors):
        print(f"migratability: {line}", file=sys.stderr)
    verdicts = judge_all(found.questions, found.cluster, settings)
    if args.output == "json":
        print(json.dumps([verdict.to_dict() for verdict in verdicts], indent=2))
    else:
        report.print_text(verdicts, verbose=args.verbose, explain=args.explain)
    if found.errors:
        return BAD_INPUT
    return 0 if all(verdict.allowed for verdict in verdicts) else 1


def judge_all(questions: Iterable[Question], cluster: Iterable[Object], settings: Settings) -> list[Verdict]:
    """Return the verdict on each machine, all in one cluster."""
    snapshot = Snapshot(cluster)
    return [
        evaluate(question.obj, snapshot, old=question.old, settings=settings, operation=question.operation)
        for question in questions
    ]


def _read(name: str, found: Input, *, into_cluster: bool = False) -> None:
    try:
        objects = parse(sys.stdin.read(), "standard input") if name == "-" else read_path(Path(name))
    except (FileError, UnicodeDecodeError) as error:
        found.errors.append(str(error))
        return
    for obj in objects:
        if into_cluster:
            found.cluster.append(obj)
        else:
            _sort(obj, name, found)


def _sort(obj: dict[str, Any], name: str, found: Input) -> None:
    if obj["kind"] == "AdmissionReview":
        _sort_review(obj, name, found)
    elif is_machine(obj):
        found.questions.append(Question(obj))
    elif resource_of(obj) is not None:
        found.cluster.append(obj)
    else:
        found.passed_over.append(f"passed over: {obj['kind']} {at(obj, 'metadata', 'name') or ''} in {name}")


def _sort_review(obj: dict[str, Any], name: str, found: Input) -> None:
    try:
        request = review.parse(json.dumps(obj).encode())
    except review.WebhookError as error:
        found.errors.append(f"{name}: {error}")
        return
    if request.group != GROUP or request.resource not in KIND_OF_RESOURCE or request.obj is None:
        found.passed_over.append(f"passed over: review of {request.operation} {request.resource} in {name}")
        return
    old = as_machine(request.old, request) if request.old else None
    found.questions.append(Question(as_machine(request.obj, request), old, request.operation))

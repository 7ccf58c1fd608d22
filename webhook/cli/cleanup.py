"""migratability cleanup: the chart's pre-delete hook, run before the pods are deleted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from webhook.cli.inputs import BAD_INPUT, connected
from webhook.controller.cleanup import remove
from webhook.installation import Installation
from webhook.wording import listed


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "cleanup",
        help="delete the webhook configurations and everything else that an installation created",
        description="Deletes what an installed webhook created in the API server: first the ClusterRole that owns it "
        "all, without which a running replica creates nothing again, then the webhook configurations, the Lease and "
        "the Secret with the CA. Returns once they are gone and do not come back. No VM is denied once "
        "the validating webhook configuration is deleted.",
        epilog="Exit status: 0 everything is deleted, 2 something is left or the input is bad.",
    )
    parser.add_argument(
        "--installation", type=Path, metavar="FILE", required=True, help="the installation file that the chart writes"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="S", help="give up after S seconds (default: %(default)g)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Delete until nothing is left; raises InstallationError or UsageError where it cannot begin."""
    installation = Installation.load(args.installation)
    left = remove(connected(), installation, args.timeout, lambda line: print(line, flush=True))
    if left:
        print(f"migratability: still there after {args.timeout:g} s: {listed(left)}", file=sys.stderr)
        return BAD_INPUT
    return 0


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of seconds")
    return seconds

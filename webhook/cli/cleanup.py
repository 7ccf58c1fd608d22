"""migratability unregister: what an uninstall calls before the pods go."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from webhook.cli.connection import connected
from webhook.cli.errors import BAD_INPUT, UsageError
from webhook.controller.cleanup import remove
from webhook.installation import Installation, InstallationError
from webhook.wording import listed


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "unregister",
        help="delete the webhook configurations and all else that an installation made",
        description="Deletes what an installed webhook made in the API server: first the ClusterRole that owns it all, "
        "without which a replica that still runs makes nothing again, then the webhook configurations, the Lease and "
        "the Secret with the CA. Returns when they are gone and stay so. From the first moment on no VM is "
        "denied. The exit status is 0, or 2 where something is left.",
    )
    parser.add_argument(
        "--installation", type=Path, metavar="FILE", required=True, help="the installation, as the chart writes it"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="S", help="seconds to try for (default: %(default)g)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Delete until nothing is left; raises UsageError where it cannot begin."""
    try:
        installation = Installation.load(args.installation)
    except InstallationError as error:
        raise UsageError(str(error)) from error
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

"""The command line's entry point."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version

from webhook.cli import check, cleanup, doctor, serve
from webhook.cli.errors import BAD_INPUT, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status; bad input is one line on stderr and status 2."""
    parser = make_parser()
    args = parser.parse_args(arguments)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except UsageError as error:
        print(f"migratability: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    name = "kubectl migratability" if os.path.basename(sys.argv[0]) == "kubectl-migratability" else "migratability"
    parser = argparse.ArgumentParser(
        prog=name,
        description="Denies KubeVirt VMs that could not be live-migrated, and tells why.",
    )
    parser.add_argument("--version", action="version", version=f"migratability {version('migratability-webhook')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check.add_to(commands)
    serve.add_to(commands)
    doctor.add_to(commands)
    cleanup.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The command line's entry point."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version

from certs import CertificateError
from webhook.cli import check, cleanup, doctor, serve
from webhook.cli.inputs import BAD_INPUT, UsageError
from webhook.cluster.files import FileError
from webhook.structs import FieldError


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status; bad input is one line on stderr and status 2."""
    args = make_parser().parse_args(arguments)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except (UsageError, FieldError, FileError, CertificateError) as error:
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
        prog=name, description="Denies KubeVirt VMs that cannot live-migrate, and says why and what to do."
    )
    parser.add_argument("--version", action="version", version=f"migratability {version('migratability-webhook')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (check, serve, doctor, cleanup):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

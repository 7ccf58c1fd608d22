"""`python -m tests.localcluster`: a cluster to try things on, or just its programs."""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

from tests.localcluster import LocalCluster, LocalClusterError, Nodes, binaries, crd_folders


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 all went well, 1 it did not, 130 interrupted."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if options.command == "build":
            return _build(options.programs)
        return _serve(options)
    except (LocalClusterError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.localcluster",
        description="Start a Kubernetes control plane on loopback and run it until Ctrl-C.",
        epilog="Programs are built once and kept in $XDG_CACHE_HOME (or ~/.cache)/migratability-webhook; those in the "
        "folder that KUBEBUILDER_ASSETS names are used instead.",
    )
    parser.add_argument(
        "--crds",
        action="append",
        type=Path,
        metavar="PATH",
        help="a file or folder of CustomResourceDefinitions, may be repeated (default: our own small ones)",
    )
    parser.add_argument("--controllers", action="store_true", help="run kube-controller-manager as well")
    parser.add_argument(
        "--nodes",
        type=int,
        default=0,
        metavar="N",
        help="run N nodes as well, which run pods of the webhook as local processes (implies --controllers)",
    )
    parser.add_argument("--directory", type=Path, help="keep the cluster's files here (default: a temporary directory)")
    build = parser.add_subparsers(dest="command", metavar="[build]").add_parser(
        "build", help="only build programs", description="Build programs that are not there yet; print their paths."
    )
    build.add_argument(
        "programs", nargs="*", metavar="PROGRAM", help=f"one or more of {', '.join(binaries.PROGRAMS)} (default: all)"
    )
    return parser


def _build(programs: list[str]) -> int:
    for path in binaries.ensure(*(programs or binaries.PROGRAMS)).values():
        print(path)
    return 0


def _serve(options: argparse.Namespace) -> int:
    crds = options.crds or crd_folders()
    controllers = options.controllers or options.nodes > 0
    with LocalCluster(crds, options.directory, controllers=controllers) as cluster:
        try:
            with Nodes(cluster, options.nodes) if options.nodes > 0 else nullcontext():
                print(_usage(cluster), flush=True)
                cluster.wait()
        except KeyboardInterrupt:
            print("\nstopping", file=sys.stderr)
    return 0


def _usage(cluster: LocalCluster) -> str:
    return f"""The API server is ready at {cluster.url}. In another shell:

  export KUBECONFIG={cluster.kubeconfig}
  {cluster.programs["kubectl"]} get namespaces

Logs are in {cluster.directory}. Ctrl-C stops the cluster."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

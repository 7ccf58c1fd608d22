"""migratability serve: the admission webhook."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path

from certs import Serving
from webhook.cli.inputs import UsageError, connected
from webhook.cluster import Snapshot
from webhook.cluster.files import read_path
from webhook.cluster.live import LiveCluster
from webhook.controller.loop import Controller
from webhook.installation import Installation, Replica
from webhook.server.app import State
from webhook.server.client_authentication import Clients
from webhook.server.logs import configure_logging
from webhook.server.run import Server
from webhook.server.state import LiveState, SettingsFile, SnapshotState
from webhook.server.tls import TLS_VERSIONS, TlsContext
from webhook.settings import Settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="serve the admission webhook over TLS",
        description="Serves POST /validate and /mutate, GET /livez, /readyz and /metrics, always over TLS. Without "
        "--cluster it reads from the API server: in a pod with its service account, else with the kubeconfig. With "
        "--installation it is a replica of an installed webhook: it takes its certificate from the source in that "
        "file, and reconciles the webhook configurations.",
        epilog="Exit status: 0 stopped by a signal, 2 bad input.",
    )
    parser.add_argument("--cluster", type=Path, metavar="PATH", help="a file or folder with the cluster's objects")
    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file; edits take effect at once")
    parser.add_argument(
        "--installation",
        type=Path,
        metavar="FILE",
        help="the installation file that the chart writes; POD_NAME, POD_NAMESPACE and POD_IP must be set",
    )
    parser.add_argument("--address", default="0.0.0.0", metavar="A", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8443, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--cert-file", type=Path, metavar="F", help="certificate chain, PEM; a replaced file is served at once"
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="F", help="its key, PEM (default for both: a self-signed pair in memory)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM; raises UsageError, FieldError, FileError or CertificateError where it cannot begin."""
    if (args.cert_file is None) != (args.key_file is None):
        raise UsageError("--cert-file and --key-file go together")
    if args.installation and (args.cert_file or args.cluster):
        raise UsageError("--installation goes with neither --cluster nor --cert-file")
    configure_logging()
    server = _installed(args) if args.installation else _standalone(args)
    _check_address(args.address, args.port)
    server.run()
    return 0


def _standalone(args: argparse.Namespace) -> Server:
    """A process without an installation: on a snapshot, or on the API server."""
    settings = SettingsFile(args.config)
    otherwise = ", or give --cluster a snapshot"
    cluster = Snapshot(read_path(args.cluster)) if args.cluster else LiveCluster(connected(otherwise))

    def make_state() -> State:
        if isinstance(cluster, Snapshot):
            return SnapshotState(cluster, settings)
        cluster.start()
        return LiveState(cluster, settings)

    files = (args.cert_file, args.key_file) if args.cert_file else None
    return Server(args.address, args.port, TlsContext(files, args.address), make_state)


def _installed(args: argparse.Namespace) -> Server:
    """A replica of an installation."""
    installation = Installation.load(args.installation)
    replica = Replica.of(os.environ, installation)
    service = installation.service
    serving = Serving(installation.certificates.trust_delay, f"{service.name}.{installation.namespace}.svc")
    settings, cluster = SettingsFile(args.config, default=Settings()), LiveCluster(connected())
    controller = Controller(installation, replica, cluster, settings.current, serving)

    def make_state() -> State:
        cluster.start()
        controller.start()
        return LiveState(cluster, settings, controller)

    authentication = installation.client_authentication
    ca_file, names = authentication.ca_file, frozenset(authentication.names)
    clients = Clients(Path(ca_file), names) if ca_file else None
    minimum = TLS_VERSIONS[installation.tls.min_version]
    tls = TlsContext(serving, args.address, minimum=minimum, clients=clients)
    return Server(args.address, args.port, tls, make_state, on_stop=controller.stop, on_exit=controller.close)


def _check_address(address: str, port: int) -> None:
    """Fail early: gunicorn would try five times, and log twelve lines."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as error:
        raise UsageError(f"cannot listen on {address} port {port}: {error.strerror or error}") from error


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port from 1 to 65535")
    return int(value)

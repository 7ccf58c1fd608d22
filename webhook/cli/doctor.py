"""migratability doctor: whether the installation refuses and patches, and what keeps it from it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from webhook.cli.connection import connected
from webhook.cli.errors import UsageError, settings_from
from webhook.cluster import ClusterUnavailable
from webhook.doctor.finding import Finding, is_well
from webhook.settings import Settings

if TYPE_CHECKING:
    from webhook.cluster.live import LiveCluster

_SYNC_SECONDS = 60.0
_READ_SECONDS = 10.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="prove that the installation works, and name what is wrong",
        description="Asks the API server whether a machine that cannot migrate is refused and a good one patched, by "
        "dry runs that store nothing, and looks at registrations, certificates, replicas, rights, KubeVirt, CDI, "
        "Trident and the machines that are there. Uses a pod's service account, else the kubeconfig.",
        epilog="Exit status: 0 nothing is wrong (warnings may be there), 1 something is, 2 no cluster or bad input.",
    )
    parser.add_argument("-n", "--namespace", default="default", help="where to try machines (default: %(default)s)")
    parser.add_argument("--config", type=Path, metavar="PATH", help="the settings file of the installation")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and print; returns the exit status. Raises UsageError where there is no cluster, or no settings."""
    logging.basicConfig(level=logging.CRITICAL)
    settings, remarks = settings_from(args.config)
    for line in remarks:
        print(f"migratability: {line}", file=sys.stderr)
    cluster = _connected()
    try:
        findings = []
        for finding in look(cluster, settings, args.namespace):
            findings.append(finding)
            if args.output == "text":
                print(finding, flush=True)
    finally:
        cluster.stop()
    if args.output == "json":
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return 0 if is_well(findings) else 1


def look(cluster: LiveCluster, settings: Settings, namespace: str) -> Iterator[Finding]:
    """Yield every finding, the proof first; ``namespace`` is where machines are tried."""
    from webhook.controller.calls import Calls
    from webhook.controller.registered import bundles_of, read_registered
    from webhook.doctor.machines import look_at_machines
    from webhook.doctor.registered import look_at_registrations, service_of
    from webhook.doctor.rights import look_at_rights
    from webhook.doctor.service import look_at_service
    from webhook.doctor.surroundings import look_at_surroundings
    from webhook.doctor.way import look_at_way

    api = cluster.api
    yield from look_at_way(api, namespace, settings)
    try:
        live = read_registered(Calls(api, time.monotonic() + _READ_SECONDS))
    except ClusterUnavailable as error:
        yield Finding("error", "registrations", str(error), "Give the right to get webhook configurations")
    else:
        yield from look_at_registrations(live, cluster, settings)
        service = service_of(live)
        if service:
            yield from look_at_service(api, service, b"".join(bundles_of(live)))
    yield from look_at_rights(api)
    yield from look_at_surroundings(api, cluster, settings)
    yield from look_at_machines(api, cluster, settings)


def _connected() -> LiveCluster:
    """A cluster whose watched kinds were listed, as far as we may."""
    api = connected()
    from webhook.cluster.live import LiveCluster

    try:
        api.get("/version", timeout=_SYNC_SECONDS)
    except ClusterUnavailable as error:
        raise UsageError(f"{error}; name another kubeconfig in KUBECONFIG") from error
    cluster = LiveCluster(api)
    cluster.start()
    deadline = time.monotonic() + _SYNC_SECONDS
    while cluster.unready() and not _only_forbidden(cluster) and time.monotonic() < deadline:
        time.sleep(0.05)
    return cluster


def _only_forbidden(cluster: LiveCluster) -> bool:
    """Whether what is not listed yet never will be; the rights are looked at anyway."""
    return all(" 403" in why or " 401" in why for why in cluster.unready().values())

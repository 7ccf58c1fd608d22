"""migratability doctor: whether the installation denies and patches, and what keeps it from it."""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from webhook.cli.connection import connected
from webhook.cli.errors import UsageError, settings_from
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.cluster.live import LiveCluster
from webhook.controller.live_configurations import LiveConfigurations, bundles_of, read_configurations
from webhook.doctor.components import look_at_components
from webhook.doctor.connectivity import look_at_connectivity
from webhook.doctor.finding import Finding, is_well
from webhook.doctor.release import account_of, look_for_release
from webhook.doctor.rights import look_at_our_rights, look_at_rights_of
from webhook.doctor.service import look_at_service
from webhook.doctor.vms import look_at_vms
from webhook.doctor.webhook_configurations import look_at_configurations, selector_of, service_of
from webhook.installation import Installation, InstallationError
from webhook.settings import Settings

_SYNC_SECONDS = 60.0
_CALL_SECONDS = 30.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="prove that the installation works, and name what is wrong",
        description="Asks the API server whether a VM that cannot migrate is denied and a good one patched, by "
        "dry runs that store nothing, and looks at the release with its settings, webhook configurations, certificates, "
        "replicas and rights, at KubeVirt, CDI, Trident and the VMs that are there. Uses a pod's service account, "
        "else the kubeconfig, and reads the release's ConfigMap, unless files say the same.",
        epilog="Exit status: 0 nothing is wrong (warnings may be there), 1 something is, 2 no cluster or bad input.",
    )
    parser.add_argument("-n", "--namespace", default="default", help="where to try VMs (default: %(default)s)")
    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file to go by instead of the release's")
    parser.add_argument(
        "--installation",
        type=Path,
        metavar="FILE",
        help="the release to look at, as the chart writes it; with --config",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and print; returns the exit status. Raises UsageError where there is no cluster, or for bad files."""
    logging.basicConfig(level=logging.CRITICAL)
    settings, remarks = settings_from(args.config) if args.config else (None, [])
    installation = _installation(args.installation, args.config)
    for line in remarks:
        print(f"migratability: {line}", file=sys.stderr)
    cluster = _connected()
    try:
        findings = []
        for finding in look(cluster, args.namespace, settings, installation):
            findings.append(finding)
            if args.output == "text":
                print(finding, flush=True)
    finally:
        cluster.stop()
    if args.output == "json":
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return 0 if is_well(findings) else 1


def look(
    cluster: LiveCluster, namespace: str, settings: Settings | None = None, installation: Installation | None = None
) -> Iterator[Finding]:
    """Yield every finding; ``namespace`` is where VMs are tried.

    Where the installation is not given, it is looked for in the cluster, with its settings.
    """
    client = cluster.api.until(math.inf, longest=_CALL_SECONDS)
    live, unread = _live_configurations(cluster)
    if installation is None:
        release, found = look_for_release(client, live or {})
        yield from found
        if release:
            installation, settings = release.installation, settings or release.settings
    settings = settings or Settings()
    yield from look_at_connectivity(client, namespace, settings)
    yield from unread
    if live is not None:
        yield from look_at_configurations(live, cluster, settings, installation)
        if service := service_of(live):
            yield from look_at_service(client, service, b"".join(bundles_of(live)))
    yield from _look_at_rights(client, cluster, installation)
    yield from look_at_components(client, cluster, settings)
    selector = selector_of(live) if live else installation.namespace_selector if installation else {}
    yield from look_at_vms(client, cluster, settings, selector)


def _live_configurations(cluster: LiveCluster) -> tuple[LiveConfigurations | None, list[Finding]]:
    try:
        return read_configurations(cluster), []
    except ClusterUnavailable as error:
        return None, [Finding("error", "registrations", str(error), "Give the right to get webhook configurations")]


def _look_at_rights(client: Client, cluster: LiveCluster, installation: Installation | None) -> Iterator[Finding]:
    yield from look_at_our_rights(client)
    if installation:
        yield from look_at_rights_of(account_of(client, installation), installation, cluster)
    else:
        remedy = "Give the release's files by --config and --installation"
        yield Finding("warning", "rights", "not asked for the webhook's account: no release is known", remedy)


def _installation(path: Path | None, config: Path | None) -> Installation | None:
    """An installation without its settings would be evaluated by others."""
    if path is None:
        return None
    if config is None:
        raise UsageError("--installation goes with --config")
    try:
        return Installation.load(path)
    except InstallationError as error:
        raise UsageError(str(error)) from error


def _connected() -> LiveCluster:
    """A cluster whose watched kinds were listed, as far as we may."""
    api = connected()
    try:
        api.within(_SYNC_SECONDS).get("/version")
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

"""migratability doctor: whether the installation denies and patches, and if not, why."""

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

from webhook.cli.inputs import UsageError, connected, settings_from
from webhook.cluster import ClusterUnavailable
from webhook.cluster.live import LiveCluster
from webhook.controller.live_configurations import LiveConfigurations, bundles_of, read_configurations
from webhook.doctor.components import look_at_components
from webhook.doctor.connectivity import look_at_connectivity
from webhook.doctor.finding import Finding
from webhook.doctor.release import account_of, look_for_release
from webhook.doctor.rights import look_at_our_rights, look_at_rights_of
from webhook.doctor.service import look_at_service
from webhook.doctor.vms import look_at_vms
from webhook.doctor.webhook_configurations import ABOUT, look_at_configurations, selector_of, service_of
from webhook.installation import Installation
from webhook.settings import Settings

_SYNC_SECONDS = 60.0
_CALL_SECONDS = 30.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="prove that the installation works, and name what is wrong",
        description="Asks the API server whether a VM that cannot migrate is denied and a good one patched, with dry "
        "runs that store nothing. Checks the release and its settings, webhook configurations, certificates, replicas "
        "and rights, KubeVirt, CDI and Trident, and the existing VMs. Uses the pod's service account, else the "
        "kubeconfig, and reads the release's ConfigMap, unless files are given.",
        epilog="Exit status: 0 no error (there may be warnings), 1 an error, 2 no cluster or bad input.",
    )
    parser.add_argument("-n", "--namespace", default="default", help="where to try VMs (default: %(default)s)")
    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file, instead of the release's settings")
    parser.add_argument(
        "--installation", type=Path, metavar="FILE", help="the installation file that the chart writes; with --config"
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and print; returns the exit status. Raises UsageError without a cluster, and FieldError for bad files."""
    logging.basicConfig(level=logging.CRITICAL)
    settings, remarks = settings_from(args.config) if args.config else (None, [])
    if args.installation and not args.config:
        raise UsageError("--installation requires --config")
    installation = Installation.load(args.installation) if args.installation else None
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
    return 1 if any(finding.status == "error" for finding in findings) else 0


def look(
    cluster: LiveCluster, namespace: str, settings: Settings | None = None, installation: Installation | None = None
) -> Iterator[Finding]:
    """Yield every finding; ``namespace`` is where VMs are tried.

    Where no installation is given, it is looked for in the cluster, with its settings.
    """
    client = cluster.api.until(math.inf, longest=_CALL_SECONDS)
    unread: list[Finding] = []
    live: LiveConfigurations | None = None
    try:
        live = read_configurations(cluster)
    except ClusterUnavailable as error:
        unread = [Finding("error", ABOUT, str(error), "Grant the right to get webhook configurations")]
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
    yield from look_at_our_rights(client)
    if installation:
        yield from look_at_rights_of(account_of(client, installation), installation, cluster)
    else:
        remedy = "Give the release's files with --config and --installation"
        yield Finding("warning", "rights", "not checked for the webhook's account: no release is known", remedy)
    yield from look_at_components(client, cluster, settings)
    selector = selector_of(live) if live else installation.namespace_selector if installation else {}
    yield from look_at_vms(client, cluster, settings, selector)


def _connected() -> LiveCluster:
    """A cluster whose watched kinds are listed, as far as our rights allow."""
    api = connected()
    try:
        api.within(_SYNC_SECONDS).get("/version")
    except ClusterUnavailable as error:
        raise UsageError(f"{error}; name another kubeconfig in KUBECONFIG") from error
    cluster = LiveCluster(api)
    cluster.start()
    deadline = time.monotonic() + _SYNC_SECONDS
    while time.monotonic() < deadline:
        if all(" 403" in why or " 401" in why for why in cluster.unready().values()):
            break  # what is forbidden is never listed; the findings about rights name it
        time.sleep(0.05)
    return cluster

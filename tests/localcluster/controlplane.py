"""The command lines of etcd, the API server and the controller manager, and the files they read."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.localcluster.credentials import CA, Identity, signing_keys

SERVICE_RANGE = "127.96.0.0/16"
"""Inside loopback, so a Service's cluster IP is an address of this host."""

_FIRST_SERVICE_IP = "127.96.0.1"
_ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Ports:
    """Where the programs listen on 127.0.0.1."""

    etcd: int
    etcd_peer: int
    api: int


def write_credentials(pki: Path, ca: CA) -> None:
    """Write into the folder `pki` every key and certificate that the command lines name."""
    pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    etcd, front_proxy = CA("etcd-ca"), CA("front-proxy-ca")
    for name, issuer in (("ca", ca), ("etcd-ca", etcd), ("front-proxy-ca", front_proxy)):
        (pki / f"{name}.crt").write_bytes(issuer.pem)
    hosts = ["127.0.0.1", _FIRST_SERVICE_IP, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    write_identity(pki / "apiserver", ca.server("kube-apiserver", hosts))
    write_identity(pki / "etcd", etcd.server("etcd", ["127.0.0.1", "localhost"]))
    write_identity(pki / "etcd-client", etcd.client("kube-apiserver"))
    write_identity(pki / "front-proxy", front_proxy.client("front-proxy-client"))
    private, public = signing_keys()
    write_secret(pki / "sa.key", private)
    (pki / "sa.pub").write_bytes(public)


def write_identity(stem: Path, identity: Identity) -> None:
    """Write `stem`.crt and `stem`.key."""
    stem.with_suffix(".crt").write_bytes(identity.certificate)
    write_secret(stem.with_suffix(".key"), identity.key)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def etcd_flags(data: Path, pki: Path, ports: Ports) -> list[str]:
    """Return the flags of a single etcd that keeps its data in `data` and never waits for the disk."""
    url, peer_url = f"https://127.0.0.1:{ports.etcd}", f"https://127.0.0.1:{ports.etcd_peer}"
    return [
        "--name=local",
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        "--socket-reuse-port",
        "--enable-grpc-gateway=false",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=local={peer_url}",
        *(
            f"--{side}{flag}"
            for side in ("", "peer-")
            for flag in (
                "client-cert-auth",
                f"cert-file={pki}/etcd.crt",
                f"key-file={pki}/etcd.key",
                f"trusted-ca-file={pki}/etcd-ca.crt",
            )
        ),
    ]


def apiserver_flags(pki: Path, ports: Ports) -> list[str]:
    """Return the flags of the API server."""
    return [
        f"--etcd-servers=https://127.0.0.1:{ports.etcd}",
        f"--etcd-cafile={pki}/etcd-ca.crt",
        f"--etcd-certfile={pki}/etcd-client.crt",
        f"--etcd-keyfile={pki}/etcd-client.key",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.api}",
        "--permit-port-sharing",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        f"--service-account-issuer={_ISSUER}",
        f"--api-audiences={_ISSUER}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC",
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        "--allow-privileged",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
    ]


def controller_manager_flags(pki: Path, kubeconfig: Path) -> list[str]:
    """Return the flags of the controller manager, which listens nowhere.

    Two of its controllers are left out because the API server takes no loopback address in what they write.
    """
    return [
        f"--kubeconfig={kubeconfig}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki}/sa.key",
        f"--root-ca-file={pki}/ca.crt",
        "--leader-elect=false",
        "--secure-port=0",
        "--controllers=*,-endpoints-controller,-endpointslice-controller",
    ]

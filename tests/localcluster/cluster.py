"""A Kubernetes control plane on loopback."""

import hashlib
import http.client
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.localcluster import binaries, controlplane, crds, kubectl
from tests.localcluster.api import Client
from tests.localcluster.credentials import CA
from tests.localcluster.errors import LocalClusterError, StartError
from tests.localcluster.processes import Child, ReservedPort, spawn

_ADMIN = ("admin", ("system:masters",))
_CONTROLLERS_AT_WORK = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")
_DEADLINE = 180.0
_PAUSE = 0.05


@dataclass
class _Running:
    directory: Path
    programs: dict[str, Path]
    ca: CA = field(default_factory=lambda: CA("kubernetes-ca"))
    reserved: list[ReservedPort] = field(default_factory=lambda: [ReservedPort() for _ in range(3)])
    children: list[Child] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    deadline: float = field(default_factory=lambda: time.monotonic() + _DEADLINE)

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def ports(self) -> controlplane.Ports:
        return controlplane.Ports(*(port.number for port in self.reserved))


class LocalCluster:
    """etcd and kube-apiserver as child processes, ready within seconds; several can run at once.

    `crds` names files and folders with CustomResourceDefinitions. Everything lives in a temporary directory that goes
    when the cluster stops; with `directory` it lives there and stays, except for etcd's data. `controllers` adds
    kube-controller-manager. Nothing schedules pods and nothing runs them; `Nodes` does. `flags` are further ones of the
    API server.
    """

    def __init__(
        self,
        crds: Iterable[Path] = (),
        directory: Path | None = None,
        *,
        controllers: bool = False,
        flags: Sequence[str] = (),
    ) -> None:
        self._crds = list(crds)
        self._directory = directory
        self._controllers = controllers
        self._flags = list(flags)
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when the API server is ready and serves every definition.

        Raises BuildError when a program is missing and cannot be built, StartError when the cluster does not come up
        (its directory is kept then, for the logs in it), and LocalClusterError when it already runs.
        """
        if self._running is not None:
            raise LocalClusterError("the cluster already runs")
        optional = ["kube-controller-manager"] if self._controllers else []
        programs = binaries.ensure("etcd", "kube-apiserver", "kubectl", *optional)
        self._running = _Running(self._new_directory(), programs)
        try:
            self._launch()
            self._start_up()
        except Exception as error:
            directory = self.directory
            self._stop_children()
            raise StartError(f"the local cluster did not start: {error}\nIts files are in {directory}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the processes and remove the temporary directory; does nothing when the cluster is not running."""
        if self._running is None:
            return
        directory = self.directory
        self._stop_children()
        shutil.rmtree(directory / "etcd" if self._directory else directory, ignore_errors=True)

    def wait(self) -> None:
        """Block as long as all programs run; raises LocalClusterError when one of them ends."""
        while True:
            self._check_children()
            time.sleep(1)

    @property
    def directory(self) -> Path:
        """The folder that holds the cluster's logs, credentials and data."""
        return self._state.directory

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self._state.ports.api}"

    @property
    def ca_pem(self) -> bytes:
        """The CA that signs the API server's certificate and the clients'."""
        return self._state.ca.pem

    @property
    def processes(self) -> dict[str, int]:
        """The process id of each program."""
        return {child.name: child.process.pid for child in self._state.children}

    @property
    def programs(self) -> dict[str, Path]:
        """The executable of each program, kubectl's included."""
        return dict(self._state.programs)

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator (group system:masters)."""
        return self.kubeconfig_for(*_ADMIN)

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for `user` as a member of `groups`, without any right until RBAC grants one.

        Raises ValueError for a name that a certificate cannot hold (more than 64 characters).
        """
        path = self.directory / f"{_file_name(user, groups)}.kubeconfig"
        with self._state.lock:
            if not path.exists():
                identity = self._state.ca.client(user, groups)
                kubectl.write_kubeconfig(path, self.url, self.ca_pem, user, identity)
        return path

    def client(self) -> Client:
        """Return a client that acts as the administrator, for calls that must be quicker than kubectl."""
        return self.client_for(*_ADMIN)

    def client_for(self, user: str, groups: Sequence[str] = ()) -> Client:
        """Return a client that is `user` as a member of `groups`, for calls that kubectl would be too slow for.

        Raises ValueError for a name that a certificate cannot hold (more than 64 characters).
        """
        state = self._state
        stem = state.pki / _file_name(user, groups).replace(".", "-")
        controlplane.write_identity(stem, state.ca.client(user, groups))
        return Client(state.ports.api, self.ca_pem, stem.with_suffix(".crt"), stem.with_suffix(".key"))

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        user: str | None = None,
        groups: Sequence[str] = (),
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, or as `user` in `groups`, with `stdin` as its input.

        Raises KubectlError, which shows stderr, when the call takes longer than `timeout` seconds or, with `check`,
        ends with an error.
        """
        return kubectl.run(
            self._state.programs["kubectl"],
            arguments,
            kubeconfig=self.kubeconfig if user is None else self.kubeconfig_for(user, groups),
            home=self.directory / "home",
            stdin=stdin,
            check=check,
            timeout=timeout,
        )

    @property
    def _state(self) -> _Running:
        if self._running is None:
            raise LocalClusterError("the cluster is not running")
        return self._running

    def _new_directory(self) -> Path:
        if self._directory is None:
            return Path(tempfile.mkdtemp(prefix="localcluster-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        for left_over in (self._directory / "etcd", *self._directory.glob("*.kubeconfig")):
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink(missing_ok=True)
        return self._directory.resolve()

    def _launch(self) -> None:
        state = self._state
        controlplane.write_credentials(state.pki, state.ca)
        self._spawn("etcd", controlplane.etcd_flags(state.directory / "etcd", state.pki, state.ports))
        self._spawn("kube-apiserver", [*controlplane.apiserver_flags(state.pki, state.ports), *self._flags])

    def _spawn(self, name: str, flags: list[str]) -> None:
        state = self._state
        command = [str(state.programs[name]), *flags]
        state.children.append(spawn(name, command, state.directory / f"{name}.log", state.directory))

    def _start_up(self) -> None:
        definitions = crds.load(self._crds)
        client = self.client()
        self._await("the API server is not ready", lambda: client.request("GET", "/readyz").status == 200)
        if self._controllers:
            self._spawn("kube-controller-manager", self._controller_manager_flags())
        crds.create(client, definitions)
        self._await("some definitions are not served", lambda: crds.all_served(client, definitions))
        if self._controllers:
            self._await("the controllers do not work", lambda: _controllers_work(client))

    def _controller_manager_flags(self) -> list[str]:
        kubeconfig = self.kubeconfig_for("system:kube-controller-manager")
        return controlplane.controller_manager_flags(self._state.pki, kubeconfig)

    def _await(self, complaint: str, condition: Callable[[], bool]) -> None:
        state = self._state
        while not _holds(condition):
            self._check_children()
            if time.monotonic() > state.deadline:
                raise StartError(f"{complaint} after {_DEADLINE:g} s:\n{state.children[-1].tail()}")
            time.sleep(_PAUSE)

    def _check_children(self) -> None:
        for child in self._state.children:
            status = child.process.poll()
            if status is not None:
                raise LocalClusterError(f"{child.name} ended with status {status}:\n{child.tail()}")

    def _stop_children(self) -> None:
        state = self._state
        for child in reversed(state.children):
            child.stop()
        for port in state.reserved:
            port.release()
        self._running = None


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (OSError, http.client.HTTPException):
        return False


def _controllers_work(client: Client) -> bool:
    namespace = "/api/v1/namespaces/default"
    return all(client.request("GET", f"{namespace}/{item}").status == 200 for item in _CONTROLLERS_AT_WORK)


def _file_name(user: str, groups: Sequence[str]) -> str:
    if (user, tuple(groups)) == _ADMIN:
        return user
    digest = hashlib.sha256("\0".join((user, *groups)).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', user)}-{digest}"

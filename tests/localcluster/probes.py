"""Probes of containers."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.localcluster.api import Object

Check = Callable[[], str | None]
"""Returns what is wrong, or None."""


def unverified() -> ssl.SSLContext:
    """Return a client's context that takes any certificate, as the kubelet's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_CONTEXT = unverified()


@dataclass(frozen=True)
class Probing:
    """The probes of one process of a container, until `ended` is set."""

    container: Object
    address: str
    ended: threading.Event
    record_event: Callable[[str, str], None]
    """Records an event: reason, message."""

    def verdicts(self, kind: str) -> Iterator[str | None]:
        """Yield the verdicts of the probe of a kind; nothing where the container has no such probe."""
        probe = self.container.get(f"{kind}Probe")
        if probe is None:
            return
        for wrong in verdicts(probe, lambda: check(probe, self.container, self.address), self.ended):
            if wrong is not None:
                self.record_event("Unhealthy", f"{kind} probe failed: {wrong}")
            yield wrong


def verdicts(probe: Object, check: Check, ended: threading.Event) -> Iterator[str | None]:
    """Yield each time the threshold of a probe is reached again: what is wrong, or None where it succeeds.

    Goes on until `ended` is set.
    """
    thresholds = {True: probe.get("successThreshold", 1), False: probe.get("failureThreshold", 3)}
    count, last = 0, None
    pause = probe.get("initialDelaySeconds", 0)
    while not ended.wait(pause):
        wrong = check()
        succeeded = wrong is None
        count = count + 1 if succeeded == last else 1
        last = succeeded
        if ended.is_set():
            return
        if count == thresholds[succeeded]:
            yield wrong
        pause = probe.get("periodSeconds", 10)


def check(probe: Object, container: Object, address: str) -> str | None:
    """Carry out a probe once; returns what is wrong, or None."""
    timeout = probe.get("timeoutSeconds", 1)
    if "httpGet" in probe:
        return _http_get(probe["httpGet"], container, address, timeout)
    if "tcpSocket" in probe:
        return _tcp(probe["tcpSocket"], container, address, timeout)
    return "this kubelet knows only the probes httpGet and tcpSocket"


def port_number(container: Object, port: int | str) -> int | None:
    """Return the number of a port that is a number or the name of one of the container's ports."""
    if isinstance(port, int):
        return port
    named = [item["containerPort"] for item in container.get("ports") or [] if item.get("name") == port]
    return int(named[0]) if named else None


def _http_get(get: Object, container: Object, address: str, timeout: float) -> str | None:
    port = port_number(container, get["port"])
    if port is None:
        return f"there is no port named {get['port']}"
    host = get.get("host") or address
    connection: http.client.HTTPConnection
    if get.get("scheme") == "HTTPS":
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=_CONTEXT)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    headers = {item["name"]: item["value"] for item in get.get("httpHeaders") or []}
    try:
        connection.request("GET", get.get("path") or "/", headers={"User-Agent": "kube-probe", **headers})
        answer = connection.getresponse()
        body = answer.read(1 << 14)
    except (OSError, http.client.HTTPException) as error:
        return f"{get.get('path', '/')}: {error}"
    finally:
        connection.close()
    if 200 <= answer.status < 400:
        return None
    return f"{get.get('path', '/')}: status {answer.status}: {body.decode(errors='replace')[:200]}"


def _tcp(target: Object, container: Object, address: str, timeout: float) -> str | None:
    port = port_number(container, target["port"])
    if port is None:
        return f"there is no port named {target['port']}"
    try:
        socket.create_connection((target.get("host") or address, port), timeout).close()
    except OSError as error:
        return str(error)
    return None

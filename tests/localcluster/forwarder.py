"""Stands in for kube-proxy: what is sent to a Service's cluster IP reaches a ready pod.

It listens where a Service has a pod to answer and nowhere else, so a connection to a Service without one is denied by
the kernel, as kube-proxy has it denied. A connection, once made, is left alone until one of its ends closes it, also
while its pod is being deleted; when the pod is gone, so is the connection. What comes in pieces goes on in pieces, at
once: asyncio leaves Nagle's algorithm on for a socket that it did not make, and then every answer in two pieces would
wait for the 40 ms after which the client's kernel acknowledges the first.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import defaultdict

from tests.localcluster.api import Client, Object
from tests.localcluster.cache import Objects
from tests.localcluster.endpoints import LOWEST_PORT, Address, Backends, addresses, forwarded, table
from tests.localcluster.events import record

_BACKLOG = 1024
_CHUNK = 1 << 16
_CONNECT_SECONDS = 5
_RESET = struct.pack("ii", 1, 0)


class Forwarder:
    """Follows Services and pods, and forwards in a thread of its own."""

    def __init__(self, client: Client, services: Objects, pods: Objects) -> None:
        self._client = client
        self._services = services
        self._pods = pods
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._stopped = False
        self._table: dict[Address, Backends] = {}
        self._listening: dict[Address, socket.socket] = {}
        self._open: dict[str, set[asyncio.StreamWriter]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        services.listen(self._hear_service)
        pods.listen(self._hear)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Close everything."""
        self._stopped = True
        self._wake()
        self._thread.join()
        self._loop.close()

    def _hear(self, obj: Object, exists: bool) -> None:
        self._wake()

    def _hear_service(self, service: Object, exists: bool) -> None:
        self._wake()
        uid = service["metadata"]["uid"]
        if exists and forwarded(service) and uid not in self._reported:
            low = [port["port"] for port in service["spec"]["ports"] if port["port"] < LOWEST_PORT]
            if low:
                message = f"port {low[0]} is not forwarded here: only ports above {LOWEST_PORT - 1} need no root"
                self._reported.add(uid)
                record(self._client, {**service, "kind": "Service"}, "NotForwarded", message)

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)

    def _run(self) -> None:
        self._loop.run_until_complete(self._follow())

    async def _follow(self) -> None:
        while not self._stopped:
            self._changed.clear()
            pods = self._pods.all()
            self._table = table(self._services.all(), pods)
            self._cut(addresses(pods))
            done = self._listen()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), None if done else 1)
        for address in list(self._listening):
            self._close(address)
        self._cut(set())
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self, alive: set[str]) -> None:
        """End the connections to all pods but those."""
        for address in [address for address in self._open if address not in alive]:
            for writer in self._open.pop(address):
                _reset(writer)

    def _listen(self) -> bool:
        """Listen where there is a backend; returns whether that could be done everywhere."""
        wanted = {address for address, backends in self._table.items() if backends.usable}
        for address in [address for address in self._listening if address not in wanted]:
            self._close(address)
        done = True
        for address in wanted - self._listening.keys():
            try:
                listener = socket.create_server(address, backlog=_BACKLOG)
            except OSError as error:
                done = False
                self._report_in_use(address, error)
                continue
            listener.setblocking(False)
            self._listening[address] = listener
            self._loop.add_reader(listener, self._accept, address)
        return done

    def _close(self, address: Address) -> None:
        """Listen no more; the kernel denies what nobody has accepted yet."""
        listener = self._listening.pop(address)
        self._loop.remove_reader(listener)
        listener.close()

    def _accept(self, address: Address) -> None:
        try:
            connection, _ = self._listening[address].accept()
        except OSError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._forward(address, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report_in_use(self, address: Address, error: OSError) -> None:
        owners = [service for service in self._services.all() if service["spec"].get("clusterIP") == address[0]]
        for service in owners:
            if service["metadata"]["uid"] not in self._reported:
                self._reported.add(service["metadata"]["uid"])
                note = (self._client, {**service, "kind": "Service"}, "NotForwarded", str(error))
                self._loop.run_in_executor(None, record, *note)

    async def _forward(self, address: Address, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        backends = self._table.get(address)
        if backends is None or not backends.usable:
            _reset(writer)
            return
        target = random.choice(backends.usable)
        try:
            connecting = asyncio.open_connection(*target)
            pod_reader, pod_writer = await asyncio.wait_for(connecting, _CONNECT_SECONDS)
        except (OSError, TimeoutError):
            _reset(writer)
            return
        writers = self._open[target[0]]
        writers.update((writer, pod_writer))
        try:
            await asyncio.gather(_copy(reader, pod_writer), _copy(pod_reader, writer))
        except (OSError, asyncio.CancelledError):
            _reset(writer)
            _reset(pod_writer)
        finally:
            writers.difference_update((writer, pod_writer))
            if not writers and self._open.get(target[0]) is writers:
                del self._open[target[0]]
            writer.close()
            pod_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side sees at once that nobody is there."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()

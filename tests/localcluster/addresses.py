"""Addresses for pods, on loopback and different from those of any other cluster on this host."""

import itertools
import socket
import threading
from collections.abc import Iterator

_GUARD_PORT = 65535


class Addresses:
    """The addresses from 127.97.0.1 on.

    Anyone who holds one keeps a socket bound to a port of it that nobody listens on, so that a second cluster, which
    would begin at the same address, takes another. An address is given out again only after all others.
    """

    def __init__(self) -> None:
        self._guards: dict[str, socket.socket] = {}
        self._lock = threading.Lock()
        self._next = itertools.cycle(_all())

    def take(self) -> str:
        """Return a free address."""
        with self._lock:
            for address in self._next:
                guard = socket.socket()
                try:
                    guard.bind((address, _GUARD_PORT))
                except OSError:
                    guard.close()
                    continue
                self._guards[address] = guard
                return address
        raise AssertionError("a cycle does not end")

    def give_back(self, address: str) -> None:
        """Let others have an address."""
        with self._lock:
            self._guards.pop(address).close()


def _all() -> Iterator[str]:
    for third, fourth in itertools.product(range(256), range(1, 255)):
        yield f"127.97.{third}.{fourth}"

"""Thousands of writes to the API server, each as the account that makes it, over connections that stay open."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self, TypeVar

import urllib3

from tests.build import Object
from tests.localcluster import LocalCluster

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_THREADS, _CONNECTIONS = 6, 30


@dataclass(frozen=True)
class Answer:
    """What the API server answered: the stored object, or the Status that says why not."""

    status: int
    body: Object

    @property
    def passed(self) -> bool:
        """Whether the call did what it was asked."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """Why it did not."""
        return f"{self.status}: {self.body.get('message')}"

    @property
    def causes(self) -> list[str]:
        """The reasons that a denial gives, as kubectl shows them."""
        return [cause["message"] for cause in self.body.get("details", {}).get("causes", ())]


class Api:
    """The API server, called by an administrator who acts for others."""

    def __init__(self, cluster: LocalCluster) -> None:
        """Use a running cluster."""
        pki, ca = cluster.directory / "pki", {"ca_cert_data": cluster.ca_pem.decode()}
        identity = {"cert_file": str(pki / "admin.crt"), "key_file": str(pki / "admin.key")}
        options = {"maxsize": _CONNECTIONS, "timeout": 60, "retries": False}
        self._pool = urllib3.connection_from_url(cluster.url, **options, **ca, **identity)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._pool.close()

    def all(self, act: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Do something with each item, several at once; return what came of it, in the items' order."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(act, items))

    def create(self, obj: Object, user: str) -> Answer:
        """Create an object."""
        return self._call("POST", collection(obj), user, obj)

    def have(self, obj: Object, user: str) -> Object:
        """Create an object that nobody denies, and return it as it is stored."""
        created = self.create(obj, user)
        assert created.passed, created.message
        return created.body

    def patch(self, obj: Object, patch: Object, user: str, subresource: str = "") -> Answer:
        """Merge a patch into an object or a subresource of it."""
        return self._call("PATCH", path_of(obj, subresource), user, patch)

    def delete(self, obj: Object, user: str) -> Answer:
        """Delete an object; it stays as long as it has finalizers."""
        return self._call("DELETE", path_of(obj), user)

    def exists(self, obj: Object) -> bool:
        """Say whether an object is there."""
        return self._call("GET", path_of(obj), "admin").passed

    def get(self, obj: Object) -> Object:
        """Return an object as it is stored."""
        found = self._call("GET", path_of(obj), "admin")
        assert found.passed, found.message
        return found.body

    def _call(self, method: str, path: str, user: str, body: Object | None = None) -> Answer:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Accept": "application/json", "Content-Type": kind}
        if user != "admin":
            headers["Impersonate-User"] = user
        content = None if body is None else json.dumps(body)
        try:
            answer = self._pool.request(method, path, content, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise OSError(f"no answer: {error}") from error
        return Answer(answer.status, answer.json())


def collection(obj: Object) -> str:
    """Return the path of all objects of a kind in the object's namespace."""
    version, namespace = obj["apiVersion"], obj["metadata"].get("namespace")
    parts = ("/apis" if "/" in version else "/api", version, namespace and f"namespaces/{namespace}")
    return "/".join([*filter(None, parts), f"{obj['kind'].lower()}s"])


def path_of(obj: Object, *subresource: str) -> str:
    """Return the path of an object or a subresource of it."""
    return "/".join(filter(None, (collection(obj), obj["metadata"]["name"], *subresource)))

"""An API server in memory, as far as the controller needs one, and an installation on it."""

import itertools
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jsonpatch
import yaml

from tests.build import Object, of_kind
from webhook.admission.probe import ANSWER, PROBE_NAME
from webhook.cluster.api import Api, ApiError
from webhook.cluster.interface import ClusterUnavailable
from webhook.installation import Installation, Replica

INSTALLATION: Object = yaml.safe_load(
    """
    namespace: migratability
    service: {name: migratability-webhook, port: 443}
    owner: registrations
    lease: migratability-webhook
    pods: app.kubernetes.io/name=migratability-webhook
    certificates: {source: selfSigned, secret: migratability-webhook-ca, trustDelay: 1s}
    """
)
OWNER = "/apis/rbac.authorization.k8s.io/v1/clusterroles/registrations"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/migratability/leases/migratability-webhook"
SECRET = "/api/v1/namespaces/migratability/secrets/migratability-webhook-ca"
PODS = "/api/v1/namespaces/migratability/pods"
_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
VALIDATING = f"{_CONFIGURATIONS}/validatingwebhookconfigurations/migratability"
MUTATING = f"{_CONFIGURATIONS}/mutatingwebhookconfigurations/migratability"
PROBE = f"{VALIDATING}-probe"
REPLICA = Replica("pod-1", "10.0.0.1")


def installation(**fields: Any) -> Installation:
    """Return the installation with other fields."""
    return Installation.parse({**INSTALLATION, **fields})


def pod(name: str, version: str, ready: str = "True", image: str | None = None) -> Object:
    """Return a pod of the webhook; one without a version has no label for it."""
    labels = {"app.kubernetes.io/version": version} if version else {}
    conditions = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": ready}]
    spec = {"containers": [{"image": image}]} if image else {}
    return of_kind("v1", "Pod", name, labels=labels, spec=spec, status={"conditions": conditions})


class FakeApi(Api):
    """Objects by path; ``faults`` holds the errors that calls on a path raise."""

    def __init__(self) -> None:
        """Hold the ClusterRole that owns, and no pods."""
        self.objects: dict[str, Object] = {PODS: {"items": []}}
        self.faults: dict[str, Exception] = {}
        self.writes: list[tuple[str, str]] = []
        self.answers = True
        self.admitted: Callable[[Object, Object], Object] = lambda _, obj: obj
        """What admission webhooks make of a patched object, given the old one and the new one."""
        self.reads: list[str] = []
        self.client = self.until(math.inf)
        self._versions = itertools.count(1)
        self.put_there(OWNER, {"metadata": {"name": "registrations", "uid": "u1"}})

    def put_there(self, path: str, obj: Object) -> Object:
        """Store an object as another client would."""
        stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(next(self._versions))}}
        self.objects[path] = stored
        return stored

    def now(self) -> datetime:
        """Return the time by our clock."""
        return datetime.now(UTC)

    def call(self, method: str, path: str, query: Any = None, body: Any = None, **_: Any) -> dict[str, Any]:
        """Answer a request."""
        if method == "GET":
            self.reads.append(path)
        for part, fault in self.faults.items():
            if part in path:
                raise fault
        found: Any = getattr(self, f"_{method.lower()}")(path, query, body)
        return dict(found)

    def _get(self, path: str, *_: object) -> Object:
        if path not in self.objects:
            raise ApiError(404, "not found")
        return self.objects[path]

    def _post(self, path: str, query: object, body: Object) -> Object:
        if body["metadata"]["name"] == PROBE_NAME and PROBE in self.objects and self.answers:
            raise ApiError(403, f"admission webhook denied the request: {ANSWER}")
        if query:
            return body
        return self._write("create", f"{path}/{body['metadata']['name']}", body, is_there=False)

    def _put(self, path: str, _: object, body: Object) -> Object:
        live = self.objects.get(path)
        if live and body["metadata"].get("resourceVersion") != live["metadata"]["resourceVersion"]:
            raise ApiError(409, "the object has been modified")
        return self._write("replace", path, body, is_there=True)

    def _patch(self, path: str, _: object, body: Any) -> Object:
        if isinstance(body, list):
            old = self._get(path)
            return self._put(path, None, self.admitted(old, jsonpatch.apply_patch(old, body)))
        self.writes.append(("apply", path))
        return self.put_there(path, {**self.objects.get(path, {}), **body})

    def _delete(self, path: str, *_: object) -> Object:
        found = self._get(path)
        self.writes.append(("delete", path))
        del self.objects[path]
        return found

    def _write(self, verb: str, path: str, body: Object, *, is_there: bool) -> Object:
        if (path in self.objects) != is_there:
            raise ApiError(404 if is_there else 409, "not found" if is_there else "already exists")
        self.writes.append((verb, path))
        return self.put_there(path, body)


OUT_OF_REACH = ClusterUnavailable("the API server is out of reach: connection refused")

"""What a pod is given by the API server: ConfigMaps, Secrets and tokens of its service account."""

import base64
import threading
import time
from dataclasses import dataclass

from tests.localcluster.api import NO_ANSWER, Client, Object
from tests.localcluster.images import Waiting

_PLURAL = {"configMap": "configmaps", "secret": "secrets"}
_RENEW_AFTER = 0.8


@dataclass(frozen=True)
class _Token:
    text: str
    renew_at: float


class Sources:
    """Asks the API server each time, so that a pod never starts with what was true a moment ago.

    Tokens are kept and asked for again after four fifths of their life, as a kubelet does.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tokens: dict[tuple[str, str, str], _Token] = {}
        self._lock = threading.Lock()

    def data(self, kind: str, pod: Object, name: str) -> dict[str, bytes] | None:
        """Return the content of a `configMap` or `secret` in the pod's namespace, or None where there is none."""
        namespace = pod["metadata"]["namespace"]
        obj = self._answer("GET", f"/api/v1/namespaces/{namespace}/{_PLURAL[kind]}/{name}")
        if obj is None:
            return None
        plain = {} if kind == "secret" else (obj.get("data") or {})
        encoded = (obj.get("data") if kind == "secret" else obj.get("binaryData")) or {}
        decoded = {key: base64.b64decode(value) for key, value in encoded.items()}
        return {key: value.encode() for key, value in plain.items()} | decoded

    def token(self, pod: Object, audience: str, seconds: int) -> str:
        """Return a token of the pod's service account that is bound to the pod."""
        key = (pod["metadata"]["uid"], audience, str(seconds))
        with self._lock:
            known = self._tokens.get(key)
        if known is None or known.renew_at <= time.monotonic():
            known = self._request_token(pod, audience, seconds)
            with self._lock:
                self._tokens[key] = known
        return known.text

    def renewal(self, pod: Object) -> float | None:
        """Return the time.monotonic() at which a token of the pod is to be renewed."""
        with self._lock:
            times = [token.renew_at for key, token in self._tokens.items() if key[0] == pod["metadata"]["uid"]]
        return min(times, default=None)

    def expire(self) -> None:
        """Have every token replaced when it is next asked for."""
        with self._lock:
            self._tokens.clear()

    def forget(self, pod: Object) -> None:
        """Drop the tokens of a pod."""
        with self._lock:
            for key in [key for key in self._tokens if key[0] == pod["metadata"]["uid"]]:
                del self._tokens[key]

    def _request_token(self, pod: Object, audience: str, seconds: int) -> _Token:
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": seconds, "boundObjectRef": bound, "audiences": [audience] if audience else []}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = self._answer("POST", path, request)
        if answer is None:
            raise Waiting("ContainerCreating", f"there is no service account {account}")
        return _Token(answer["status"]["token"], time.monotonic() + seconds * _RENEW_AFTER)

    def _answer(self, method: str, path: str, body: object = None) -> Object | None:
        try:
            answer = self._client.request(method, path, body)
        except NO_ANSWER as error:
            raise Waiting("ContainerCreating", f"{path}: {error}") from error
        if answer.status == 404:
            return None
        if not answer.ok:
            raise Waiting("ContainerCreating", f"{path}: {answer.body.decode(errors='replace')[:300]}")
        return answer.object()

"""Makes recorded writes again, each as its user, on an API server with the webhook."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.build import Object
from tests.e2e.preexisting.api import collection, path_of
from tests.e2e.replay.recording import Write
from tests.e2e.replay.world import Uids, are_alike, as_if_mutated, as_owned_by, bare, can_become, is_going
from tests.localcluster.api import Client
from tests.localcluster.installation import Installation
from webhook.objects import at, items, mapping

_ADMIN = ("admin", ("system:masters",))
_OUTDATED = "1"


@dataclass(frozen=True)
class Played:
    """A write that was made again, and what came of it."""

    write: Write
    sent: Object | None
    status: int
    answer: Object
    reached: bool
    """Whether the webhook was asked at all."""

    @property
    def is_stored(self) -> bool:
        """Whether the write did what it was meant to."""
        return self.status < 300

    @property
    def is_denied(self) -> bool:
        """Whether the webhook denied it."""
        return self.status == 422 and "denied the request" in self.message

    @property
    def message(self) -> str:
        """What the API server says of a failure, and virtctl shows."""
        return str(self.answer.get("message", ""))

    @property
    def causes(self) -> list[str]:
        """What kubectl shows of a denial."""
        return [cause["message"] for cause in items(mapping(self.answer.get("details")).get("causes"))]


class Player:
    """An API server with the webhook, on which a recording is made again."""

    def __init__(self, installation: Installation, settings: Path) -> None:
        """Use an installation that reads these settings."""
        self._installation = installation
        self._settings = settings
        self._uids = Uids()
        self._clients: dict[tuple[str, tuple[str, ...]], Client] = {}

    def play(self, write: Write) -> Played:
        """Make a write again, from the state that it found in the recording."""
        live = self._replay(write)
        sent = self._sent(write, live)
        method = {"CREATE": "POST", "UPDATE": "PUT", "DELETE": "DELETE"}[write.operation]
        path = collection(write.shown) if write.operation == "CREATE" else path_of(write.shown, write.subresource)
        before = self._installation.calls()
        status, answer = self._call(method, path, sent, write)
        played = Played(write, sent, status, answer, self._installation.calls() != before)
        if played.is_denied:
            with self._mode_off():
                answer = self._must(method, path, sent)
        if write.operation == "CREATE":
            self._uids.learn(write.obj, answer)
        return played

    def _sent(self, write: Write, live: Object | None) -> Object | None:
        """A creation is sent as it was recorded; what follows holds what our mutating side has set."""
        if write.obj is None:
            return None
        if live is None:
            made = bare(self._uids.translated(write.obj))
            return as_owned_by(self._owner(write), made) if write.resource == "virtualmachineinstances" else made
        return _over(live, self._recorded(write.obj, live), _OUTDATED if write.is_late else None)

    def _owner(self, write: Write) -> Object | None:
        """Return the live object for which KubeVirt makes a VMI."""
        for reference in items(at(write.obj, "metadata", "ownerReferences")):
            metadata = {"name": reference["name"], "namespace": write.shown["metadata"]["namespace"]}
            return self._get({**reference, "metadata": metadata})
        return None

    def _recorded(self, obj: Object, live: Object | None) -> Object:
        return as_if_mutated(self._uids.translated(obj), live)

    def _replay(self, write: Write) -> Object | None:
        """Return the live object after making it what the write found in the recording.

        It is another where a write was denied, here or there, and where the recording begins in the middle.
        """
        live = self._get(write.shown)
        want = self._recorded(write.old, live) if write.old else None
        if (want or live) and not (want and live and are_alike(want, live)):
            with self._mode_off():
                live = self._restored(write, want, live)
        if live is not None:
            self._uids.learn(write.old, live)
        return live

    def _restored(self, write: Write, want: Object | None, live: Object | None) -> Object | None:
        path = path_of(write.shown)
        if live is not None and not can_become(live, want):
            self._must("PUT", path, {**live, "metadata": {**live["metadata"], "finalizers": []}})
            if not is_going(live):
                self._must("DELETE", path)
            live = None
        if want is None:
            return None
        found = self._must("PUT", path, _over(live, want)) if live else self._must("POST", collection(want), bare(want))
        if "status" in want and want["kind"] != "VirtualMachineInstance":  # which alone has no such subresource
            found = self._must("PUT", f"{path}/status", _over(found, want))
        return self._must("DELETE", path) if is_going(want) and not is_going(found) else found

    @contextmanager
    def _mode_off(self) -> Iterator[None]:
        """Let the webhook evaluate nothing meanwhile."""
        self._settings.write_text('mode: "off"\n')
        try:
            yield
        finally:
            self._settings.write_text("mode: deny\n")

    def _get(self, obj: Object) -> Object | None:
        status, found = self._call("GET", path_of(obj))
        assert status in (200, 404), found
        return found if status == 200 else None

    def _must(self, method: str, path: str, body: Object | None = None) -> Object:
        status, answer = self._call(method, path, body)
        assert status < 300, f"{method} {path}: {answer}"
        return answer

    def _call(self, method: str, path: str, body: Object | None = None, by: Write | None = None) -> tuple[int, Object]:
        who = (by.user, by.groups) if by else _ADMIN
        if who not in self._clients:
            self._clients[who] = self._installation.cluster.client_for(*who)
        response = self._clients[who].request(method, path, body)
        return response.status, json.loads(response.body)


def _over(live: Object, obj: Object, version: str | None = None) -> Object:
    """Return an object as an update of the live one, or of an older state of it."""
    found = bare(obj)
    now = live["metadata"]
    found["metadata"] |= {"uid": now["uid"], "resourceVersion": version or now["resourceVersion"]}
    return found

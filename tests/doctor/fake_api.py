"""An API server that answers from a table, for answers that the real one does not give on demand."""

from collections.abc import Callable
from typing import Any

from tests.build import Object
from webhook.cluster.api import Api, ApiError

Answer = Object | int | Callable[[Object], Any]


class TableApi(Api):
    """Answers by path, else 404: an object, the HTTP status of an error, or what a function makes of query or body."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.client = self.within(60)

    def call(self, method: str, path: str, query: Any = None, body: Any = None, **_: Any) -> dict[str, Any]:
        """Answer a request; a function is given the body of a POST, else the query."""
        answer = self.answers.get(path, 404)
        found: Any = answer(query if body is None else body) if callable(answer) else answer
        if isinstance(found, int):
            raise ApiError(found, f"status {found}")
        if isinstance(found, Exception):
            raise found
        return dict(found)

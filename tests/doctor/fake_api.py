"""An API server that answers from a table, for what the real one will not do on demand."""

from collections.abc import Callable
from typing import Any

from tests.build import Object
from webhook.cluster.api import Api, ApiError

Answer = Object | int | Callable[[Object], Any]


class TableApi(Api):
    """Answers by path: an object, the HTTP status of an error, or what a function makes of query or body."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        """Take the table; what is not in it is not found."""
        self.answers = answers

    def get(self, path: str, query: Any = None, *, timeout: float, metadata_only: bool = False) -> dict[str, Any]:
        """Answer a GET; a function is given the query."""
        return self._said(path, query or {})

    def post(self, path: str, body: Any, query: Any = None, *, timeout: float) -> dict[str, Any]:
        """Answer a POST."""
        return self._said(path, body)

    def _said(self, path: str, body: Object) -> dict[str, Any]:
        answer = self.answers.get(path, 404)
        found: Any = answer(body) if callable(answer) else answer
        if isinstance(found, int):
            raise ApiError(found, f"status {found}")
        if isinstance(found, Exception):
            raise found
        return dict(found)

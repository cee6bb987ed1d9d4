"""The API, as somebody else's program uses it."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit


class Client:
    """One connection that is kept open."""

    def __init__(self, address: str, token: str) -> None:
        host = urlsplit(address).netloc
        self._connection = http.client.HTTPConnection(host, timeout=600)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str, **query: object) -> Any:
        return json.loads(self.read(path, **query))

    def read(self, path: str, **query: object) -> bytes:
        """Return the body of an answer as it is."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: object) -> Any:
        return json.loads(self._ask("POST", path, json.dumps(body)))

    def pages(self, path: str, **query: object) -> Iterator[list[Any]]:
        """Follow the cursors of a list to its end."""
        cursor: dict[str, object] = {}
        while True:
            page = self.get(path, **query, **cursor, limit=200)
            yield page["data"]
            if not page["next"]:
                return
            cursor = {"cursor": page["next"]}

    def wait(self, operation_id: str) -> dict[str, Any]:
        """Return an operation once it has ended."""
        while True:
            operation: dict[str, Any] = self.get(f"/v1/operations/{operation_id}")
            if operation["ended_at"]:
                return operation
            time.sleep(0.2)

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

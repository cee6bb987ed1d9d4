"""A webhook's endpoint: a real HTTP server on this machine that keeps what it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook as Verifier
from typing_extensions import override


@dataclass
class Endpoint:
    """What it answers, and what it was told."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Path, headers and body of each request."""

    def verified(self, secret: str) -> list[dict[str, object]]:
        """Return every message, each proven by this secret."""
        return [Verifier(secret).verify(body, headers) for _, headers, body in self.told]


@contextmanager
def listening() -> Iterator[Endpoint]:
    """Run an endpoint until the block ends."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            endpoint.told.append((self.path, dict(self.headers.items()), body))
            self.send_response(endpoint.status)
            for name, value in endpoint.headers.items():
                self.send_header(name, value)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_port}/hook?a=b"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

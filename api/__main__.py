"""``python -m api``: serve it, with the headers of proxies left to `api.peers`."""

import argparse

import uvicorn

from api.main import create_app
from predella.settings import get_settings


def main() -> None:
    """Serve until told to stop."""
    settings = get_settings()
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve the API.")
    parser.add_argument("--host", default=settings.api_host)
    parser.add_argument("--port", type=int, default=settings.api_port)
    parser.add_argument(
        "--grace", type=int, default=20, help="seconds that requests have when it is stopped"
    )
    asked = parser.parse_args()
    uvicorn.run(
        create_app(sees_peers=True),
        host=asked.host,
        port=asked.port,
        proxy_headers=False,
        # The application writes a line of its own for each request.
        access_log=False,
        timeout_graceful_shutdown=asked.grace,
    )


if __name__ == "__main__":
    main()

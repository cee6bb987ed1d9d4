"""``python -m tests.migrations``: do the migrations make what the models describe?"""

import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from predella import migrate
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="predella-migrations-") as folder:
        server = Postgres(Home(Path(folder)), options=("fsync=off",))
        try:
            server.launch()
            server.wait_until_ready()
            engine = create_engine(server.url("postgres").replace("://", "+psycopg://", 1))
            migrate.upgrade(engine)
            migrate.check(engine)
            engine.dispose()
        finally:
            server.process.stop()


if __name__ == "__main__":
    main()

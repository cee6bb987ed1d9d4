from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text

from predella import db
from tests.services import UrlOf, sqlalchemy_url


@contextmanager
def database_away(postgres: UrlOf) -> Iterator[None]:
    """Throw everybody out and let nobody in: what a restart looks like."""
    url = db.engine().url
    owner = sqlalchemy_url(postgres("postgres"))
    elsewhere = create_engine(owner, isolation_level="AUTOCOMMIT")
    with elsewhere.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": url.database},
        )
        yield
        connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'))
    elsewhere.dispose()

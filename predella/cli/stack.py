"""Everything that predella needs, on this one machine."""

import secrets
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine

from predella import migrate, storage
from predella.cli import apps
from predella.embedded import redis
from predella.embedded.env import read_env, write_env
from predella.embedded.errors import PortTakenError
from predella.embedded.home import LOOPBACK, Home, first_free
from predella.embedded.lock import Lock
from predella.embedded.postgres import Postgres
from predella.embedded.process import Process
from predella.embedded.redis import Redis
from predella.embedded.s3 import S3
from predella.embedded.supervisor import Report, Supervisor
from predella.settings import Settings, get_settings

_DATABASE, _MESSAGES = "predella", "predella_messages"
_SERVICE = "predella_service"
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stack:
    """Postgres, a broker, S3; the API, two workers and the sweep.

    All of it ends with the ``with`` block, and with this process however that ends; what
    dies by itself is started again meanwhile. ``extra`` are further ``PREDELLA_*`` settings,
    remembered in the home.
    """

    def __init__(
        self,
        path: Path,
        *,
        report: Report,
        host: str = LOOPBACK,
        port: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._home = Home(path)
        self._env = self._home.path / "env"
        self._lock = Lock(self._home.path)
        self._report = report
        self._host, self._port = host, port
        self._remembered = {**read_env(self._env), **(extra or {})}
        self._values: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._handlers = {
            number: signal.signal(number, signal.default_int_handler)
            for number in _ENDINGS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        self._services, self._apps = Supervisor(self._report), Supervisor(self._report)
        return self

    def __exit__(self, *_error: object) -> None:
        # A second Ctrl-C must not leave half of it running.
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        self._apps.stop()
        self._services.stop()
        self._lock.release()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    @property
    def settings(self) -> Settings:
        """How to reach what runs here, whatever the environment of this process says."""
        found: dict[str, Any] = {
            name.removeprefix("PREDELLA_").lower(): value for name, value in self._values.items()
        }
        return Settings(_env_file=self._env, **found)

    @property
    def address(self) -> str:
        """Where the API and the curators' desk are."""
        return apps.address(self.settings)

    def start_services(self) -> Settings:
        """Return once database, broker and object store are ready and the schema is new.

        Other commands find them through the file ``env`` of the home.
        """
        self._stop_leftovers()
        postgres = Postgres(self._home, chosen=get_settings().pg_bin)
        self._services.start(postgres)
        self._make_database(postgres)
        self._start_s3()
        self._start_broker(postgres)
        self._values["PREDELLA_WEBHOOK_KEY"] = self._remembered.get(
            "PREDELLA_WEBHOOK_KEY"
        ) or secrets.token_hex(32)
        self._values["PREDELLA_API_HOST"] = self._host
        self._values["PREDELLA_API_PORT"] = str(self._api_port())
        write_env(self._env, {**self._remembered, **self._values})
        get_settings.cache_clear()
        self._lock.announce(self.address)
        storage.connect(self.settings).make_bucket(self.settings.bucket)
        return self.settings

    def start_apps(self) -> None:
        """Return once the API answers; the workers begin when they have loaded what they need."""
        started = apps.apps(self._home, self.settings, values=self._values)
        self._apps.start(*started)
        if len(started) < len(apps.NAMES):
            self._report("model-worker   not started: PREDELLA_MODEL_DIR names no checkpoint")

    def wait(self) -> None:
        """Return when somebody wants it to end: Ctrl-C, SIGTERM, a closed terminal."""
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            self._report("stopping ...")

    def _stop_leftovers(self) -> None:
        """End what a killed run left behind, users before services."""
        for name in (*apps.NAMES, Redis.name, S3.name, Postgres.name):
            Process(name, self._home).stop()

    def _make_database(self, postgres: Postgres) -> None:
        """The service gets a role that can change neither the schema nor what was decided."""
        postgres.make_database(_DATABASE)
        self._values["PREDELLA_DATABASE_URL"] = _sqlalchemy(postgres.url(_DATABASE, role=_SERVICE))
        engine = create_engine(_sqlalchemy(postgres.url(_DATABASE)))
        migrate.make_ready(engine, self.settings)
        engine.dispose()
        self._report("database       migrated")

    def _start_broker(self, postgres: Postgres) -> None:
        server = redis.find_server()
        if server is None:
            postgres.make_database(_MESSAGES, owner=_SERVICE)
            url = _sqlalchemy(postgres.url(_MESSAGES, role=_SERVICE))
            self._values["PREDELLA_BROKER_URL"] = f"sqla+{url}"
            self._report("redis          none on this machine: Postgres carries the messages")
            return
        broker = Redis(self._home, server)
        self._services.start(broker)
        self._values["PREDELLA_BROKER_URL"] = broker.url

    def _start_s3(self) -> None:
        server = S3(self._home)
        self._services.start(server)
        self._values["PREDELLA_S3_ENDPOINT_URL"] = server.url
        self._values["PREDELLA_S3_ACCESS_KEY_ID"] = server.access_key_id
        self._values["PREDELLA_S3_SECRET_ACCESS_KEY"] = server.secret_access_key

    def _api_port(self) -> int:
        if self._port is None:
            return self._home.port("api", preferred=Settings.model_fields["api_port"].default)
        try:
            return first_free(self._port, host=self._host)
        except OSError as error:
            raise PortTakenError(self._host, self._port) from error


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)

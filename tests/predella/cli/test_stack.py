import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from predella import queue
from predella.cli.stack import Stack
from predella.embedded import redis
from predella.embedded.env import read_env
from predella.embedded.errors import AlreadyRunningError
from predella.embedded.pids import birth
from predella.settings import Settings, get_settings
from predella.storage import connect

_SCRIPT = """
import sys
from pathlib import Path
from predella.cli.stack import Stack
with Stack(Path(sys.argv[1]), report=print, extra={"PREDELLA_BATCH_SIZE": "3"}) as stack:
    try:
        stack.start_services()
        print("up", flush=True)
        stack.wait()
    except KeyboardInterrupt:
        pass
"""


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="predella-stack-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"
    get_settings.cache_clear()


def _start(path: Path) -> "subprocess.Popen[str]":
    stack = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert stack.stdout
    assert "up\n" in iter(stack.stdout.readline, "")
    return stack


def _pids(path: Path) -> list[int]:
    return [int(record.read_text().split()[0]) for record in (path / "run").glob("*.pid")]


def _all_end(pids: list[int]) -> bool:
    deadline = time.monotonic() + 15
    while any(birth(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(birth(pid) for pid in pids)


def _migrated(settings: Settings) -> bool:
    url = settings.database_url.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        return bool(connection.execute("SELECT count(*) FROM alembic_version").fetchone())


class TestStartServices:
    def test_leaves_an_env_file_by_which_others_find_everything(self, path: Path) -> None:
        with _start(path) as running:
            settings = Settings(_env_file=path / "env")

            assert _migrated(settings)
            with redis_client.Redis.from_url(settings.broker_url.get_secret_value()) as client:
                assert client.ping()
            assert list(connect(settings).list(settings.bucket, "")) == []
            assert settings.batch_size == 3
            running.terminate()

    def test_is_not_led_astray_by_the_environment(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_DATABASE_URL", "postgresql+psycopg://elsewhere/production")
        monkeypatch.setenv("PREDELLA_API_PORT", "1")

        with Stack(path, report=lambda _: None) as stack:
            assert _migrated(stack.start_services())
            port = read_env(path / "env")["PREDELLA_API_PORT"]
            assert stack.settings.desk_url == stack.address == f"http://127.0.0.1:{port}"

    @pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
    def test_lets_postgres_carry_the_messages_where_there_is_no_redis(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(redis, "find_server", lambda: None)

        with Stack(path, report=lambda _: None) as stack:
            celery = queue.make_celery(stack.start_services())
            celery.send_task(queue.PREPARE)
            with celery.connection() as connection:
                message = connection.SimpleQueue(queue.CPU).get(timeout=10)

            assert message.headers["task"] == queue.PREPARE
            message.ack()


class TestStop:
    def test_ends_everything_within_seconds_and_in_order(self, path: Path) -> None:
        with _start(path) as running:
            pids = _pids(path)
            began = time.monotonic()

            running.terminate()
            said = running.communicate(timeout=30)[0]

            assert running.returncode == 0
            assert time.monotonic() - began < 15
        stopped = [line.split()[0] for line in said.splitlines() if "stopped" in line]
        assert stopped == ["redis", "s3", "postgres"]
        assert len(pids) == 3
        assert _all_end(pids)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a death")
    def test_leaves_nothing_behind_when_it_is_killed_and_starts_again(self, path: Path) -> None:
        with _start(path) as running:
            pids = _pids(path)
            before = read_env(path / "env")
            running.kill()
        assert _all_end(pids)

        with _start(path) as running:
            assert read_env(path / "env") == before
            running.terminate()


class TestTwice:
    def test_says_where_the_first_is(self, path: Path) -> None:
        with _start(path) as running:
            port = read_env(path / "env")["PREDELLA_API_PORT"]

            with (
                pytest.raises(AlreadyRunningError, match=f"http://127.0.0.1:{port}"),
                Stack(path, report=print),
            ):
                pass
            running.terminate()

    def test_brings_a_killed_service_back_to_its_port(self, path: Path) -> None:
        with _start(path) as running:
            settings = Settings(_env_file=path / "env")
            os.kill(int((path / "run" / "postgres.pid").read_text().split()[0]), signal.SIGKILL)

            deadline = time.monotonic() + 20
            while True:
                try:
                    assert _migrated(settings)
                    break
                except psycopg.OperationalError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            running.terminate()

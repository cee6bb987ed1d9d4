import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from predella.embedded.app import App
from predella.embedded.home import Home
from predella.embedded.supervisor import Supervisor


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def supervisor(reported: list[str]) -> Iterator[Supervisor]:
    own = Supervisor(reported.append)
    yield own
    own.stop()


def _app(name: str, home: Home, code: str) -> App:
    return App(name, home, sys.executable, "-S", "-c", code, settings={"PREDELLA_BUCKET": "b"})


def _wait_for(reported: list[str], what: str, *, times: int = 1) -> None:
    deadline = time.monotonic() + 10
    while sum(what in line for line in reported) < times:
        assert time.monotonic() < deadline, reported
        time.sleep(0.02)


class TestSupervisor:
    def test_starts_what_was_killed_again(
        self, supervisor: Supervisor, reported: list[str], own_home: Home
    ) -> None:
        app = _app("worker", own_home, "import time; time.sleep(60)")
        supervisor.start(app)
        first = app.process.pid
        assert first

        os.kill(first, signal.SIGKILL)

        _wait_for(reported, "exit code -9")
        deadline = time.monotonic() + 5
        while app.process.pid is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert app.process.pid != first

    def test_waits_longer_before_each_new_try(
        self, supervisor: Supervisor, reported: list[str], own_home: Home
    ) -> None:
        supervisor.start(_app("worker", own_home, "raise SystemExit(4)"))

        _wait_for(reported, "exit code 4", times=3)

        pauses = [line.rsplit(" in ")[1] for line in reported if "exit code" in line]
        assert pauses[:3] == ["0.5 s", "1.0 s", "2.0 s"]

    def test_outlives_a_part_that_cannot_start(
        self, supervisor: Supervisor, reported: list[str], own_home: Home
    ) -> None:
        broken = _app("broken", own_home, "raise SystemExit(4)")
        supervisor.start(broken)
        broken.process.log.unlink()
        broken.process.log.mkdir()

        _wait_for(reported, "cannot start")

        broken.process.log.rmdir()

    def test_stops_the_newest_first(self, reported: list[str], own_home: Home) -> None:
        supervisor = Supervisor(reported.append)
        for name in ("database", "worker"):
            supervisor.start(_app(name, own_home, "import time; time.sleep(60)"))

        supervisor.stop()

        assert [line.split()[0] for line in reported if "stopped" in line] == ["worker", "database"]

    def test_hands_on_the_environment_and_adds_to_it(
        self, supervisor: Supervisor, own_home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_BUCKET", "of the operator")
        monkeypatch.setenv("PREDELLA_DEVICE", "cpu")
        app = _app(
            "worker",
            own_home,
            "import os, time; print(*(os.environ['PREDELLA_' + n] for n in"
            " ('BUCKET', 'DEVICE', 'HOME')), flush=True); time.sleep(60)",
        )

        supervisor.start(app)

        deadline = time.monotonic() + 10
        while not app.process.log.read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert app.process.log.read_text().strip() == f"b cpu {own_home.path}"

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from predella.embedded.errors import StartError
from predella.embedded.home import Home
from predella.embedded.pids import birth
from predella.embedded.process import Process

_ENV = {"PATH": "/usr/bin:/bin"}
_STUBBORN = "trap '' TERM; sleep 60 & echo child $!; wait; sleep 60"


def _eventually(fact: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.02)
    return fact()


def _record(home: Home) -> Path:
    return home.path / "run" / "thing.pid"


class TestStart:
    def test_writes_what_it_prints_to_its_log(self, own_home: Home) -> None:
        process = Process("thing", own_home)

        process.start("/bin/sh", "-c", "echo out; echo err >&2", env=_ENV)

        assert _eventually(lambda: process.log.read_text() == "out\nerr\n")
        assert _eventually(lambda: process.exit_code == 0)

    def test_leaves_it_none_of_our_secrets(
        self, own_home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_TOKEN", "secret")
        process = Process("thing", own_home)

        process.start("/usr/bin/env", env=_ENV)

        assert _eventually(lambda: process.exit_code == 0)
        assert "secret" not in process.log.read_text()

    def test_stops_what_a_killed_run_left_behind(self, own_home: Home) -> None:
        with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as leftover:
            Process("thing", own_home)
            _record(own_home).write_text(f"{leftover.pid} {birth(leftover.pid)}")
            process = Process("thing", own_home)

            process.start("/bin/sleep", "60", env=_ENV)

            assert leftover.wait(5) == -signal.SIGTERM
        process.stop()

    def test_spares_a_stranger_who_was_given_the_same_pid(self, own_home: Home) -> None:
        with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as stranger:
            Process("thing", own_home)
            _record(own_home).write_text(f"{stranger.pid} 12345")

            Process("thing", own_home).stop()

            assert stranger.poll() is None
            stranger.kill()


class TestStop:
    def test_kills_what_does_not_listen_and_what_that_started(self, own_home: Home) -> None:
        process = Process("thing", own_home)
        process.start("/bin/sh", "-c", _STUBBORN, env=_ENV)
        assert _eventually(lambda: "child" in process.log.read_text())
        child = int(process.log.read_text().split()[1])

        began = time.monotonic()
        process.stop(seconds=0.3)

        assert time.monotonic() - began < 3
        assert process.pid is None
        assert _eventually(lambda: birth(child) is None)

    def test_asks_only_once(self, own_home: Home) -> None:
        process = Process("thing", own_home)
        counting = "trap 'echo asked; sleep 0.5; exit 3' TERM; echo up; sleep 60 & wait; sleep 1"
        process.start("/bin/sh", "-c", counting, env=_ENV)
        assert _eventually(lambda: "up" in process.log.read_text())

        process.ask_to_stop()
        process.stop()

        assert process.log.read_text().count("asked") == 1


class TestWaitUntil:
    def test_shows_the_end_of_the_log_of_what_died(self, own_home: Home) -> None:
        process = Process("thing", own_home)
        process.start("/bin/sh", "-c", "echo no space left; exit 7", env=_ENV)

        with pytest.raises(StartError, match=r"exit code 7(.|\n)*no space left"):
            process.wait_until(lambda: False, seconds=10)

    def test_stops_what_never_becomes_ready(self, own_home: Home) -> None:
        process = Process("thing", own_home)
        process.start("/bin/sleep", "60", env=_ENV)

        with pytest.raises(StartError, match="not ready after"):
            process.wait_until(lambda: False, seconds=0.2)

        assert process.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a death")
class TestLeash:
    def test_ends_the_program_when_we_are_killed(self, own_home: Home) -> None:
        script = (
            "import os; from pathlib import Path; from predella.embedded.home import Home;"
            "from predella.embedded.process import Process;"
            f"p = Process('thing', Home(Path({str(own_home.path)!r})));"
            "p.start('/bin/sleep', '60', env={}); print(p.pid, flush=True); os.kill(os.getpid(), 9)"
        )
        killed = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

        assert killed.returncode == -signal.SIGKILL
        pid = int(killed.stdout)
        assert _eventually(lambda: birth(pid) is None)


class TestBirth:
    def test_tells_a_process_from_its_successor(self) -> None:
        ours = birth(os.getpid())
        time.sleep(0.02)
        with subprocess.Popen(["/bin/sleep", "60"]) as other:
            assert birth(other.pid) not in {None, ours}
            other.kill()
            assert _eventually(lambda: birth(other.pid) is None)

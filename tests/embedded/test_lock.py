import signal
import subprocess
import sys
from pathlib import Path

import pytest

from predella.embedded.errors import AlreadyRunningError
from predella.embedded.lock import Lock

_HOLD = (
    "import sys, time; from pathlib import Path; from predella.embedded.lock import Lock;"
    "lock = Lock(Path(sys.argv[1])); lock.acquire();"
    "lock.announce('http://127.0.0.1:8123'); print('held', flush=True); time.sleep(60)"
)


class TestLock:
    def test_tells_the_second_where_the_first_is(self, tmp_path: Path) -> None:
        with _held(tmp_path) as first:
            with pytest.raises(AlreadyRunningError, match=r"http://127.0.0.1:8123") as refused:
                Lock(tmp_path).acquire()

            assert refused.value.pid == first.pid
            first.kill()

    def test_is_free_when_its_holder_was_killed(self, tmp_path: Path) -> None:
        with _held(tmp_path) as first:
            first.send_signal(signal.SIGKILL)
            first.wait()

        lock = Lock(tmp_path)
        assert lock.free_within(0)
        lock.release()


def _held(home: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder

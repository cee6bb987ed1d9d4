import subprocess
import sys

PROGRAM = """
import time
from worker.guard import Guard

with Guard({seconds}) as guard:
    for _ in range({rounds}):
        time.sleep(0.6)
        guard.report()
print("done")
"""


def run(*, seconds: float, rounds: int) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(seconds=seconds, rounds=rounds)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


class TestGuard:
    def test_ends_a_process_that_stands_still_and_shows_where(self) -> None:
        ended = run(seconds=0.2, rounds=1)

        assert ended.returncode == 1
        assert 'File "<string>"' in ended.stderr
        assert "done" not in ended.stdout

    def test_lets_a_process_go_on_that_reports(self) -> None:
        ended = run(seconds=3, rounds=8)

        assert ended.returncode == 0
        assert "done" in ended.stdout

import os
import signal
import tempfile
from collections.abc import Iterator

import pytest

from predella.confined.process import Confined, DefectError, DiedError
from predella.errors import UnavailableError


@pytest.fixture
def own() -> Iterator[Confined]:
    with Confined("tests.predella.confined.obedient") as process:
        yield process


class TestAsk:
    def test_hands_over_parts_and_open_files(self, own: Confined) -> None:
        with tempfile.TemporaryFile() as file:
            file.write("größe".encode())
            file.seek(0)
            answer, parts = own.ask({"what": "repeat"}, b"a", b"", files=[file.fileno()], seconds=9)

        assert (answer["held"], parts) == (["größe"], [b"a", b""])

    @pytest.mark.parametrize(
        ("what", "seconds", "error"),
        [("sleep", 0.2, TimeoutError), ("hoard", 20, MemoryError), ("die", 20, DiedError)],
    )
    def test_starts_another_process_after_one_that_failed(
        self, own: Confined, what: str, seconds: float, error: type[Exception]
    ) -> None:
        before, _ = own.ask({"what": "pid"}, seconds=20)

        with pytest.raises(error):
            own.ask({"what": what}, seconds=seconds)

        after, _ = own.ask({"what": "pid"}, seconds=20)
        assert after["pid"] != before["pid"]

    def test_ends_what_computes_for_ever(self, own: Confined) -> None:
        with pytest.raises(DiedError) as died:
            own.ask({"what": "spin"}, seconds=60)

        assert died.value.status == -signal.SIGXCPU

    def test_keeps_a_process_that_has_a_defect(self, own: Confined) -> None:
        before, _ = own.ask({"what": "pid"}, seconds=20)

        with pytest.raises(DefectError, match="ValueError: juggle"):
            own.ask({"what": "juggle"}, seconds=20)

        assert own.ask({"what": "pid"}, seconds=20)[0] == before

    def test_reaches_no_network(self, own: Confined) -> None:
        with pytest.raises(DefectError, match="PermissionError"):
            own.ask({"what": "connect"}, seconds=20)

    def test_says_that_a_process_cannot_be_started(self) -> None:
        with (
            Confined("predella.no_such_module") as process,
            pytest.raises(UnavailableError, match="could not be started: status 1"),
        ):
            process.ask({}, seconds=20)

    def test_leaves_no_process_behind(self) -> None:
        with Confined("tests.predella.confined.obedient") as process:
            answer, _ = process.ask({"what": "pid"}, seconds=20)

        with pytest.raises(ProcessLookupError):
            os.kill(answer["pid"], 0)

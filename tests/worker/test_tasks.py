import pytest

from predella.settings import Settings
from tests.services import Bucket
from worker import analyzing, resources, tasks
from worker.app import app
from worker.shift import Shift


class TestAnalyze:
    def test_has_no_limit_in_time_while_the_others_have(self) -> None:
        assert tasks.analyze.time_limit is tasks.analyze.soft_time_limit is None
        for task in (tasks.receive, tasks.prepare, tasks.export):
            assert task.soft_time_limit
            assert task.time_limit
            assert task.soft_time_limit < task.time_limit
        assert app.conf.task_time_limit is app.conf.task_soft_time_limit is None

    def test_goes_on_for_longer_than_any_budget(
        self, settings: Settings, s3: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert settings
        assert s3
        shifts: list[Shift] = []
        monkeypatch.setattr(resources, "engine", lambda: None)
        monkeypatch.setattr(analyzing, "run", lambda *, shift, **_: shifts.append(shift))

        tasks.analyze()

        assert shifts[0]._end == float("inf")

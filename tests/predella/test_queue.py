import pytest
import redis

from predella import db, queue
from predella.settings import Settings, get_settings


class TestRing:
    def test_leaves_one_argumentless_message_in_the_tasks_queue(self, settings: Settings) -> None:
        queue.ring(queue.PREPARE)

        with redis.Redis.from_url(settings.broker_url.get_secret_value()) as client:
            assert client.llen(queue.CPU) == 1
            assert client.llen(queue.GPU) == 0

    @pytest.mark.timeout(30)
    def test_a_broker_that_is_away_is_neither_an_error_nor_a_hang(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert settings.broker_url
        monkeypatch.setenv("PREDELLA_BROKER_URL", "redis://127.0.0.1:9/0")
        get_settings.cache_clear()

        with db.transaction() as session:
            queue.ring_after_commit(session, queue.ANALYZE)

from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from api import limiting
from predella.models import Role
from predella.settings import Settings, get_settings
from tests.api.conftest import token
from tests.api.problems import problem


@pytest.fixture
def narrow(stranger: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Somebody where each account may ask twice a minute."""
    monkeypatch.setenv("PREDELLA_RATE_LIMIT", "2/minute")
    get_settings.cache_clear()
    return stranger


@pytest.fixture
def without_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.broker_url
    monkeypatch.setenv("PREDELLA_BROKER_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()


class TestLimitAccount:
    def test_beyond_the_limit_there_is_a_problem_that_says_how_long_to_wait(
        self, narrow: TestClient
    ) -> None:
        narrow.headers["Authorization"] = f"Bearer {token(Role.CURATOR)}"

        first, second, third = (narrow.get("/v1/me") for _ in range(3))

        assert first.headers["RateLimit-Policy"] == '"default";q=2;w=60'
        assert first.headers["RateLimit"].startswith('"default";r=1;t=')
        assert second.status_code == HTTPStatus.OK
        problem(third, HTTPStatus.TOO_MANY_REQUESTS)
        assert third.json()["type"] == "/problems/too-many"
        assert 1 <= int(third.headers["Retry-After"]) <= 60
        assert third.headers["RateLimit-Policy"] == '"default";q=2;w=60'
        assert third.headers["RateLimit"] == f'"default";r=0;t={third.headers["Retry-After"]}'

    def test_what_is_refused_tells_what_is_left_too(self, narrow: TestClient) -> None:
        narrow.headers["Authorization"] = f"Bearer {token(Role.CURATOR)}"

        refused = narrow.get("/v1/accounts")

        problem(refused, HTTPStatus.FORBIDDEN)
        assert refused.headers["RateLimit"].startswith('"default";r=1;t=')

    def test_each_account_is_counted_alone(self, narrow: TestClient) -> None:
        for name in ("ines", "jan"):
            narrow.headers["Authorization"] = f"Bearer {token(Role.CURATOR, name=name)}"
            assert narrow.get("/v1/me").status_code == HTTPStatus.OK
            assert narrow.get("/v1/me").status_code == HTTPStatus.OK


@pytest.mark.usefixtures("without_redis")
class TestCountWithoutRedis:
    def test_lets_pass(self) -> None:
        assert limiting.count("anybody", "1/minute") is None

    def test_lets_pass_where_the_broker_is_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_BROKER_URL", "sqla+postgresql://nobody@127.0.0.1:1/none")
        get_settings.cache_clear()

        assert limiting.count("anybody", "1/minute") is None
